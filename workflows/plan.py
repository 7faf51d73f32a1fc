"""Which actions a turn proposes, in which order, under which effect keys. Pure."""

from enum import IntEnum

from domain.action import Action, AddTags, PrivateNote, ProposedAction, Reply, SetStatus, SlackPost
from domain.decision import PolicyDecision
from domain.draft import Draft
from domain.effect import EffectIntent, key_of
from domain.model import ApprovalId, ArtifactRef, Code
from domain.ticket import Mode, TicketStatus
from domain.triage import Triage
from workflows.turn import Turn


class Ordinal(IntEnum):
    """Tells two actions of one type in one turn apart. Part of effect keys: never renumber."""

    REFUND = 0
    REPLY = 1
    NOTE = 2
    STATUS = 3
    TAGS = 4
    ACKNOWLEDGEMENT = 5
    BUNDLE = 10
    HANDOFF_CARD = 11
    HANDOFF_STATUS = 12
    HANDOFF_TAGS = 13
    APPROVAL_CARD = 20  # plus twice the ordinal of what is asked; the odd ones are updates
    HANDOFF_ROUND = 100  # times the rounds before, added to those of a handover that reached nobody
    APPROVAL_REMINDER = 2000  # plus 50 times the ordinal of what is asked, plus the reminders before
    REVISED = 1_000_000  # times the changes of the draft, for the cards of the question
    RESUMED = 10_000  # times the owner epoch that a turn began with; never for what reaches the customer


LONGEST_CODE = 64


def answer_plan(turn: Turn, draft: Draft) -> tuple[ProposedAction, ...]:
    """Money first, then what tells of it, then what files it."""
    refund = () if draft.refund is None else (_proposed(Ordinal.REFUND, draft.refund),)
    return (*refund, *_telling(turn, draft))


def _telling(turn: Turn, draft: Draft) -> tuple[ProposedAction, ...]:
    """A tenant that is only assisted gets the words as a note."""
    text = draft.reply or ""  # a draft without words has been handed over; no pattern takes an empty one
    again = resumed(turn)
    if turn.settings.mode is Mode.ASSIST:
        return (_proposed(Ordinal.NOTE + again, PrivateNote(text=text)),)
    zones = tuple(sorted({citation.zone for citation in draft.citations}))
    return (
        _proposed(Ordinal.REPLY, Reply(text=text, zones=zones)),
        _proposed(Ordinal.STATUS + again, SetStatus(status=TicketStatus.SOLVED)),
        _proposed(Ordinal.TAGS + again, AddTags(tags=_tags(turn.triage))),
    )


def acknowledgement_plan(text: ArtifactRef) -> tuple[ProposedAction, ...]:
    """A fixed word to the customer; it rests on no article."""
    return (_proposed(Ordinal.ACKNOWLEDGEMENT, Reply(text=text)),)


def content_plan(turn: Turn) -> tuple[ProposedAction, ...]:
    """What files a ticket whose customer is content."""
    return (_proposed(Ordinal.STATUS + resumed(turn), SetStatus(status=TicketStatus.SOLVED)),)


def handoff_plan(
    turn: Turn, bundle: ArtifactRef, card: ArtifactRef, round_: int = 0
) -> tuple[ProposedAction, ...]:
    """The story where teammates work, a word in Slack, the ticket open in its queue."""
    later = Ordinal.HANDOFF_ROUND * round_ + resumed(turn)
    return (
        _proposed(Ordinal.HANDOFF_CARD + later, SlackPost(card=card)),
        _proposed(Ordinal.BUNDLE + later, PrivateNote(text=bundle)),
        _proposed(Ordinal.HANDOFF_STATUS + later, SetStatus(status=TicketStatus.OPEN)),
        _proposed(Ordinal.HANDOFF_TAGS + later, AddTags(tags=(*_tags(turn.triage), "handed_over"))),
    )


def story_plan(turn: Turn, bundle: ArtifactRef) -> tuple[ProposedAction, ...]:
    """For a teammate who has the ticket already: the story, and nothing that calls for anybody."""
    return (_proposed(Ordinal.BUNDLE + resumed(turn), PrivateNote(text=bundle)),)


def resumed(turn: Turn) -> int:
    """Tells what a turn files and tells the team from what an earlier turn about the same message did.

    A reply and a refund have no such second key: a message gets each of them once.
    """
    return Ordinal.RESUMED * turn.first_epoch


def intent_of(
    turn: Turn, proposed: ProposedAction, decision: PolicyDecision, approval: ApprovalId | None = None
) -> EffectIntent:
    """The effect that a decided action becomes."""
    return EffectIntent(
        key=key_of(turn.ticket.ticket_id, turn.message, proposed),
        ticket=turn.ticket,
        proposed=proposed,
        decision_id=decision.decision_id,
        approval_id=approval,
        owner_epoch=turn.owner_epoch,
        turn=turn.number,
        customer=turn.facts.customer if turn.facts else None,
    )


def _proposed(ordinal: int, action: Action) -> ProposedAction:
    return ProposedAction(ordinal=ordinal, action=action)


def _tags(triage: Triage | None) -> tuple[Code, ...]:
    return (f"queue_{triage.queue}"[:LONGEST_CODE],) if triage else ()
