"""Blocks that Slack refuses are refused: each limit and its neighbour."""

import pytest

from emulators.slack_blocks import faults_of

Json = dict[str, object]


def text(length: int = 1, type: str = "plain_text") -> Json:
    return {"type": type, "text": "x" * length}


def button(**changes: object) -> Json:
    return {"type": "button", "action_id": "a", "text": text(), **changes}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def field(**changes: object) -> Json:
    element = {"type": "plain_text_input", "action_id": "r", **changes}
    return {"type": "input", "label": text(), "element": element}


CONFIRM = {"title": text(), "text": text(type="mrkdwn"), "confirm": text(), "deny": text()}
GOOD: list[Json] = [
    {"type": "header", "text": text(150)},
    {"type": "section", "text": text(3000, "mrkdwn")},
    {"type": "section", "fields": [text(2000)] * 10},
    {"type": "context", "elements": [text()] * 10},
    {"type": "divider"},
    actions(button(text=text(75), value="v" * 2000, style="danger", confirm=CONFIRM)),
    actions(*[button(action_id=str(n)) for n in range(25)]),
    field(multiline=True, placeholder=text(150)),
]
BAD: list[object] = [
    "not an object",
    {"type": "carousel"},
    {"type": "header", "text": text(151)},
    {"type": "header", "text": text(1, "mrkdwn")},
    {"type": "header", "text": text(0)},
    {"type": "section"},
    {"type": "section", "text": text(3001, "mrkdwn")},
    {"type": "section", "text": "only a string"},
    {"type": "section", "fields": [text()] * 11},
    {"type": "section", "fields": [text(2001)]},
    {"type": "context", "elements": [text()] * 11},
    {"type": "context", "elements": []},
    {"type": "divider", "block_id": "b" * 256},
    actions(),
    actions(*[button(action_id=str(n)) for n in range(26)]),
    actions(button(), button()),
    actions(button(text=text(76))),
    actions(button(value="v" * 2001)),
    actions(button(action_id="a" * 256)),
    actions(button(action_id="")),
    actions(button(style="loud")),
    actions(button(confirm={**CONFIRM, "title": text(101)})),
    actions(button(confirm={"title": text()})),
    actions({"type": "overflow", "action_id": "o"}),
    field(placeholder=text(151)),
    {"type": "input", "element": {"type": "plain_text_input", "action_id": "r"}},
]


@pytest.mark.parametrize("block", GOOD)
def test_block_within_the_limits_is_accepted(block: Json) -> None:
    assert faults_of([block]) == []


@pytest.mark.parametrize("block", BAD)
def test_block_beyond_the_limits_is_refused(block: object) -> None:
    assert faults_of([block])


@pytest.mark.parametrize(("count", "refused"), [(50, False), (51, True)])
def test_fifty_blocks_are_the_most(count: int, refused: bool) -> None:  # noqa: FBT001 - a column of the table
    assert bool(faults_of([{"type": "divider"}] * count)) is refused


def test_block_ids_must_differ() -> None:
    assert faults_of([{"type": "divider", "block_id": "same"}] * 2)


def test_blocks_must_be_a_list() -> None:
    assert faults_of({"type": "divider"})
