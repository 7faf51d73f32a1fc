package countersign.decision_test

import data.countersign.decision

bundle := {
	"levels": [{
		"name": "tenant",
		"default": "deny",
		"rules_of": {"refund": [0], "reply": [1, 2], "private_note": [3], "add_tags": [3, 4]},
		"arguments": {},
		"max_chain": 3,
	}],
	"declared": {"refund": {}, "reply": {}, "private_note": {}, "add_tags": {}},
	"rules": [
		{
			"id": "limits",
			"level": 0,
			"threshold": {
				"path": ["action", "amount"],
				"allow_up_to": {"EUR": 5000},
				"approval_up_to": {"EUR": 50000},
			},
		},
		{"id": "replies", "level": 0, "allow": true},
		{
			"id": "internal",
			"level": 0,
			"when": [[{
				"field": "action.zones",
				"path": ["action", "zones"],
				"type": "list",
				"op": "contains_any",
				"value": ["internal"],
				"negated": false,
			}]],
			"require_approval": {},
		},
		{"id": "office", "level": 0, "allow": true},
		{"id": "tags", "level": 0, "require_approval": {}},
	],
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
	found := decision.answer with input as {} with data.bundle as {"levels": [], "rules": [], "declared": {}}
	found.verdict == "deny"
}

test_no_rule_is_denied if {
	found := decision.answer with decision.findings as set() with data.bundle as bundle
	found.verdict == "deny"
	found.reasons == [{"rule": "default", "code": "no_rule_applies"}]
}

test_listed_action_is_allowed if answer({"type": "private_note"}).verdict == "allow"

test_unlisted_action_is_denied if answer({"type": "slack_post"}).verdict == "deny"

test_an_approval_is_asked_for_by_its_rule if {
	answer({"type": "add_tags"}) == {
		"verdict": "approval_needed",
		"reasons": [{"rule": "tags", "code": "approval_required"}],
		"redacted": [],
	}
}

test_strictest_zone_wins if answer({"type": "reply", "zones": ["public", "internal"]}).verdict == "approval_needed"

test_refund_without_facts_is_denied if {
	answer({"type": "refund", "amount": {"minor_units": 1, "currency": "EUR"}}).verdict == "deny"
}
