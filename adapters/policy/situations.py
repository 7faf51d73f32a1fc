"""Inputs made for a policy: for each rule some that it matches, around its limits and with gaps."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.policy.bundle import PRIMITIVES
from adapters.policy.effective import Effective
from adapters.policy.reading import at
from adapters.policy.truth import truth
from adapters.policy.witnesses import TYPICAL, Document, meet, put

TENANT, OTHER_TENANT = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - gets the zone of each rule's hours
PLENTY = {"minor_units": 10**12, "currency": "EUR"}
LEVELS = ("read", "draft", "execute_with_approval", "execute")
MOST = 4000  # inputs for one policy
MOST_COMPARISONS = 500_000  # some ten seconds of them
ACTIONS_OF_A_RULE = 4
CONTRARY: Mapping[str, Any] = {"flag": False, "list": [], "integer": 0}
Change = Callable[[Document], None]


class Situation(NamedTuple):
    """An input that a rule is tried with."""

    rule: str
    document: str


def situations(policy: Effective) -> Iterator[Situation]:
    """For every rule one that it matches, then others of each; the same for the same policy.

    A policy whose answers take longer gets fewer of them.
    """
    rules: Any = policy.document["rules"]
    yield from _matching(policy, rules)
    each = _affordable(policy, rules) // max(1, len(rules))
    for place, rule in enumerate(rules):
        for document in islice(_of_rule(policy, place, rule), 1, max(1, each)):
            yield Situation(rule["id"], json.dumps(document))


def _matching(policy: Effective, rules: Any) -> Iterator[Situation]:
    """An input often matches several rules, which then need none of their own."""
    waiting = {*range(len(rules))}
    for place, rule in enumerate(rules):
        if place not in waiting:
            continue
        document = next(_of_rule(policy, place, rule))
        yield Situation(rule["id"], json.dumps(document))
        looked_at = [*places_about(policy, document["action"]["type"])]
        matched = {other for other in looked_at if truth(rules[other].get("when"), document)[0]}
        waiting -= {place} | matched


def places_about(policy: Effective, action: str) -> Iterator[int]:
    """The rules that an action is looked at by, in any level."""
    levels: Any = policy.document["levels"]
    for level in levels:
        yield from level["rules_of"].get(action, ())
        yield from level["rules_of"].get("*", ())


def _affordable(policy: Effective, rules: Any) -> int:
    declared: Any = policy.document["declared"]
    longest = max(
        sum(1 + _size(rules[place]) for place in places_about(policy, action)) for action in declared
    )
    return min(MOST, MOST_COMPARISONS // max(1, longest))


def _size(rule: Any) -> int:
    return sum(len(clause) for clause in rule.get("when", ()))


def complete(policy: Effective, action: str) -> Document:
    """An input in which nothing is missing that this action needs."""
    declared: Any = policy.document["declared"]
    document: Document = {
        "schema_version": 2,
        "tenant_id": TENANT,
        "ticket_id": OTHER_TENANT,
        "mode": "automate",
        "channel": "public",
        "at": "2026-03-04T10:00:00Z",
        "purpose": "support",
        "identity": {"verified": True, "evidence": []},
        "consent": {"given": True, "evidence": []},
        "residency": {"model_region": "eu", "storage_region": "eu"},
        "counters": {counter.key: {"count": 0, "amounts": {}} for counter in policy.counters_of(action)},
        "facts": {},
        "action": {
            "type": action,
            "band": declared.get(action, {"band": "high"})["band"],
            "amount": {"minor_units": 100, "currency": "EUR"},
            "zones": ["public"],
            "resource_tenant_id": TENANT,
            "arguments": _arguments(policy, action),
        },
        "agent": {"id": "support_agent", "permission_level": "execute", "chain": []},
        "ticket": {"owner": "automation", "turn": 0, "signals": []},
        "requester_known": True,
        "order": {"status": "delivered", "owner_is_requester": True, "delivered": True},
    }
    document["order"] |= {"total": PLENTY, "refundable": PLENTY}
    _send_agent(policy, document)
    _fulfil(policy, action, document)
    return document


def _fulfil(policy: Effective, action: str, document: Document) -> None:
    """Makes true what rules about the action require, and known what they ask."""
    rules: Any = policy.document["rules"]
    for place in places_about(policy, action):
        for requirement in rules[place].get("require", ()):
            meet(document, requirement["when"][0])
        for literal in (literal for clause in rules[place].get("when", ()) for literal in clause):
            if at(document, *literal["path"]) is None:
                put(document, literal["path"], TYPICAL[literal["type"]])


def _send_agent(policy: Effective, document: Document) -> None:
    levels: Any = policy.document["levels"]
    agents: Mapping[str, Any] = next((level["agents"] for level in levels if "agents" in level), {})
    first = ((name, agent) for name, agent in agents.items() if "parent" not in agent)
    ranked = sorted(first, key=lambda each: LEVELS.index(each[1]["permission_level"]), reverse=True)
    for name, agent in ranked[:1]:
        document["agent"] |= {"id": name, "permission_level": agent["permission_level"]}


def _arguments(policy: Effective, action: str) -> Document:
    levels: Any = policy.document["levels"]
    schema = {name: each for level in levels for name, each in level["arguments"].get(action, {}).items()}
    return {name: _argument(each) for name, each in schema.items()}


def _argument(schema: Any) -> Any:
    match schema["type"]:
        case "text":
            return schema.get("values", [TYPICAL["text"]])[0]
        case "integer":
            return schema.get("least", min(1, schema.get("most", 1)))
        case "list":
            return [f"id_{number}" for number in range(max(schema.get("least", 1), 0))]
        case kind:
            return TYPICAL[kind]


def _of_rule(policy: Effective, place: int, rule: Any) -> Iterator[Document]:
    for action in islice(_actions(policy, place, rule), ACTIONS_OF_A_RULE):
        start = complete(policy, action)
        for clause in rule.get("when", [[]]):
            matched = copy.deepcopy(start)
            meet(matched, clause)
            yield matched
            for changes in _variants(rule, action):
                varied = copy.deepcopy(matched)
                changes(varied)
                yield varied
            for literal in clause:
                lacking = copy.deepcopy(matched)
                put(lacking, literal["path"], None)
                yield lacking


def _actions(policy: Effective, place: int, rule: Any) -> Iterator[str]:
    levels: Any = policy.document["levels"]
    index: Mapping[str, Any] = levels[rule["level"]]["rules_of"]
    named = [action for action, places in index.items() if place in places]
    declared: Any = policy.document["declared"]
    for action in named:
        yield from declared if action == "*" else [action]


def _variants(rule: Any, action: str) -> Iterator[Change]:
    for name in PRIMITIVES:
        if name in rule and name in VARIANTS:
            yield from VARIANTS[name](rule[name], action)


def _set(*path: str, to: Any) -> Change:
    return lambda document: put(document, path, to)


def _thresholds(check: Any, action: str) -> Iterator[Change]:
    yield _set(*check["path"], to=None)
    yield _set(*check["path"], to={"minor_units": 1, "currency": "XXX"})
    for currency, allowed in check["allow_up_to"].items():
        limits = {
            0,
            allowed,
            allowed + 1,
            check["approval_up_to"][currency],
            check["approval_up_to"][currency] + 1,
        }
        for units in sorted(limits):
            yield _set(*check["path"], to={"minor_units": units, "currency": currency})
        if "counters" in check:
            before = {"count": 1, "amounts": {currency: allowed}}
            yield _set("counters", check["counters"].get(action, ""), to=before)
    if "counters" in check:
        yield _set("counters", to=None)


def _rates(check: Any, action: str) -> Iterator[Change]:
    counter = check["counters"].get(action, "")
    for count in (check["at_most"] - 1, check["at_most"]):
        yield _set("counters", counter, to={"count": count, "amounts": {}})
    yield _set("counters", to=None)


def _hours(check: Any, action: str) -> Iterator[Change]:  # noqa: ARG001 - as the others
    zone = ZoneInfo(check["zone"])
    minutes = {end % 1440 for spans in check["days"].values() for span in spans for end in span}
    days = [MONDAY + timedelta(days=day) for day in range(7)]
    days += [datetime.fromisoformat(day) for day in check["holidays"][:2]]
    for day in days:
        for minute in sorted({0} | minutes | {(minute - 1) % 1440 for minute in minutes})[:10]:
            local = (day + timedelta(minutes=minute)).replace(tzinfo=zone)
            yield _set("at", to=local.isoformat())
    yield _set("at", to=None)


def _words(*paths: str) -> Callable[[Any, str], Iterator[Change]]:
    def variants(check: Any, action: str) -> Iterator[Change]:  # noqa: ARG001 - as the others
        for path in paths:
            for word in (*check[:5], TYPICAL["text"], None):
                yield _set(*path.split("."), to=word)

    return variants


def _requirements(check: Any, action: str) -> Iterator[Change]:  # noqa: ARG001 - as the others
    for requirement in check:
        for literal in requirement["when"][0]:
            yield _set(*literal["path"], to=None)
            yield _set(*literal["path"], to=CONTRARY.get(literal["type"], TYPICAL[literal["type"]]))


def _tenants(check: Any, action: str) -> Iterator[Change]:  # noqa: ARG001 - as the others
    for tenant in (OTHER_TENANT, None):
        yield _set("action", "resource_tenant_id", to=tenant)


VARIANTS: Mapping[str, Callable[[Any, str], Iterator[Change]]] = {
    "action_allowlist": _words("action.type"),
    "channel_allowlist": _words("action.destination", "channel"),
    "hours": _hours,
    "purpose": _words("purpose"),
    "rate": _rates,
    "require": _requirements,
    "residency": _words("residency.model_region", "residency.storage_region"),
    "tenant_scope": _tenants,
    "threshold": _thresholds,
}
