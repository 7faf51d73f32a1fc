"""Records of a ticket in plain words, for the terminal."""

from collections.abc import Iterator
from functools import singledispatch

from pydantic import BaseModel

from activities.approvals import ComposedCard
from activities.effects import Performed
from activities.handoff import PreparedHandoff
from activities.intake import Fetched, RedactedConversation
from activities.policy import Decided
from activities.triage import Triaged
from domain.approval import ApprovalResult, Vote, VoteKind
from domain.decision import PolicyDecision
from domain.draft import Draft
from domain.effect import EffectResult
from domain.fact import Facts, OrderFact
from domain.knowledge import Retrieved

SHORT = 12


@singledispatch
def said_of(record: BaseModel) -> Iterator[str]:
    """Lines about `record`; a step with nothing to tell says that it is done."""
    del record
    yield "done"


@said_of.register
def _fetched(record: Fetched) -> Iterator[str]:
    if record.message is None:
        yield f"no customer waits for an answer ({record.deliveries} deliveries)"
        return
    yield f"a customer's message, {record.deliveries} deliveries, mode {record.settings.mode}"


@said_of.register
def _redacted(record: RedactedConversation) -> Iterator[str]:
    counted = ", ".join(f"{count.spans} × {count.kind}" for count in record.counts)
    yield f"taken out: {counted or 'nothing'}"


@said_of.register
def _triaged(record: Triaged) -> Iterator[str]:
    triage = record.triage
    signals = ", ".join(triage.signals)
    yield (
        f"{triage.intent} ({triage.confidence_permille / 10:.0f} % sure), queue {triage.queue}, "
        f"priority {triage.priority}" + (f", signals: {signals}" if signals else "")
    )


@said_of.register
def _facts(record: Facts) -> Iterator[str]:
    yield (
        f"{'known' if record.requester_known else 'unknown'} requester, "
        f"{record.orders_mentioned} orders mentioned"
    )
    for order in record.orders:
        if order.mentioned:
            yield _order(order)


def _order(order: OrderFact) -> str:
    whose = "the requester's" if order.owner_is_requester else "somebody else's"
    return f"order {order.status}, {order.total}, refundable {order.refundable}, {whose}"


@said_of.register
def _retrieved(record: Retrieved) -> Iterator[str]:
    best = f", best {record.citations[0].score_permille / 10:.0f} %" if record.citations else ""
    yield f"{len(record.citations)} passages ({record.backend}{best})"


@said_of.register
def _drafted(record: Draft) -> Iterator[str]:
    if record.refund is not None:
        yield f"playbook {record.playbook} proposes a refund of {record.refund.amount}"
    if record.reply is not None:
        sources = f", {len(record.citations)} citations" if record.citations else ""
        yield f"a reply by {record.drafter}{sources}"
    if record.abstained is not None:
        yield f"no reply: {record.abstained}"


@said_of.register
def _decided(record: Decided) -> Iterator[str]:
    for decision in record.decisions:
        yield _decision(decision)


def _decision(decision: PolicyDecision) -> str:
    rules = ", ".join(f"{reason.rule}/{reason.code}" for reason in decision.reasons)
    policy = decision.policy_version.removeprefix("sha256:")[:SHORT]
    return f"{decision.verdict} by {rules or 'default'} (policy {policy}, {decision.decision_id[:SHORT]})"


@said_of.register
def _card(record: ComposedCard) -> Iterator[str]:
    del record
    yield "the card is drawn"


@said_of.register
def _vote(record: Vote) -> Iterator[str]:
    verb = "approves" if record.kind is VoteKind.APPROVE else "rejects"
    yield f"{record.eligibility.principal[: SHORT + 10]} {verb} exactly what was shown"


@said_of.register
def _approval(record: ApprovalResult) -> Iterator[str]:
    yield f"{record.status} by {len(record.voters)} people"


@said_of.register
def _effect(record: EffectResult) -> Iterator[str]:
    because = f", {record.refusal}" if record.refusal else ""
    yield f"{record.type} {record.state}{because} ({record.key[:SHORT]})"


@said_of.register
def _performed(record: Performed) -> Iterator[str]:
    for effect in record.effects:
        yield from _effect(effect)


@said_of.register
def _handoff(record: PreparedHandoff) -> Iterator[str]:
    yield f"the story is written for a teammate (bundle {record.renderer_version})"
