"""Random changes of a policy, one kind each."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import effective
from domain.errors import BundleRefused
from tests.adapters.policy.stricter_documents import (
    AGENTS,
    ARGUMENTS,
    LISTS,
    Document,
    a_document,
    a_special_rule,
    limits,
    terms,
)
from tests.adapters.policy.test_levels import _condition as any_condition
from tests.adapters.policy.test_levels import _rule as any_rule

Levels = dict[Level, Bundle]


def _one(dice: random.Random, document: Document, name: str | None = None) -> Document | None:
    rules = [rule for rule in document["rules"] if name is None or name in rule]
    return dice.choice(rules) if rules else None


def a_rule_less(dice: random.Random, document: Document) -> None:
    if document["rules"]:
        document["rules"].remove(dice.choice(document["rules"]))


def a_rule_more(dice: random.Random, document: Document) -> None:
    made = dice.choice([any_rule, a_special_rule])(dice)
    place = dice.randint(0, len(document["rules"]))
    document["rules"].insert(place, {**made, "id": f"more_{dice.randint(0, 10**6)}"})


def the_order(dice: random.Random, document: Document) -> None:
    dice.shuffle(document["rules"])


def a_name(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document)
    if rule is not None:
        rule["id"] = dice.choice([f"named_{dice.randint(0, 10**6)}", "default", "assist_mode_asks"])


def a_primitive(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document)
    if rule is not None:
        made = {
            name: said
            for name, said in dice.choice([any_rule, a_special_rule])(dice).items()
            if name != "when"
        }
        kept = {name: said for name, said in rule.items() if dice.random() < 0.5 or name in {"id", "when"}}
        rule.clear()
        rule.update({**kept, **made})


def a_list(dice: random.Random, document: Document) -> None:
    name = dice.choice([*LISTS])
    rule = _one(dice, document, name)
    if rule is not None:
        rule[name] = dice.sample(LISTS[name], dice.randint(0, len(LISTS[name])))


def a_limit(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document, "threshold")
    if rule is not None:
        kept = rule["threshold"]
        rule["threshold"] = {**kept, **limits(dice)}
        if dice.random() < 0.2:
            rule["threshold"]["amount"] = "order.refundable"
        if dice.random() < 0.2 and "actions" in rule["when"]:
            rule["threshold"] |= {"per": dice.choice(["tenant", "customer"]), "within": "1h"}


def a_rate(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document, "rate")
    if rule is not None:
        changed: Document = {"at_most": dice.randint(0, 4), "above": dice.choice(["deny", "approval_needed"])}
        rule["rate"] |= dict([dice.choice([*changed.items()])])
        if dice.random() < 0.1:
            rule["rate"]["per"] = "customer"


def some_hours(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document, "hours")
    if rule is not None:
        changed: Document = {
            "open": dice.choice(
                [
                    {"weekdays": ["10:00-12:00"]},
                    {"daily": ["23:00-05:00", "10:00-11:00"]},
                    {"sunday": ["08:00-24:00"]},
                ]
            ),
            "holidays": dice.choice([[], ["2026-11-24"], ["2026-11-22", "2026-11-24"]]),
            "outside": dice.choice(["deny", "approval_needed"]),
            "zone": dice.choice(["UTC", "Europe/Berlin"]),
        }
        rule["hours"] |= dict([dice.choice([*changed.items()])])


def a_requirement(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document, "require")
    if rule is not None:
        (first, *rest) = rule["require"]
        both = {"all": [first["condition"], any_condition(dice, 0)]}
        either = {"any": [first["condition"], any_condition(dice, 0)]}
        changed = {**first, "condition": dice.choice([both, both, either, any_condition(dice, 1)])}
        rule["require"] = [
            dice.choice([changed, {**first, "otherwise": dice.choice(["deny", "approval_needed"])}]),
            *rest,
        ]


def a_condition(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document)
    if rule is None:
        return
    when, kept = rule["when"], rule["when"].get("condition")
    fresh = any_condition(dice, 1)
    choices: list[Any] = [None, fresh, {"not": fresh}]
    if kept is not None:
        choices += [{"all": [kept, fresh]}, {"any": [kept, fresh]}, {"not": kept}, _nudged(dice, kept)]
    when.pop("condition", None)
    chosen = dice.choice(choices)
    if chosen is not None:
        when["condition"] = chosen


def _nudged(dice: random.Random, said: Any) -> Any:
    """The same with another number, word or list here and there."""
    if isinstance(said, bool):
        return said
    if isinstance(said, int):
        return said + dice.choice([-1, 0, 1])
    if isinstance(said, dict):
        changed = {
            name: part if name in {"field", "matches"} else _nudged(dice, part) for name, part in said.items()
        }
        return changed if "between" not in changed else {**changed, "between": sorted(changed["between"])}
    if isinstance(said, list):
        words = all(isinstance(part, str) for part in said)
        more = (
            [dice.choice(["internal", "injection", "high", "low"])] if words and dice.random() < 0.4 else []
        )
        kept = [part for part in said if dice.random() < 0.7] or said[:1] if words else said
        return [_nudged(dice, part) for part in kept] + more
    return dice.choice(["20.00", "50.00", "60.00"]) if said == "50.00" else said


def a_nudge(dice: random.Random, document: Document) -> None:
    """A condition's numbers and words."""
    rules = [rule for rule in document["rules"] if "condition" in rule["when"]]
    if rules:
        when = dice.choice(rules)["when"]
        when["condition"] = _nudged(dice, when["condition"])


def when_actions(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document)
    if rule is not None and "rate" not in rule and "per" not in rule.get("threshold", {}):
        rule["when"].pop("actions", None)
        if dice.random() < 0.8:
            rule["when"]["actions"] = dice.sample(["reply", "private_note", "set_status", "grant_credit"], 2)


def when_channels(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document)
    if rule is not None:
        rule["when"].pop("channels", None)
        if dice.random() < 0.6:
            rule["when"]["channels"] = dice.choice([["public"], ["internal"], ["public", "internal"]])


def the_default(dice: random.Random, document: Document) -> None:
    document["default"] = dice.choice(["deny", "approval_needed"])


def the_approval(dice: random.Random, document: Document) -> None:
    kept, changed = document.pop("approval", {}), terms(dice)
    part = dict([dice.choice([*changed.items()])])
    if dice.random() < 0.8:
        document["approval"] = {**kept, **part} if "approver_groups" in kept else changed


def own_terms(dice: random.Random, document: Document) -> None:
    rule = _one(dice, document, "require_approval")
    if rule is not None:
        kept, changed = rule["require_approval"], terms(dice)
        part = dict([dice.choice([*changed.items()])])
        rule["require_approval"] = dice.choice([{}, changed, {**kept, **part} if kept else changed])


def the_agents(dice: random.Random, document: Document) -> None:
    document.pop("agents", None)
    agents: Document = json.loads(json.dumps(AGENTS))
    one = agents[dice.choice([*agents])]
    changed: Document = {
        "permission_level": dice.choice(["draft", "execute_with_approval"]),
        "actions": dice.choice([["reply"], ["reply", "grant_credit"]]),
        "parent": "lead",
    }
    for name in dice.sample([*changed], dice.randint(0, 1)):
        one[name] = changed[name]
    one.pop(dice.choice(["actions", "parent", "x", "x"]), None)
    if dice.random() < 0.8:
        document["agents"] = (
            agents if dice.random() < 0.7 else {"support_agent": {"permission_level": "execute"}}
        )
    document["max_chain"] = dice.choice([1, 2, 3])


def the_arguments(dice: random.Random, document: Document) -> None:
    if "actions" not in document:
        return
    arguments: Document = json.loads(json.dumps(ARGUMENTS))
    changed: Document = {
        "reason": dice.choice([{"type": "word"}, {"type": "word", "values": ["late"]}]),
        "count": {"type": "integer", "least": dice.randint(0, 2), "most": dice.randint(2, 4)},
        "notify": dice.choice([{"type": "flag"}, {"type": "word", "optional": True}]),
    }
    for name in dice.sample([*changed], 1):
        arguments[name] = changed[name]
    if dice.random() < 0.2:
        arguments.pop(dice.choice([*arguments]))
    document["actions"]["grant_credit"]["arguments"] = arguments if dice.random() < 0.9 else {}


def a_declaration(dice: random.Random, document: Document) -> None:
    actions = document.setdefault("actions", {})
    actions["launch"] = {"band": dice.choice(["low", "high"])}
    if dice.random() < 0.3:
        document["rules"].append(
            {"id": f"no_{dice.randint(0, 10**6)}", "when": {"actions": ["launch"]}, "deny": True}
        )


Edit = Callable[[random.Random, Document], None]
EDITS: tuple[Edit, ...] = (
    a_rule_less, a_rule_more, the_order, a_name, a_primitive, a_list, a_limit, a_rate, some_hours,
    a_requirement, a_condition, a_nudge, when_actions, when_channels, the_default, the_approval,
    own_terms, the_agents, the_arguments, a_declaration,
)  # fmt: skip


def a_change(dice: random.Random, edits: tuple[Edit, ...] = EDITS) -> tuple[Levels, Levels]:
    """One or more levels, and the same after one or two edits; a level may come or go."""
    while True:
        before = {level: a_document(dice) for level in Level if level is Level.TENANT or dice.random() < 0.25}
        after: dict[Level, Document] = json.loads(json.dumps(before))
        after = {Level(level): document for level, document in after.items()}
        for _ in range(dice.choice([1, 1, 1, 2])):
            dice.choice(edits)(dice, after[dice.choice([*after])])
        if edits is EDITS and dice.random() < 0.1:
            side = dice.choice([before, after])
            side[Level.ORGANISATION] = a_document(dice)
        try:
            return _read(before), _read(after)
        except (BundleRefused, ValidationError):
            continue


def _read(levels: Mapping[Level, Document]) -> Levels:
    read = {
        level: Bundle.model_validate_json(json.dumps(levels[level])) for level in Level if level in levels
    }
    effective(read)  # compiles, or says why not
    return read
