"""The input of a decision as tables, for people who do not read JSON."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from api import words
from api.words import sentence
from domain.conversation import TextModel
from domain.fact import Money

# How parts of `domain.decision.PolicyInput` are called. What is not here is shown by its own name.
LABELS = {
    "mode": "Mode of the tenant",
    "channel": "Who sees it",
    "requester_known": "The requester has an account",
    "action.type": "Action",
    "action.band": "Risk band",
    "action.amount": "Amount",
    "action.status": "New status",
    "action.tags": "Tags",
    "action.zones": "Knowledge it rests on",
    "action.digest": "Digest of the action",
    "agent.id": "Agent",
    "agent.permission_level": "Permission level of the agent",
    "ticket.intent": "What it seems to be about",
    "ticket.queue": "Queue",
    "ticket.priority": "Priority",
    "ticket.confidence_permille": "Confidence",
    "ticket.signals": "Risk signals",
    "ticket.owner": "Who owned the ticket",
    "ticket.turn": "Turn",
    "order.status": "Status of the order",
    "order.owner_is_requester": "The order is the requester's",
    "order.delivered": "The order was delivered",
    "order.total": "Total of the order",
    "order.refundable": "Left to refund",
    "schema_version": "Version of the input",
    "ticket_id": "Ticket id",
    "tenant_id": "Tenant id",
}
SECTIONS = {
    "action": "The action",
    "order": "The order",
    "ticket": "The ticket",
    "agent": "The agent",
    "": "The situation",
}
AMOUNT = {"minor_units", "currency"}


class Row(TextModel):
    """One labelled value."""

    label: str
    value: str
    is_code: bool = False


class Section(TextModel):
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def told_input(document: Mapping[str, JsonValue]) -> Sequence[Section]:
    """The complete input as tables: nothing that was decided from is left out."""
    rows: dict[str, list[Row]] = {section: [] for section in SECTIONS}
    places = {path: place for place, path in enumerate(LABELS)}
    for path, value in sorted(_leaves(document), key=lambda leaf: places.get(leaf[0], len(places))):
        section = path.partition(".")[0] if "." in path else ""
        rows.setdefault(section, []).append(_row(path, value))
    return [
        Section(title=SECTIONS.get(section, sentence(words.words(section))), rows=tuple(found))
        for section, found in rows.items()
        if found
    ]


def _leaves(value: Mapping[str, JsonValue], path: str = "") -> Iterator[tuple[str, JsonValue]]:
    for name, inner in value.items():
        where = f"{path}.{name}" if path else name
        if isinstance(inner, dict) and set(inner) != AMOUNT:
            yield from _leaves(inner, where)
        else:
            yield where, inner


def _row(path: str, value: JsonValue) -> Row:
    label = LABELS.get(path, sentence(words.words(path.rpartition(".")[2])))
    is_code = path.endswith(("digest", "_id"))
    return Row(label=label, value=_shown(path, value, is_code=is_code), is_code=is_code)


def _shown(path: str, value: JsonValue, *, is_code: bool) -> str:
    if is_code:
        return str(value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if path.endswith("_permille") and isinstance(value, int):
        return f"{value / 10:.1f} %"
    if isinstance(value, list):
        return ", ".join(words.words(entry) for entry in value) or "None"
    return money(value) or ("–" if value is None else sentence(words.words(value)))


def money(value: JsonValue) -> str | None:
    """None for what is no amount."""
    if not isinstance(value, dict) or set(value) != AMOUNT:
        return None
    return str(Money.model_validate(value))
