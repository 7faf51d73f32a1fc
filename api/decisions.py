"""`/decisions/{id}`: one policy decision in plain words, and the whole of it as JSON beside."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from adapters.postgres.decision_records import DecisionStory
from api.decision_words import told_approvals, told_decisions, told_effects
from api.doors import PageDoors
from api.input_words import told_input
from api.pages import page
from api.problems import NoSuchDoor
from api.queue import shown_tickets
from api.tickets import line_of
from api.visitor import Doorkeeper, Visitor
from domain.model import DECISION_PATTERN

DECISION = re.compile(DECISION_PATTERN)


def decision_router(doors: PageDoors, doorkeeper: Doorkeeper) -> APIRouter:
    """Decisions, for compliance."""
    router = APIRouter(include_in_schema=False)
    reader = Annotated[Visitor, Depends(doorkeeper.reader)]

    @router.get("/decisions/{decision_id}.json")
    async def read_decision(decision_id: str, visitor: reader) -> DecisionStory:
        """Every field, for programs and for keeping."""
        return await story_of(doors, visitor, decision_id)

    @router.get("/decisions/{decision_id}")
    async def show_decision(decision_id: str, request: Request, visitor: reader) -> Response:
        """What was proposed, what policy answered and why, who was asked, and what followed."""
        story = await story_of(doors, visitor, decision_id)
        tenant_id = visitor.principal.tenant_id
        [ticket] = await shown_tickets(
            doors, visitor, [await line_of(doors, visitor, story.decisions[0].ticket_id)]
        )
        people = {vote.principal_id for asked in story.approvals for vote in asked.votes}
        people |= {click.principal_id for asked in story.approvals for click in asked.refusals}
        names = await doors.records.names(tenant_id, people)
        return page(
            request,
            "decision.html",
            visitor,
            ticket=ticket,
            decision=told_decisions(story.decisions)[0],
            made=story.decisions[0],
            input=told_input(story.decisions[0].input),
            approvals=told_approvals(story.approvals, names, visitor.principal.principal_id),
            effects=told_effects(story.effects),
        )

    return router


async def story_of(doors: PageDoors, visitor: Visitor, decision_id: str) -> DecisionStory:
    """Raises the same problem for another tenant's decision as for one that never was."""
    known = DECISION.fullmatch(decision_id) is not None
    story = await doors.decisions.of_decision(visitor.principal.tenant_id, decision_id) if known else None
    if story is None:
        raise NoSuchDoor
    return story
