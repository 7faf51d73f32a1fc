"""What a policy asks for that an old input does not have is found, and nothing else."""

import json
from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from adapters.policy.bundle import PRIMITIVES
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.lacking import LATER, READS, Lacking
from domain.decision import ActionInput, PolicyInput
from tests.adapters.policy_inputs import refund, reply

Rule = Mapping[str, object]
COUNTED = {
    "threshold": {
        "allow_up_to": {"EUR": "50.00"},
        "per": "customer",
        "within": "30d",
    }
}


def lacking(rule: Rule, **changed: JsonValue) -> frozenset[str]:
    written = {
        "schema_version": 2,
        "name": "mine",
        "facts": {"vip": "flag", "score": "integer"},
        "rules": [{"id": "asks", "when": {"actions": ["refund"]}, **rule}],
    }
    found = Lacking(alone(parse(json.dumps(written)))).rules(refund() | changed)
    return found["asks"].fields if found else frozenset()


def when(condition: dict[str, object], **rule: object) -> Rule:
    return {"when": {"actions": ["refund"], "condition": condition}, **(rule or {"deny": True})}


VIP = {"field": "facts.vip", "equals": True}


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ({"allow": True}, set()),
        ({"hours": {"zone": "Europe/Berlin", "open": {"weekdays": ["09:00-17:00"]}}}, {"at"}),
        ({"purpose": ["support"]}, {"purpose"}),
        ({"residency": ["eu"]}, {"residency.model_region", "residency.storage_region"}),
        ({"tenant_scope": True}, {"action.resource_tenant_id"}),
        ({"channel_allowlist": ["public"]}, set()),
        ({"channel_allowlist": ["support"]}, {"action.destination"}),
        (COUNTED, {"counters.refund.customer.2592000"}),
        ({"rate": {"at_most": 3, "per": "tenant", "within": "1d"}}, {"counters.refund.tenant.86400"}),
        ({"require": [{"fact": "identity.verified", "code": "unsure"}]}, {"identity.verified"}),
        ({"require": [{"fact": "order.delivered", "code": "early"}]}, set()),
        (when(VIP), {"facts.vip"}),
        (when({"not": VIP}), {"facts.vip"}),
        (when({"not": {"field": "facts.vip", "exists": True}}), {"facts.vip"}),
        (when({"field": "ticket.intent", "equals": "refund"}), set()),
        # A part that is known and false settles it.
        (when({"all": [VIP, {"field": "requester_known", "equals": False}]}), set()),
        (when({"any": [VIP, {"field": "requester_known", "equals": True}]}), set()),
        (when({"field": "requester_known", "equals": False}, purpose=["support"]), set()),
        (when({"field": "requester_known", "equals": True}, purpose=["support"]), {"purpose"}),
    ],
)
def test_fields_that_came_later_are_lacking_where_a_rule_depends_on_them(
    rule: Rule, fields: set[str]
) -> None:
    assert lacking(rule) == fields


def test_what_is_there_is_not_lacking() -> None:
    counted: JsonValue = {"refund.customer.2592000": {"count": 0, "amounts": {}}}

    assert lacking(COUNTED, counters=counted) == set()
    assert lacking({"purpose": ["support"]}, purpose="support") == set()
    assert lacking(when({"field": "facts.score", "at_least": 3}), facts={"vip": True}) == {"facts.score"}
    # A section that is there is whole.
    consent: Rule = {"require": [{"fact": "consent.given", "code": "no_consent"}]}
    assert lacking(consent, consent={"evidence": []}) == set()


def test_other_actions_lack_nothing() -> None:
    assert lacking({"when": {"actions": ["reply"]}, "purpose": ["support"]}) == set()


def test_every_primitive_says_what_it_reads() -> None:
    assert set(READS) == set(PRIMITIVES)


def test_later_fields_are_those_that_first_inputs_did_not_have() -> None:
    first = {*refund()} | {*reply("public")}
    of_actions = {"type", "band", "digest", "amount", "status", "tags", "zones"}

    of_inputs = {*PolicyInput.model_fields} - first

    assert {path[0] for path in LATER if len(path) == 1} == of_inputs
    assert {path[1] for path in LATER if len(path) == 2} == {*ActionInput.model_fields} - of_actions
