package countersign.decision_test

import data.countersign.decision

bundle := {
	"actions": {"private_note": "allow", "add_tags": "approval_needed", "reply": "by_rule", "refund": "by_rule"},
	"reply": {"zones": {"public": "allow", "internal": "approval_needed"}},
	"refund": {"allow_up_to": 5000, "approval_up_to": 50000, "currencies": ["EUR"]},
	"approval": {"approver_groups": ["approvers"], "quorum": 1},
}

proposal := {
	"schema_version": 1,
	"mode": "automate",
	"channel": "internal",
	"agent": {"permission_level": "execute"},
	"ticket": {"owner": "automation", "signals": []},
}

answer(action) := found if {
	found := decision.answer with input as object.union(proposal, {"action": action}) with data.bundle as bundle
}

test_nothing_known_is_denied if {
	found := decision.answer with input as {} with data.bundle as {}
	found.verdict == "deny"
}

test_no_rule_is_denied if {
	found := decision.answer with decision.findings as set() with data.bundle as bundle
	found.verdict == "deny"
	found.reasons == [{"rule": "default", "code": "no_rule_applies"}]
}

test_listed_action_is_allowed if answer({"type": "private_note"}).verdict == "allow"

test_unlisted_action_is_denied if answer({"type": "slack_post"}).verdict == "deny"

test_approval_carries_its_terms if {
	found := answer({"type": "add_tags"})
	found.verdict == "approval_needed"
	found.obligations == bundle.approval
}

test_allowed_carries_no_terms if not answer({"type": "private_note"}).obligations

test_strictest_zone_wins if answer({"type": "reply", "zones": ["public", "internal"]}).verdict == "approval_needed"

test_refund_without_facts_is_denied if {
	answer({"type": "refund", "amount": {"minor_units": 1, "currency": "EUR"}}).verdict == "deny"
}
