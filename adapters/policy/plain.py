"""The answers of `policies/library/*.rego` in plain Python.

The oracle of the property tests that compare both, and the fallback should the Rego engine's wheel go away.
Both read the same compiled document and the same input. Change both sides together.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

from pydantic import JsonValue

from adapters.policy.bundle import PRIMITIVES
from adapters.policy.effective import Effective
from adapters.policy.primitives._base import Json, Primitive
from adapters.policy.reading import at, money, whole, word, words
from adapters.policy.truth import truth
from adapters.policy.words import answer, denial
from domain.decision import EngineAnswer, PolicyInput, Reason, Verdict, strictest
from domain.model import Digest

ALLOW, APPROVAL, DENY = Verdict.ALLOW, Verdict.APPROVAL_NEEDED, Verdict.DENY
LEVELS = ("read", "draft", "execute_with_approval", "execute")
# Internal messages of the system itself; every agent's questions and words to teammates.
POSTS = frozenset({"slack_post", "slack_update", "slack_ephemeral"})
FILING = frozenset({"set_status", "add_tags"})


class Finding(NamedTuple):
    """What a rule found; `level` is None for what holds whatever a policy says."""

    verdict: Verdict
    rule: str
    code: str
    level: int | None = None
    grants: bool = False


class PlainEngine:
    """The `PolicyEngine` port for one policy."""

    def __init__(self, policy: Effective) -> None:
        self.version: Digest = policy.version
        self._policy = policy.document

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """Never raises: every access to the input allows for its absence."""
        return self.decide_document(input_.model_dump_json(exclude_none=True))

    def decide_document(self, document: str) -> EngineAnswer:
        """The same for a stored input, which may lack what a newer version asks for."""
        try:
            asked = json.loads(document, parse_constant=_no_number)
        except (ValueError, RecursionError):
            return denial("default", "engine_failed")
        if not isinstance(asked, dict):
            return denial("input_is_complete", "schema_unknown")
        return self.answer(asked, self.findings(asked))

    def findings(self, document: Json) -> tuple[Finding, ...]:
        """Everything that is found, decisive or not: first what always holds, then level by level."""
        return (*_invariants(document, self._policy), *_found(document, self._policy))

    def answer(self, document: Json, found: Sequence[Finding]) -> EngineAnswer:
        """What findings about a document come to."""
        verdict = strictest(*(each.verdict for each in found))
        decisive = [Reason(rule=each.rule, code=each.code) for each in found if each.verdict is verdict]
        return answer(
            verdict,
            decisive or [Reason(rule="default", code="no_rule_applies")],
            redacted={each.rule for each in found if each.verdict is Verdict.SANITIZE},
            policy=self._policy,
            document=document,
        )


def _no_number(word: str) -> NoReturn:
    """NaN and its like are no JSON, and compare with nothing."""
    raise ValueError(word)


def _found(document: Json, policy: Json) -> Iterator[Finding]:
    levels: Sequence[Any] = policy["levels"]  # type: ignore[assignment]  # compiled by us
    for place, level in enumerate(levels):
        found = [*_rules(document, policy, place, level)]
        yield from found
        if not any(each.grants for each in found):
            yield Finding(Verdict(level["default"]), "default", "not_covered", place)
        yield from _arguments(document, level, place)
        yield from _agents(document, level, place)


def _rules(document: Json, policy: Json, place: int, level: Any) -> Iterator[Finding]:
    action = word(at(document, "action", "type"))
    numbers = [
        *(level["rules_of"].get(action, []) if action != "*" else []),
        *level["rules_of"].get("*", []),
    ]
    for number in numbers:
        rule: Any = policy["rules"][number]  # type: ignore[index]  # compiled by us
        holds, unknown = truth(rule.get("when"), document)
        for field in unknown:
            yield Finding(DENY, rule["id"], f"missing.{field}"[:64], place)
        if holds:
            for name, primitive in PRIMITIVES.items():
                if name in rule:
                    yield from _read(primitive, rule[name], document, rule["id"], place)


def _read(
    primitive: type[Primitive], check: JsonValue, document: Json, rule: str, place: int
) -> Iterator[Finding]:
    for verdict, code in primitive.find(check, document):
        grants = primitive.grants and verdict in {ALLOW, APPROVAL}
        yield Finding(verdict, rule, code, place, grants)


def _invariants(document: Json, policy: Json) -> Iterator[Finding]:
    """What holds whatever a policy says."""
    action = word(at(document, "action", "type"))
    declared: Any = policy["declared"]
    known = declared.get(action)
    for code, clear in _complete(document).items():
        if not clear:
            yield Finding(DENY, "input_is_complete", code)
    if known is None:
        yield Finding(DENY, "actions_are_declared", "action_not_covered")
    if action == "refund":
        for code, clear in _refund(document).items():
            if not clear:
                yield Finding(DENY, "refunds_rest_on_facts", code)
    yield from _who_may_act(action, document)


def _complete(document: Json) -> dict[str, bool]:
    return {
        "schema_unknown": whole(at(document, "schema_version")) in (1, 2),
        "mode_missing": at(document, "mode") in ("observe", "assist", "automate"),
        "channel_missing": at(document, "channel") in ("public", "internal"),
        "owner_missing": at(document, "ticket", "owner") in ("automation", "teammate"),
        "signals_missing": isinstance(at(document, "ticket", "signals"), list),
    }


def _refund(document: Json) -> dict[str, bool]:
    amount, signals = money(at(document, "action", "amount")), at(document, "ticket", "signals")
    total, refundable = (money(at(document, "order", name)) for name in ("total", "refundable"))
    return {
        "amount_missing": amount is not None,
        "amount_not_positive": amount is not None and amount[0] > 0,
        "currency_differs": amount is not None
        and total is not None
        and refundable is not None
        and {total[1], refundable[1]} == {amount[1]},
        "amount_over_refundable": amount is not None
        and refundable is not None
        and amount[0] <= refundable[0],
        "requester_unknown": at(document, "requester_known") is True,
        "order_missing": isinstance(at(document, "order"), Mapping),
        "order_not_owned": at(document, "order", "owner_is_requester") is True,
        "order_not_delivered": at(document, "order", "delivered") is True,
        "identity_in_doubt": isinstance(signals, list) and "identity_in_doubt" not in signals,
    }


def _who_may_act(action: object, document: Json) -> Iterator[Finding]:
    level, rule = at(document, "agent", "permission_level"), "agents_stay_in_their_level"
    signals = at(document, "ticket", "signals")
    if action in POSTS:
        return
    executes = level in LEVELS[2:]
    if not executes and not (action == "private_note" and level == "draft"):
        yield Finding(DENY, rule, "permission_too_low")
    if action == "private_note" or action in FILING:
        return
    if level == "execute_with_approval":
        yield Finding(APPROVAL, rule, "permission_needs_approval")
    if at(document, "mode") == "assist":
        yield Finding(APPROVAL, "assist_mode_asks", "mode_is_assist")
    if at(document, "ticket", "owner") != "automation":
        yield Finding(DENY, "the_owner_speaks", "owner_is_teammate")
    if action != "reply" and isinstance(signals, list) and "injection" in signals:
        yield Finding(APPROVAL, "nobody_talks_it_into_acting", "injection_suspected")


def _arguments(document: Json, level: Any, place: int) -> Iterator[Finding]:
    declared = level["arguments"].get(word(at(document, "action", "type")))
    if declared is None:
        return
    given = at(document, "action", "arguments")
    given = given if isinstance(given, Mapping) else {}
    rule = "arguments_fit_their_schema"
    if set(given) - set(declared):
        yield Finding(DENY, rule, "argument_unknown", place)
    for name, schema in declared.items():
        if name not in given:
            if not schema["optional"]:
                yield Finding(DENY, rule, f"argument_missing.{name}", place)
        elif not _fits(schema, given[name]):
            yield Finding(DENY, rule, f"argument_invalid.{name}", place)


def _fits(schema: Any, value: JsonValue) -> bool:
    least, most = schema.get("least"), schema.get("most")
    match schema["type"]:
        case "text":
            return isinstance(value, str) and value in schema.get("values", [value])
        case "flag":
            return isinstance(value, bool)
        case "amount":
            return money(value) is not None
        case "integer":
            measured = whole(value)
        case _:
            listed = words(value)
            measured = None if listed is None else len(listed)
    return (
        measured is not None and (least is None or measured >= least) and (most is None or measured <= most)
    )


def _agents(document: Json, level: Any, place: int) -> Iterator[Finding]:
    """The chain from the first agent to the one that acts: registered, linked, never wider than before."""
    registered = level.get("agents")
    chain = at(document, "agent", "chain")
    links = [*(chain if isinstance(chain, list) else []), at(document, "agent")]
    rule = "agents_come_from_their_parents"
    if registered is None:
        if len(links) > 1:
            yield Finding(DENY, rule, "agents_not_registered", place)
        return
    ids = [at(link, "id") for link in links]
    known: list[Any] = [registered.get(word(each)) for each in ids]
    if None in known:
        yield Finding(DENY, rule, "agent_unknown", place)
        return
    if len(set(ids)) != len(ids):
        yield Finding(DENY, rule, "chain_cyclic", place)
    if len(ids) > level["max_chain"]:
        yield Finding(DENY, rule, "chain_too_deep", place)
    if [each.get("parent") for each in known] != [None, *ids[:-1]]:
        yield Finding(DENY, rule, "parent_wrong", place)
    claimed = [at(link, "permission_level") for link in links]
    if claimed != [each["permission_level"] for each in known]:
        yield Finding(DENY, rule, "permission_forged", place)
    ranks = [LEVELS.index(each["permission_level"]) for each in known]
    if any(later > earlier for earlier, later in pairwise(ranks)):
        yield Finding(DENY, rule, "chain_widens", place)
    if any("actions" in each and at(document, "action", "type") not in each["actions"] for each in known):
        yield Finding(DENY, rule, "action_out_of_scope", place)
