"""The context bundle as a teammate reads it. Pure: the same records give the same bytes."""

from collections.abc import Iterator

from activities.cards import REASON_SENTENCES, why, words
from domain.action import ActionType
from domain.effect import EffectResult
from domain.fact import Facts, OrderFact
from domain.handoff import HandoffFacts
from domain.model import Version
from domain.placeholder import in_words

# Raise it with every change of the bytes below; older bundles keep the version they were made with.
RENDERER_VERSION: Version = "1"
LONGEST_REQUEST = 8000


def bundle_text(facts: HandoffFacts, request: str, rejection: str = "") -> str:
    """The whole story of a turn, for the private note."""
    sections = [
        _section("Why this is yours", [REASON_SENTENCES[facts.reason] + "."]),
        _section("What the customer asks", [in_words(request)[:LONGEST_REQUEST]] if request else []),
        _section("What it seems to be about", _triage(facts)),
        _section("Facts", _facts(facts.facts)),
        _section("Sources", [f"passage {c.passage_id}, version {c.version}" for c in facts.citations]),
        _section("Decisions", [why(decision) for decision in facts.decisions]),
        _section("Approval", _approval(facts, rejection)),
        _section("What was done", [*_acknowledged(facts), *map(_effect, facts.effects)]),
    ]
    return "\n\n".join(["Handed over by Countersign", *filter(None, sections), f"Bundle {RENDERER_VERSION}"])


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"- {line}" for line in lines)]) if lines else ""


def _triage(facts: HandoffFacts) -> list[str]:
    triage = facts.triage
    if triage is None:
        return []
    signals = ", ".join(words(signal) for signal in triage.signals) or "none"
    sure = f"{triage.confidence_permille / 10:.0f} %"
    return [
        f"Intent {words(triage.intent)} ({sure} sure), queue {words(triage.queue)}",
        f"Priority {triage.priority}, sentiment {triage.sentiment}, signals: {signals}",
    ]


def _facts(facts: Facts | None) -> list[str]:
    if facts is None:
        return []
    known = "The requester has an account" if facts.requester_known else "The requester has no account"
    return [f"{known} (as of {facts.as_of:%Y-%m-%d %H:%M} UTC)", *_orders(facts)]


def _orders(facts: Facts) -> Iterator[str]:
    for order in facts.orders:
        if order.mentioned:
            yield _order(order)


def _order(order: OrderFact) -> str:
    whose = "the requester's" if order.owner_is_requester else "not the requester's"
    return f"Mentioned order: {order.status}, {order.total}, refundable {order.refundable}, {whose}"


def _approval(facts: HandoffFacts, rejection: str) -> list[str]:
    if facts.approval is None:
        return []
    return [words(facts.approval).capitalize(), *([f"Reason: {in_words(rejection)}"] if rejection else [])]


def _acknowledged(facts: HandoffFacts) -> Iterator[str]:
    if facts.acknowledgement is not None:
        yield f"The customer was told that a person will answer: {facts.acknowledgement.state}"


def _effect(effect: EffectResult) -> str:
    because = f" ({words(effect.refusal)})" if effect.refusal else ""
    return f"{words(ActionType(effect.type)).capitalize()}: {effect.state}{because}"
