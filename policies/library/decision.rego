# How a proposed action is decided. Authors write data, never Rego: `data.bundle` is a compiled policy
# (adapters/policy/effective.py), `input` is `domain.decision.PolicyInput` as JSON without nulls.
#
# Every rule adds findings; the strictest finding wins. Each level must grant an action by itself, or its
# default stands; what is missing from the input denies.
#
# `not` is only put before what is defined or a plain reference: OPA calls no function with an undefined
# argument, `not` before that call included, so `not is_string(input.absent)` is no objection there.
package countersign.decision

strictness := {"allow": 0, "sanitize": 1, "approval_needed": 2, "deny": 3}

by_strictness := ["allow", "sanitize", "approval_needed", "deny"]

answer := {"verdict": verdict, "reasons": reasons, "redacted": redacted}

default verdict := "deny"

verdict := by_strictness[max({strictness[found.verdict] | some found in findings})]

default reasons := [{"rule": "default", "code": "no_rule_applies"}]

reasons := [{"rule": found.rule, "code": found.code} | some found in findings; found.verdict == verdict] if {
	count(findings) > 0
}

redacted := [found.rule | some found in findings; found.verdict == "sanitize"]

finding(its_verdict, rule, code) := {"verdict": its_verdict, "rule": rule, "code": code}

# --- rules that match ----------------------------------------------------------------------------
# By their place in `data.bundle.rules`; a level's index says which ones are about the action.

candidates contains place if {
	some level in data.bundle.levels
	some place in level.rules_of[input.action.type]
	input.action.type != "*"
}

candidates contains place if {
	some level in data.bundle.levels
	some place in level.rules_of["*"]
}

about := [data.bundle.rules[place] | some place in candidates]

# What each literal of each clause says, for the rules that have conditions.
weighed := [{"rule": rule, "says": [[truth(literal) | some literal in clause] | some clause in rule.when]} |
	some rule in about
	rule.when
]

matched := array.concat(
	[rule | some rule in about; not rule.when],
	[each.rule | some each in weighed; met(each.says)],
)

met(says) if {
	some clause in says
	not false in clause
	not null in clause
}

# A clause that is neither true nor false leaves its rule unknown, and the field that is missing is named.
findings contains finding("deny", each.rule.id, substring(concat(".", ["missing", literal.field]), 0, 64)) if {
	some each in weighed
	not met(each.says)
	some nth, clause in each.says
	not false in clause
	some place, literal in each.rule.when[nth]
	clause[place] == null
}

# --- what every level must say -------------------------------------------------------------------

# `granting` has the levels one of whose rules covers the action; primitives that can, say so.

findings contains finding(level.default, "default", "not_covered") if {
	some nth, level in data.bundle.levels
	not nth in granting
}

# --- what holds whatever a policy says: the input is complete --------------------------------------

findings contains finding("deny", "input_is_complete", code) if {
	some code in {"schema_unknown", "mode_missing", "channel_missing", "owner_missing", "signals_missing"} - cleared
}

cleared contains "schema_unknown" if input.schema_version in {1, 2}

cleared contains "mode_missing" if input.mode in {"observe", "assist", "automate"}

cleared contains "channel_missing" if input.channel in {"public", "internal"}

cleared contains "owner_missing" if input.ticket.owner in {"automation", "teammate"}

cleared contains "signals_missing" if is_array(input.ticket.signals)

findings contains finding("deny", "actions_are_declared", "action_not_covered") if not declared

action_type := object.get(input, ["action", "type"], null)

declared if data.bundle.declared[input.action.type]

# --- refunds -------------------------------------------------------------------------------------

findings contains finding("deny", "refunds_rest_on_facts", code) if {
	input.action.type == "refund"
	some code in {
		"amount_missing", "amount_not_positive", "currency_differs", "requester_unknown", "order_missing",
		"order_not_owned", "order_not_delivered", "amount_over_refundable", "identity_in_doubt",
	} - borne_out
}

refunded := amount if {
	amount := object.get(input, ["action", "amount"], null)
	is_money(amount)
}

refundable := amount if {
	amount := object.get(input, ["order", "refundable"], null)
	is_money(amount)
}

borne_out contains "amount_missing" if refunded

borne_out contains "amount_not_positive" if refunded.minor_units > 0

borne_out contains "currency_differs" if {
	is_money(object.get(input, ["order", "total"], null))
	input.order.total.currency == refunded.currency
	refundable.currency == refunded.currency
}

borne_out contains "amount_over_refundable" if refunded.minor_units <= refundable.minor_units

borne_out contains "requester_unknown" if input.requester_known == true

borne_out contains "order_missing" if is_object(input.order)

borne_out contains "order_not_owned" if input.order.owner_is_requester == true

borne_out contains "order_not_delivered" if input.order.delivered == true

borne_out contains "identity_in_doubt" if {
	is_array(input.ticket.signals)
	not "identity_in_doubt" in input.ticket.signals
}

# --- who may act ---------------------------------------------------------------------------------

post if input.action.type in {"slack_post", "slack_update", "slack_ephemeral"}

quiet if input.action.type in {"private_note", "set_status", "add_tags"}

outward if {
	not post
	not quiet
}

permitted if input.agent.permission_level in {"execute", "execute_with_approval"}

permitted if post

permitted if {
	input.action.type == "private_note"
	input.agent.permission_level == "draft"
}

findings contains finding("deny", "agents_stay_in_their_level", "permission_too_low") if not permitted

findings contains finding("approval_needed", "agents_stay_in_their_level", "permission_needs_approval") if {
	outward
	input.agent.permission_level == "execute_with_approval"
}

findings contains finding("approval_needed", "assist_mode_asks", "mode_is_assist") if {
	outward
	input.mode == "assist"
}

findings contains finding("deny", "the_owner_speaks", "owner_is_teammate") if {
	outward
	not owned_by_automation
}

owned_by_automation if input.ticket.owner == "automation"

findings contains finding("approval_needed", "nobody_talks_it_into_acting", "injection_suspected") if {
	outward
	input.action.type != "reply"
	is_array(input.ticket.signals)
	"injection" in input.ticket.signals
}
