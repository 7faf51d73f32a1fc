"""Refuses the blocks that Slack refuses. Limits: https://docs.slack.dev/reference/block-kit/blocks"""

import json
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

Json = dict[str, Any]
MOST_BLOCKS = 50
ELEMENTS = {"actions": frozenset({"button"}), "input": frozenset({"plain_text_input"})}
# slack_sdk's models do not look into elements, so these limits are ours to keep.
ELEMENT_LIMITS = {"action_id": 255, "value": 2000, "url": 3000, "initial_value": 3000}
CONFIRM_LIMITS = {"title": 100, "text": 300, "confirm": 30, "deny": 30}


def faults_of(blocks: object) -> list[str]:
    """What is wrong, in Slack's manner; empty when nothing is."""
    if not isinstance(blocks, list):
        return ["must be an array"]
    if len(blocks) > MOST_BLOCKS:
        return [f"no more than {MOST_BLOCKS} items allowed [json-pointer:/blocks]"]
    found = [
        f"{fault} [json-pointer:/blocks/{n}]" for n, block in enumerate(blocks) for fault in _of_block(block)
    ]
    named = [block.get("block_id") for block in blocks if isinstance(block, dict) and block.get("block_id")]
    if len(named) != len(set(named)):
        found.append("`block_id` must be unique [json-pointer:/blocks]")
    return found


def with_block_ids(blocks: list[Json], ts: str) -> list[Json]:
    """Slack names the blocks that have no name."""
    return [
        {**block, "block_id": block.get("block_id") or f"{ts[-4:]}{n:02d}"} for n, block in enumerate(blocks)
    ]


def _of_block(block: object) -> list[str]:
    if not isinstance(block, dict) or block.get("type") not in CHECKS:
        return ["unsupported type or not an object"]
    if len(str(block.get("block_id", ""))) > 255:
        return ["`block_id` is longer than 255 characters"]
    model = _model_faults(block)
    if model:
        return model
    return CHECKS[block["type"]](block)


def _model_faults(block: Json) -> list[str]:
    # The models change what they are given, so they get a copy.
    try:
        for parsed in Block.parse_all([json.loads(json.dumps(block))]):
            parsed.validate_json()
    except (SlackObjectFormationError, TypeError, ValueError, AttributeError, KeyError) as error:
        return [f"failed to match the schema: {error}"]
    return []


def _header(block: Json) -> list[str]:
    return _text(block.get("text"), 150, ("plain_text",))


def _divider(_block: Json) -> list[str]:
    return []


def _section(block: Json) -> list[str]:
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        return ["a section needs `text` or `fields`"]
    if "accessory" in block:
        return ["`accessory` is not supported by this emulator"]
    if fields is not None and (not isinstance(fields, list) or not 0 < len(fields) <= 10):
        return ["1 to 10 `fields` allowed"]
    found = _text(block["text"], 3000) if block.get("text") is not None else []
    return found + [fault for field in fields or [] for fault in _text(field, 2000)]


def _context(block: Json) -> list[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 0 < len(elements) <= 10:
        return ["1 to 10 `elements` allowed"]
    return [fault for element in elements for fault in _text(element, 3000)]


def _actions(block: Json) -> list[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 0 < len(elements) <= 25:
        return ["1 to 25 `elements` allowed"]
    found = [fault for element in elements for fault in _element("actions", element)]
    ids = [element.get("action_id") for element in elements if isinstance(element, dict)]
    return found if len(ids) == len(set(ids)) else [*found, "`action_id` must be unique in its block"]


def _input(block: Json) -> list[str]:
    return _text(block.get("label"), 2000, ("plain_text",)) + _element("input", block.get("element"))


def _element(home: str, element: object) -> list[str]:
    if not isinstance(element, dict) or element.get("type") not in ELEMENTS[home]:
        return ["unsupported element"]
    found = [
        f"`{name}` is longer than {limit} characters"
        for name, limit in ELEMENT_LIMITS.items()
        if len(str(element.get(name, ""))) > limit
    ]
    if not element.get("action_id"):
        found.append("an element needs an `action_id`")
    if element["type"] == "plain_text_input":
        return (
            found
            if "placeholder" not in element
            else found + _text(element["placeholder"], 150, ("plain_text",))
        )
    return found + _button(element)


def _button(button: Json) -> list[str]:
    found = _text(button.get("text"), 75, ("plain_text",))
    if button.get("style") not in {None, "primary", "danger"}:
        found.append("`style` is primary or danger")
    confirm = button.get("confirm")
    if confirm is None:
        return found
    if not isinstance(confirm, dict):
        return [*found, "`confirm` must be an object"]
    return found + [
        fault for name, limit in CONFIRM_LIMITS.items() for fault in _text(confirm.get(name), limit)
    ]


def _text(text: object, limit: int, types: tuple[str, ...] = ("plain_text", "mrkdwn")) -> list[str]:
    if not isinstance(text, dict) or text.get("type") not in types or not isinstance(text.get("text"), str):
        return [f"a text of type {' or '.join(types)} is needed"]
    if not text["text"]:
        return ["a text must not be empty"]
    return [f"a text is longer than {limit} characters"] if len(text["text"]) > limit else []


CHECKS = {
    "header": _header,
    "section": _section,
    "context": _context,
    "divider": _divider,
    "actions": _actions,
    "input": _input,
}
