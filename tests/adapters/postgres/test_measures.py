"""Measures by hand, from the database, and once more from nothing but the export."""

import json
import math
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from adapters.postgres.judgements import PostgresJudgements
from adapters.postgres.labelled_edits import PostgresLabelledEdits
from adapters.postgres.measures import MeasuredTickets
from adapters.postgres.tables import ticket_measures, tickets
from adapters.postgres.tenant_registry import TenantRegistry
from cli.measures import exported
from domain.judgement import HandoffVerdict
from domain.learning import LabelledEdit
from domain.measures import Measures, Share, measures_of
from domain.ticket import ClosingRecord, Outcome, Settlement, Stage, TicketRef
from tests.adapters.postgres.measured_rows import NINE, after
from tests.adapters.postgres.story import Story
from tests.conftest import a_tenant

Row = dict[str, Any]


async def a_ticket(
    story: Story, minutes: float, steps: list[tuple[Outcome | None, str]], *rows: Row
) -> TicketRef:
    """Opened then; `rows` are its turns; `steps` what its outcome was, one after another."""
    tenant_id = story.ticket.tenant_id
    ticket = TicketRef(tenant_id=tenant_id, route=uuid4().hex)
    named = {"tenant_id": tenant_id, "id": ticket.ticket_id, "route": ticket.route}
    async with story.databases.owner.transaction(tenant_id) as session:
        await session.execute(insert(tickets).values(named | {"opened_at": after(minutes)}))
        for number, row in enumerate(rows, 1):
            turn = {"tenant_id": tenant_id, "ticket_id": ticket.ticket_id, "turn": number}
            await session.execute(insert(ticket_measures).values(turn | row))
    for outcome, reason in steps:
        await change(story, ticket, outcome, reason)
    return ticket


async def change(story: Story, ticket: TicketRef, outcome: Outcome | None, reason: str) -> None:
    record = ClosingRecord(turns=1, outcome=outcome)
    await story.tickets.settle(ticket, Settlement(record=record, stage=Stage.SETTLED, reason=reason))


def a_turn(received: float, replied: float | None, settled: float, **more: Any) -> Row:
    first = None if replied is None else after(replied)
    return {"received_at": after(received), "first_reply_at": first, "settled_at": after(settled), **more}


async def a_month(story: Story) -> TicketRef:
    """Five tickets; the first, which counts as answered, is returned."""
    answered = await a_ticket(story, 0, [(Outcome.ASSUMED, "silence")], a_turn(0, 1, 2))
    await a_ticket(
        story,
        10,
        [(Outcome.RECONTACTED, "recontacted"), (Outcome.CONFIRMED, "thanked")],
        a_turn(10, 13, 14),
        a_turn(60, 61, 62),
    )
    asked = {"waited_for_people_ms": 600_000, "decided_in_ms": 600_000}
    await a_ticket(
        story, 20, [(Outcome.ASSUMED, "silence")], a_turn(20, 40, 41, **asked, approved_unchanged=True)
    )
    refused = {**asked, "approved_unchanged": False, "handoff_reason": "approval_rejected"}
    handed = await a_ticket(
        story, 30, [(Outcome.HANDED_OVER, "approval_rejected")], a_turn(30, None, 45, **refused)
    )
    await a_ticket(story, 40, [(Outcome.ABANDONED, "spam")])
    await a_ticket(story, -60, [(Outcome.ASSUMED, "silence")], a_turn(-60, -1, 0))
    judgements = PostgresJudgements(story.databases.door)
    for verdict in (HandoffVerdict.RIGHT, HandoffVerdict.WRONG):
        await judgements.judge(handed, await story.approver(), verdict)
    edits = PostgresLabelledEdits(story.databases.app)
    for number, distance in enumerate((100, 300, 900)):
        message = f"msg_{number:032x}"
        refs = {"draft": "draft_" + 64 * "0", "edited": "edit_" + 64 * "0"}
        await edits.record(handed, LabelledEdit(message=message, turn=1, distance_permille=distance, **refs))
    return answered


async def test_numbers_are_those_reckoned_by_hand(story: Story) -> None:
    await a_month(story)

    measured = measures_of(await MeasuredTickets(story.databases.app).since(story.ticket.tenant_id, NINE))

    minute = 60_000
    assert measured == Measures(
        tickets=5,
        worked=4,
        first_response_p50_ms=3 * minute,  # 1, 3, 20
        first_response_p95_ms=20 * minute,
        handle_p50_ms=6 * minute,  # 2, 6, 15, 21
        handle_p95_ms=21 * minute,
        contained=Share(part=2, whole=4),
        escalated=Share(part=1, whole=4),
        recontacted=Share(part=1, whole=3),
        reopened=Share(part=0, whole=3),
        approved_unchanged=Share(part=1, whole=2),
        handoffs_right=Share(part=0, whole=1),
        edits=3,
        edit_distance_p50_permille=300,
    )


async def test_late_recontact_changes_the_number_and_the_trail_says_how(story: Story) -> None:
    answered = await a_month(story)
    reader = MeasuredTickets(story.databases.app)

    await change(story, answered, Outcome.RECONTACTED, "recontacted")

    records = await reader.since(story.ticket.tenant_id, NINE)
    measured = measures_of(records)
    assert measured.contained == Share(part=1, whole=4)
    assert (measured.recontacted.part, measured.reopened.part) == (2, 1)
    [record] = [each for each in records if each.ticket_id == answered.ticket_id]
    assert [(step.previous, step.outcome) for step in record.outcomes] == [
        (None, Outcome.ASSUMED),
        (Outcome.ASSUMED, Outcome.RECONTACTED),
    ]


async def test_customer_reckons_the_same_from_the_export_alone(story: Story) -> None:
    await change(story, await a_month(story), Outcome.RECONTACTED, "recontacted")
    records = await MeasuredTickets(story.databases.app).since(story.ticket.tenant_id, NINE)

    again = reckoned(exported(records))

    assert again == measures_of(records).model_dump()


async def test_tickets_of_other_tenants_are_not_measured(story: Story, registry: TenantRegistry) -> None:
    await a_month(story)

    other = await a_tenant(registry)
    assert await MeasuredTickets(story.databases.app).since(other, NINE - timedelta(days=1)) == []


def reckoned(export: str) -> Row:
    """By somebody who has the file and `docs/measures.md`, and none of our code."""
    lines = [json.loads(line) for line in export.splitlines()]
    assert all(UUID(line["ticket_id"]) for line in lines)
    worked = [line for line in lines if line["turns"]]
    replied = [line for line in worked if any(turn["first_reply_at"] for turn in line["turns"])]
    first, handle = [], []
    for line in worked:
        replies = [turn["first_reply_at"] for turn in line["turns"] if turn["first_reply_at"]]
        if replies:
            first.append(_ms(min(replies)) - _ms(line["turns"][0]["received_at"]))
        handle.append(sum(_ms(turn["settled_at"]) - _ms(turn["received_at"]) for turn in line["turns"]))
    answered = [
        turn["approved_unchanged"]
        for line in lines
        for turn in line["turns"]
        if turn["approved_unchanged"] is not None
    ]
    judged = [line["handoff_judged"] for line in lines if line["handoff_judged"]]
    edits = [distance for line in lines for distance in line["edit_distances_permille"]]
    return {
        "tickets": len(lines),
        "worked": len(worked),
        "first_response_p50_ms": _rank(first, 0.5),
        "first_response_p95_ms": _rank(first, 0.95),
        "handle_p50_ms": _rank(handle, 0.5),
        "handle_p95_ms": _rank(handle, 0.95),
        "contained": _count([line for line in worked if _contained(line)], worked),
        "escalated": _count([line for line in worked if _escalated(line)], worked),
        "recontacted": _count([line for line in replied if "recontacted" in _outcomes(line)], replied),
        "reopened": _count([line for line in replied if _reopened(line)], replied),
        "approved_unchanged": _count([each for each in answered if each], answered),
        "handoffs_right": _count([each for each in judged if each == "right"], judged),
        "edits": len(edits),
        "edit_distance_p50_permille": _rank(edits, 0.5),
    }


def _outcomes(line: Row) -> list[str]:
    return [step["outcome"] for step in line["outcomes"]]


def _escalated(line: Row) -> bool:
    return "handed_over" in _outcomes(line) or any(turn["handoff_reason"] for turn in line["turns"])


def _contained(line: Row) -> bool:
    asked = any(turn["waited_for_people_ms"] is not None for turn in line["turns"])
    spoken = any(turn["first_reply_at"] for turn in line["turns"])
    return line["outcome"] in {"assumed", "confirmed"} and spoken and not asked and not _escalated(line)


def _reopened(line: Row) -> bool:
    return any(
        step["previous"] in {"assumed", "confirmed"} and step["outcome"] == "recontacted"
        for step in line["outcomes"]
    )


def _ms(at: str) -> int:
    clock = at.partition("T")[2].rstrip("Z").split("+")[0]
    hours, minutes, seconds = clock.split(":")
    return round(1000 * (3600 * int(hours) + 60 * int(minutes) + float(seconds)))


def _rank(values: list[int], share: float) -> int | None:
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1] if values else None


def _count(part: list[Any], whole: list[Any]) -> dict[str, int]:
    return {"part": len(part), "whole": len(whole)}
