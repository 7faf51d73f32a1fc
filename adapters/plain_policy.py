"""The answers of `policies/library/decision.rego` in plain Python.

The oracle of the property test that compares both, and the fallback should the Rego engine's wheel go away.
Both read the same compiled bundle and the same input document. Change both files together.
"""

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from adapters.policy_bundle import Bundle
from adapters.policy_words import answer
from domain.decision import EngineAnswer, PolicyInput, Reason, Verdict, strictest
from domain.model import Digest

Json = Mapping[str, JsonValue]
Finding = tuple[Verdict, str, str]
ALLOW, APPROVAL, DENY = Verdict.ALLOW, Verdict.APPROVAL_NEEDED, Verdict.DENY
SPEAKS = {"reply", "refund"}
CHANGES = SPEAKS | {"set_status", "add_tags"}
EXECUTES = {"execute", "execute_with_approval"}
LISTED = {
    "allow": (ALLOW, "action_allowed"),
    "approval_needed": (APPROVAL, "action_needs_approval"),
    "deny": (DENY, "action_denied"),
}


class PlainEngine:
    """The `PolicyEngine` port for one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self.version: Digest = bundle.version
        self._bundle: Json = bundle.compiled()

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """Never raises: every access to the input allows for its absence."""
        return self.decide_document(input_.model_dump_json(exclude_none=True))

    def decide_document(self, document: str) -> EngineAnswer:
        """The same for a stored input, which may lack what a newer version asks for."""
        found = list(_findings(json.loads(document), self._bundle))
        verdict = strictest(*(verdict for verdict, _, _ in found))
        decisive = [Reason(rule=rule, code=code) for its, rule, code in found if its is verdict]
        return answer(verdict, decisive or [Reason(rule="default", code="no_rule_applies")], self._bundle)


def at(document: JsonValue | Json, *path: str) -> JsonValue:
    """The value at `path`, None where there is none."""
    for word in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(word)
    return document  # type: ignore[return-value]  # a path is never empty here


def _findings(document: Json, bundle: Json) -> Iterator[Finding]:
    action = _word(at(document, "action", "type"))
    yield from _input_is_complete(document)
    yield from _actions_are_listed(action, bundle)
    if action == "reply":
        yield from _replies_cite_open_zones(document, bundle)
    if action == "refund":
        yield from _refunds_rest_on_facts(document, bundle)
        yield from _refunds_stay_in_limits(document, bundle)
    yield from _who_may_act(action, document)


def _input_is_complete(document: Json) -> Iterator[Finding]:
    cleared = {
        "schema_unknown": _integer(at(document, "schema_version")) == 1,
        "mode_missing": at(document, "mode") in ("observe", "assist", "automate"),
        "channel_missing": at(document, "channel") in ("public", "internal"),
        "owner_missing": at(document, "ticket", "owner") in ("automation", "teammate"),
        "signals_missing": isinstance(at(document, "ticket", "signals"), list),
    }
    yield from ((DENY, "input_is_complete", code) for code, clear in cleared.items() if not clear)


def _actions_are_listed(action: str | None, bundle: Json) -> Iterator[Finding]:
    listed = at(bundle, "actions", action) if action else None
    if listed is None:
        yield DENY, "actions_are_listed", "action_not_covered"
    elif isinstance(listed, str) and listed in LISTED:
        verdict, code = LISTED[listed]
        yield verdict, "actions_are_listed", code


def _replies_cite_open_zones(document: Json, bundle: Json) -> Iterator[Finding]:
    rule = "replies_cite_open_zones"
    zones = at(document, "action", "zones")
    if not isinstance(zones, list):
        yield DENY, rule, "zones_missing"
        return
    verdicts = {at(bundle, "reply", "zones", zone) if isinstance(zone, str) else None for zone in zones}
    if verdicts <= {"allow"}:
        yield ALLOW, rule, "zones_open"
    if None in verdicts:
        yield DENY, rule, "zone_not_covered"
    if "approval_needed" in verdicts:
        yield APPROVAL, rule, "zone_needs_approval"
    if "deny" in verdicts:
        yield DENY, rule, "zone_denied"


def _refunds_rest_on_facts(document: Json, bundle: Json) -> Iterator[Finding]:
    cleared = {**_amount_objections(document, bundle), **_order_objections(document)}
    yield from ((DENY, "refunds_rest_on_facts", code) for code, clear in cleared.items() if not clear)


def _amount_objections(document: Json, bundle: Json) -> dict[str, bool]:
    amount, currency = _amount(document), at(document, "action", "amount", "currency")
    refundable = _integer(at(document, "order", "refundable", "minor_units"))
    covered = at(bundle, "refund", "currencies")
    of_order = [at(document, "order", fact, "currency") for fact in ("total", "refundable")]
    return {
        "amount_missing": amount is not None,
        "amount_not_positive": amount is not None and amount > 0,
        "currency_not_covered": isinstance(covered, list) and currency is not None and currency in covered,
        "currency_differs": currency is not None and of_order == [currency, currency],
        "amount_over_refundable": amount is not None and refundable is not None and amount <= refundable,
    }


def _order_objections(document: Json) -> dict[str, bool]:
    signals = at(document, "ticket", "signals")
    return {
        "requester_unknown": at(document, "requester_known") is True,
        "order_missing": isinstance(at(document, "order"), Mapping),
        "order_not_owned": at(document, "order", "owner_is_requester") is True,
        "order_not_delivered": at(document, "order", "delivered") is True,
        "identity_in_doubt": isinstance(signals, list) and "identity_in_doubt" not in signals,
    }


def _refunds_stay_in_limits(document: Json, bundle: Json) -> Iterator[Finding]:
    rule, amount = "refunds_stay_in_limits", _amount(document)
    free, approved = at(bundle, "refund", "allow_up_to"), at(bundle, "refund", "approval_up_to")
    if amount is not None and isinstance(free, int) and isinstance(approved, int):
        if amount <= free:
            yield ALLOW, rule, "refund_within_limit"
        elif amount <= approved:
            yield APPROVAL, rule, "refund_needs_approval"
        else:
            yield DENY, rule, "refund_over_limit"
    if _has_signal(document, "injection"):
        yield APPROVAL, "refunds_are_not_talked_into", "injection_suspected"


def _who_may_act(action: str | None, document: Json) -> Iterator[Finding]:
    level, rule = _word(at(document, "agent", "permission_level")), "agents_stay_in_their_level"
    if action in SPEAKS and at(document, "mode") == "assist":
        yield APPROVAL, "assist_mode_asks", "mode_is_assist"
    if action in SPEAKS and at(document, "ticket", "owner") != "automation":
        yield DENY, "the_owner_speaks", "owner_is_teammate"
    if action in CHANGES and level not in EXECUTES:
        yield DENY, rule, "permission_too_low"
    if action == "private_note" and level not in EXECUTES | {"draft"}:
        yield DENY, rule, "permission_too_low"
    if action in SPEAKS and level == "execute_with_approval":
        yield APPROVAL, rule, "permission_needs_approval"


def _amount(document: Json) -> int | None:
    return _integer(at(document, "action", "amount", "minor_units"))


def _integer(value: JsonValue) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == int(value) else None  # JSON does not tell 50 from 50.0


def _word(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _has_signal(document: Json, signal: str) -> bool:
    signals = at(document, "ticket", "signals")
    return isinstance(signals, list) and signal in signals
