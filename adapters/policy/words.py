"""Answers of policy engines: what each reason means for people, and what an approval takes."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from adapters.policy.bundle import PRIMITIVES
from adapters.policy.reading import Json, at, money
from adapters.policy.written import as_amount
from domain.decision import EngineAnswer, Obligations, Reason, Verdict
from domain.obligations import combined

MESSAGES: Mapping[str, str] = {
    "action_not_covered": "Policy does not know this action",
    "action_out_of_scope": "The action is outside the scope of an agent in the chain",
    "agent_unknown": "The agent, or one that sent it, is not registered",
    "agents_not_registered": "The agent says that another sent it, and policy knows no agents",
    "amount_missing": "The action has no amount in minor units",
    "amount_not_positive": "The amount is not above zero",
    "amount_over_refundable": "The refund is more than what is left of the payment",
    "approvers_unknown": "A person must approve this, and policy does not say who",
    "argument_unknown": "The action has an argument that it does not declare",
    "chain_cyclic": "The chain of agents goes in a circle",
    "chain_too_deep": "The chain of agents is too long",
    "chain_widens": "An agent may do more than the one that sent it",
    "channel_missing": "It is not known who will see this action",
    "currency_differs": "The refund is in another currency than the order",
    "engine_failed": "The policy engine failed, so the answer is no",
    "identity_in_doubt": "It is not certain that the requester is who they say",
    "injection_suspected": "The ticket may try to instruct the automation",
    "kind_unknown": "Policy asks to take out a kind of personal data that is not known here",
    "mode_is_assist": "In assist mode a person approves whatever customers see",
    "mode_missing": "The tenant's mode is not known",
    "no_common_approver": "The levels of policy name no approver group in common",
    "no_policy": "The tenant has no policy",
    "no_rule_applies": "No rule speaks about this action",
    "not_covered": "No rule allows this action",
    "order_missing": "The order is not known",
    "order_not_delivered": "The order is not delivered",
    "order_not_owned": "The order is not the requester's",
    "owner_is_teammate": "A teammate owns the ticket",
    "owner_missing": "It is not known who owns the ticket",
    "parent_wrong": "The agent does not come from its registered parent",
    "permission_forged": "An agent claims another permission level than it has",
    "permission_needs_approval": "The agent may do this only with approval",
    "permission_too_low": "The agent may not do this",
    "requester_unknown": "The requester has no account in the shop",
    "schema_unknown": "The input has a version this policy does not know",
    "signals_missing": "The ticket's risk signals are not known",
}
SAYINGS: Mapping[str, str] = {
    **MESSAGES,
    **{code: said for primitive in PRIMITIVES.values() for code, said in primitive.says.items()},
}
NOT_COVERED = Reason(rule="default", code="not_covered")
PREFIXES: Mapping[str, str] = {
    "missing.": "The policy asks for {} and it is not known",
    "argument_missing.": "The argument {} is missing",
    "argument_invalid.": "The argument {} is not what the action declares",
}


def answer(
    verdict: Verdict, reasons: Iterable[Reason], redacted: AbstractSet[str], policy: Json, document: Json
) -> EngineAnswer:
    """The answer with its reasons in one order, their sentences, and what it takes."""
    found = set(reasons)
    if verdict is Verdict.DENY and len(found) > 1:
        found.discard(NOT_COVERED)  # says nothing new beside a rule that forbids it
    ordered = tuple(sorted(found, key=lambda reason: (reason.code, reason.rule)))
    obligations = None
    if verdict is Verdict.APPROVAL_NEEDED:
        obligations, refused = _approval(ordered, policy)
        if obligations is None:
            return answer(Verdict.DENY, (Reason(rule="approval", code=refused),), redacted, policy, document)
    if redacted and verdict is not Verdict.DENY:
        taken_out = _redactions(redacted, policy)
        obligations = (obligations or Obligations()).model_copy(update={"redact_fields": taken_out})
    return EngineAnswer(
        verdict=verdict,
        reasons=ordered,
        messages=tuple(sentence(reason, policy, document) for reason in ordered),
        obligations=obligations,
        rules_considered=_considered(policy, at(document, "action", "type")),
    )


def _considered(policy: Json, action: object) -> int:
    """The rules that are about the action, or about any."""
    levels: Any = policy.get("levels", [])
    wanted = {action, "*"} if isinstance(action, str) else {"*"}
    return sum(len(level["rules_of"].get(name, ())) for level in levels for name in wanted)


def denial(rule: str, code: str) -> EngineAnswer:
    """No, because something is missing or broken."""
    return answer(Verdict.DENY, (Reason(rule=rule, code=code),), frozenset(), {}, {})


def sentence(reason: Reason, policy: Json, document: Json) -> str:
    """For people. A code of the author's own is said as words."""
    for prefix, said in PREFIXES.items():
        if reason.code.startswith(prefix):
            return said.format(reason.code.removeprefix(prefix).replace("_", " "))
    known = SAYINGS.get(reason.code)
    if known is None:
        return reason.code.replace("_", " ").capitalize()
    if "{" not in known:
        return known
    return known.format_map(_Words(_limits(reason.rule, policy, document)))


class _Words(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _limits(rule: str, policy: Json, document: Json) -> dict[str, str]:
    check = _rule(rule, policy).get("threshold")
    if not isinstance(check, dict):
        return {}
    amount = money(at(document, *check["path"]))
    currency = amount[1] if amount else ""
    words = {"currency": currency, "window": str(check.get("window", ""))}
    for name in ("allow_up_to", "approval_up_to"):
        if currency in check[name]:
            words[name] = as_amount(check[name][currency])
    return words


def _rule(name: str, policy: Json) -> dict[str, Any]:
    rules: Any = policy.get("rules", [])
    return next((rule for rule in rules if rule["id"] == name), {})


def _redactions(rules: AbstractSet[str], policy: Json) -> tuple[str, ...]:
    found = {field for name in rules for field in _rule(name, policy).get("redact_fields", [])}
    return tuple(sorted(found))


def _approval(reasons: Iterable[Reason], policy: Json) -> tuple[Obligations | None, str]:
    """Every level's terms at once: a rule's own, and its level's where it has none of its own."""
    levels: Any = policy.get("levels", [])
    asked = [_terms(reason.rule, policy, levels) for reason in reasons]
    terms = [Obligations.model_validate(each, strict=False) for several in asked for each in several if each]
    if not terms:
        return None, "approvers_unknown"
    together = combined(terms)
    return together, "no_common_approver"


def _terms(rule: str, policy: Json, levels: Any) -> list[Any]:
    compiled = _rule(rule, policy)
    if not compiled:
        return [level.get("approval") for level in levels]
    own = compiled.get("require_approval")
    return [own or levels[compiled["level"]].get("approval") or _widest(levels)]


def _widest(levels: Any) -> Any:
    """A level without approvers of its own asks those of the others."""
    return next((level["approval"] for level in levels if "approval" in level), None)
