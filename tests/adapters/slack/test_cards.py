import json
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from adapters.slack.cards import WORD_JOINER, blocks_of, button_value, fallback_of, mrkdwn
from domain.card import Card, CardField, CardKind
from emulators.slack_blocks import faults_of

APPROVAL = Card(
    kind=CardKind.APPROVAL,
    title="Refund 49.90 EUR",
    body="The lamp came broken.",
    quote="Hello,\nwe pay you back.",
    fields=(CardField(label="Order", value="ending …802"),),
    footer="Answer by tomorrow noon",
    approval_id="apr_" + "a" * 32,
    tenant="5f0c2f6e-7a43-4c1b-9d25-0c1c5f6a7b10",
    revision=3,
    digest="sha256:" + "b" * 64,
)


def types(card: Card) -> list[object]:
    return [block["type"] for block in blocks_of(card)]


def everything(card: Card) -> str:
    return json.dumps(blocks_of(card), ensure_ascii=False)


def test_approval_has_text_then_reason_then_buttons() -> None:
    assert types(APPROVAL) == ["header", "section", "section", "section", "context", "input", "actions"]


def test_buttons_carry_approval_revision_and_digest_and_nothing_else() -> None:
    [actions] = [block for block in blocks_of(APPROVAL) if block["type"] == "actions"]
    approve, reject = json.loads(json.dumps(actions["elements"]))

    assert json.loads(approve["value"]) == {"a": APPROVAL.approval_id, "r": 3, "d": APPROVAL.digest}
    assert approve["value"] == reject["value"]
    assert (approve["action_id"], approve["style"]) == ("approval-approve", "primary")
    assert (reject["action_id"], reject["style"]) == ("approval-reject", "danger")


def test_approving_money_asks_once_more() -> None:
    [actions] = [block for block in blocks_of(APPROVAL) if block["type"] == "actions"]
    approve, reject = json.loads(json.dumps(actions["elements"]))

    assert "49.90 EUR" in approve["confirm"]["text"]["text"]
    assert "confirm" not in reject


def test_reason_field_has_the_names_that_the_door_reads() -> None:
    [field] = [block for block in blocks_of(APPROVAL) if block["type"] == "input"]

    assert field["block_id"] == "reason"
    assert json.loads(json.dumps(field["element"]))["action_id"] == "approval-reason"


@pytest.mark.parametrize("kind", [CardKind.CLOSED, CardKind.HANDOFF, CardKind.NOTICE])
def test_only_a_waiting_approval_has_buttons(kind: CardKind) -> None:
    assert not {"actions", "input"} & set(types(APPROVAL.model_copy(update={"kind": kind})))


def test_approval_without_its_digest_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="digest"):
        button_value(APPROVAL.model_copy(update={"digest": None}))


def parsed_texts(block: dict[str, Any]) -> list[str]:
    parts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
    return [part["text"] for part in parts if part and part["type"] == "mrkdwn"]


LONG = {
    "letters": "x" * 100_000,
    "escapes": "<&>" * 20_000,
    "lines": "a\n" * 20_000,
    "words": "All is well. " * 5_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_no_length_breaks_a_limit_of_slack(text: str) -> None:
    fields = tuple(CardField(label=text, value=text) for _ in range(40))
    long = APPROVAL.model_copy(
        update={"title": text, "body": text, "quote": text, "footer": text, "fields": fields}
    )

    for card in (long, long.model_copy(update={"kind": CardKind.NOTICE})):
        blocks = json.loads(everything(card))
        for block in Block.parse_all(blocks):
            block.validate_json()
        assert faults_of(json.loads(everything(card))) == []


def test_nothing_at_all_is_still_a_message() -> None:
    empty = Card(kind=CardKind.HANDOFF, title="", fields=(CardField(label="", value=""),))

    assert faults_of(json.loads(everything(empty))) == []


def test_draft_of_ten_thousand_letters_is_shown_whole() -> None:
    draft = "".join(f"{number:04d} " for number in range(2000))

    quoted = [
        block["text"]["text"]
        for block in json.loads(everything(APPROVAL.model_copy(update={"quote": draft})))
        if block["type"] == "section" and "text" in block
    ]

    assert "".join(text.removeprefix("> ") for text in quoted[1:]) == draft.strip()


def test_text_beyond_what_is_shown_says_so() -> None:
    blocks = everything(APPROVAL.model_copy(update={"quote": "x" * 100_000}))

    assert "The text goes on" in blocks


ATTACKS = {
    "<!channel>": "&lt;!channel&gt;",
    "<@U0NORA>": "&lt;@U0NORA&gt;",
    "<https://evil.test|our site>": f"&lt;https:{WORD_JOINER}//evil.test|our site&gt;",
    "@here @Channel @everyone": f"@{WORD_JOINER}here @{WORD_JOINER}Channel @{WORD_JOINER}everyone",
    "www.evil.test": f"www{WORD_JOINER}.evil.test",
    "mailto:x@evil.test": f"mailto{WORD_JOINER}:x@evil.test",
    "a & b": "a &amp; b",
    "&amp;": "&amp;amp;",
    "pay \u202e005 EUR": "pay 005 EUR",
    "zero\u200bwidth\x00": "zerowidth",
    "lone \ud800 half": "lone  half",
}


@pytest.mark.parametrize(("text", "shown"), ATTACKS.items(), ids=[f"attack {n}" for n in range(len(ATTACKS))])
def test_text_cannot_ping_link_or_hide(text: str, shown: str) -> None:
    assert mrkdwn(text) == shown
    card = APPROVAL.model_copy(
        update={"title": text, "body": text, "quote": text, "fields": (CardField(label=text, value=text),)}
    )
    parsed = [part for block in json.loads(everything(card)) for part in parsed_texts(block)]
    assert len(parsed) == 4
    assert not any(mark in part for part in parsed for mark in ("<", "\u202e", "://", "@here"))
    assert fallback_of(card).startswith(shown)


def test_shortening_never_cuts_an_escape() -> None:
    assert mrkdwn("&&&&", limit=12) == "&amp;&amp;…"


def test_text_is_never_parsed_by_slack() -> None:
    for block in json.loads(everything(APPROVAL)):
        for part in [block.get("text"), *block.get("fields", []), *block.get("elements", [])]:
            if part and part["type"] == "mrkdwn":
                assert part["verbatim"] is True
