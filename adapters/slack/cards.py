"""Draws a card as Slack's blocks.

Text of customers and drafts is shown as text: `& < >` are escaped, nothing pings, nothing becomes a link,
invisible characters are dropped. Long texts go on in further blocks, because a yes is for what was seen.
"""

import json
import re
import unicodedata
from collections.abc import Iterator

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    InputBlock,
    MarkdownTextObject,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
)

from domain.card import Card, CardField, CardKind

APPROVE = "approval-approve"
REJECT = "approval-reject"
REASON_BLOCK = "reason"
REASON_ACTION = "approval-reason"

# Slack's limits. Sections stay below theirs to leave room for quote marks.
HEADER_LENGTH = 150
SECTION_LENGTH = 2900
FIELD_LENGTH = 1900
FIELDS_PER_SECTION = 10
FIELDS = 20
QUOTED_SECTIONS = 8
CONTEXT_LENGTH = 1900
CONFIRM_LENGTH = 290
FALLBACK_LENGTH = 400
REASON_LENGTH = 1000

ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
WORD_JOINER = "\u2060"
PINGS = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
LINKS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=mailto)(?=:)", re.IGNORECASE)
INVISIBLE = frozenset({"Cc", "Cf", "Cs"})


def blocks_of(card: Card) -> list[dict[str, object]]:
    """Every block of the card, checked against slack_sdk's own limits."""
    return [block.to_dict() for block in _blocks(card)]


def _blocks(card: Card) -> Iterator[Block]:
    if card.kind is CardKind.NOTICE:
        yield _section(f"*{mrkdwn(card.title, 300)}*\n{mrkdwn(card.body, SECTION_LENGTH - 310)}")
        return
    yield from _head(card)
    yield from _quote(card.quote)
    yield from _footer(card.footer)
    yield from _buttons(card)


def fallback_of(card: Card) -> str:
    """The line for notifications and screen readers."""
    return mrkdwn(f"{card.title}: {card.body}" if card.body else card.title, FALLBACK_LENGTH)


def mrkdwn(text: str, limit: int = SECTION_LENGTH) -> str:
    """`text` as Slack will show it, letter by letter; shortened so that no escape is cut in two."""
    written: list[str] = []
    length = 0
    for character in visible(text):
        escaped = ESCAPES.get(character, character)
        length += len(escaped)
        if length > limit - 1:
            return "".join(written) + "…"
        written.append(escaped)
    return "".join(written)


def visible(text: str) -> str:
    """Without invisible and direction-changing characters; pings and links are broken by a word joiner."""
    seen = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in INVISIBLE)
    return LINKS.sub(WORD_JOINER, PINGS.sub("@" + WORD_JOINER, seen))


def _head(card: Card) -> Iterator[Block]:
    yield HeaderBlock(text=plain(card.title, HEADER_LENGTH))
    if card.body:
        yield _section(mrkdwn(card.body))
    shown = [_field(field) for field in card.fields[:FIELDS]]
    for start in range(0, len(shown), FIELDS_PER_SECTION):
        yield SectionBlock(fields=shown[start : start + FIELDS_PER_SECTION])


def _quote(text: str) -> Iterator[Block]:
    pieces = list(_pieces(text))
    for piece in pieces[:QUOTED_SECTIONS]:
        yield _section("\n".join(f"> {line}" for line in piece.split("\n")))
    if len(pieces) > QUOTED_SECTIONS:
        yield _context("The text goes on; read the rest in the helpdesk before you answer.")


def _pieces(text: str) -> Iterator[str]:
    """Escaped pieces that fit a section with a quote mark before each line."""
    piece: list[str] = []
    length = 0
    for character in visible(text.strip()):
        escaped = ESCAPES.get(character, character)
        cost = len(escaped) + (2 if character == "\n" else 0)
        if length + cost > SECTION_LENGTH:
            yield "".join(piece)
            piece, length = [], 0
        piece.append(escaped)
        length += cost
    if piece:
        yield "".join(piece)


def _footer(text: str) -> Iterator[Block]:
    if text:
        yield _context(mrkdwn(text, CONTEXT_LENGTH))


def _buttons(card: Card) -> Iterator[Block]:
    if card.kind is not CardKind.APPROVAL:
        return
    yield InputBlock(
        block_id=REASON_BLOCK,
        label="Reason (needed to reject)",
        optional=True,
        element=PlainTextInputElement(action_id=REASON_ACTION, multiline=True, max_length=REASON_LENGTH),
    )
    yield ActionsBlock(block_id=f"approval:{card.approval_id}:{card.revision}", elements=_pair(card))


def _pair(card: Card) -> list[ButtonElement]:
    value = button_value(card)
    approve = ButtonElement(text="Approve", action_id=APPROVE, value=value, style="primary")
    approve.confirm = ConfirmObject(
        title="Approve this?", text=plain(card.title, CONFIRM_LENGTH), confirm="Approve", deny="Go back"
    )
    return [approve, ButtonElement(text="Reject", action_id=REJECT, value=value, style="danger")]


def button_value(card: Card) -> str:
    """What a click carries: which approval, as it was shown. Never an amount, a name or a text."""
    if card.approval_id is None or card.digest is None:
        raise ValueError("An approval card needs its approval and digest")
    return json.dumps({"a": card.approval_id, "r": card.revision, "d": card.digest})


def plain(text: str, limit: int) -> PlainTextObject:
    """Slack parses nothing in plain text, not even emoji names."""
    shown = visible(text).replace("\n", " ").strip() or "-"
    return PlainTextObject(text=shown if len(shown) <= limit else shown[: limit - 1] + "…", emoji=False)


def _field(field: CardField) -> MarkdownTextObject:
    text = f"*{mrkdwn(field.label, 100)}*\n{mrkdwn(field.value or '-', FIELD_LENGTH - 110)}"
    return MarkdownTextObject(text=text, verbatim=True)


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True))


def _context(text: str) -> ContextBlock:
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])
