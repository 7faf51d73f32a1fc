# How a proposed action is decided. Tenants write data, never Rego: `data.bundle` is a validated bundle
# with amounts in minor units, `input` is `domain.decision.PolicyInput` as JSON without nulls.
#
# Every rule adds findings; the strictest finding wins and no finding at all is `deny`. An objection stands
# until a fact clears it, so a fact that is missing from the input denies.
package countersign.decision

# Mildest to strictest.
strictness := {"allow": 0, "sanitize": 1, "approval_needed": 2, "deny": 3}

answer := object.union({"verdict": verdict, "reasons": reasons}, obligations)

default verdict := "deny"

verdict := strictest if {
	ranks := {strictness[found.verdict] | some found in findings}
	some strictest, rank in strictness
	rank == max(ranks)
}

default reasons := [{"rule": "default", "code": "no_rule_applies"}]

reasons := [reason | some reason in decisive] if count(decisive) > 0

decisive := {{"rule": found.rule, "code": found.code} | some found in findings; found.verdict == verdict}

default obligations := {}

obligations := {"obligations": data.bundle.approval} if verdict == "approval_needed"

finding(its_verdict, rule, code) := {"verdict": its_verdict, "rule": rule, "code": code}

# --- the input is complete -----------------------------------------------------------------------

findings contains finding("deny", "input_is_complete", code) if {
	some code in ["schema_unknown", "mode_missing", "channel_missing", "owner_missing", "signals_missing"]
	not cleared[code]
}

cleared contains "schema_unknown" if input.schema_version == 1

cleared contains "mode_missing" if input.mode in {"observe", "assist", "automate"}

cleared contains "channel_missing" if input.channel in {"public", "internal"}

cleared contains "owner_missing" if input.ticket.owner in {"automation", "teammate"}

cleared contains "signals_missing" if is_array(input.ticket.signals)

# --- actions -------------------------------------------------------------------------------------
# `data.bundle.actions` has a verdict, or "by_rule" where the rules below find one.

findings contains finding("deny", "actions_are_listed", "action_not_covered") if not covered

covered if data.bundle.actions[input.action.type]

findings contains finding(listed, "actions_are_listed", code) if {
	listed := data.bundle.actions[input.action.type]
	code := {"allow": "action_allowed", "approval_needed": "action_needs_approval", "deny": "action_denied"}[listed]
}

# --- replies -------------------------------------------------------------------------------------

findings contains finding("deny", "replies_cite_open_zones", "zones_missing") if {
	input.action.type == "reply"
	not is_array(input.action.zones)
}

findings contains finding("allow", "replies_cite_open_zones", "zones_open") if {
	input.action.type == "reply"
	is_array(input.action.zones)
	every zone in input.action.zones { data.bundle.reply.zones[zone] == "allow" }
}

findings contains finding("deny", "replies_cite_open_zones", "zone_not_covered") if {
	input.action.type == "reply"
	some zone in input.action.zones
	not data.bundle.reply.zones[zone]
}

findings contains finding("approval_needed", "replies_cite_open_zones", "zone_needs_approval") if {
	input.action.type == "reply"
	some zone in input.action.zones
	data.bundle.reply.zones[zone] == "approval_needed"
}

findings contains finding("deny", "replies_cite_open_zones", "zone_denied") if {
	input.action.type == "reply"
	some zone in input.action.zones
	data.bundle.reply.zones[zone] == "deny"
}

# --- refunds -------------------------------------------------------------------------------------

findings contains finding("deny", "refunds_rest_on_facts", code) if {
	input.action.type == "refund"
	some code in [
		"amount_missing", "amount_not_positive", "currency_not_covered", "currency_differs", "requester_unknown",
		"order_missing", "order_not_owned", "order_not_delivered", "amount_over_refundable", "identity_in_doubt",
	]
	not cleared[code]
}

# Rego orders values of different types (5000 <= [] is true), so only whole numbers are compared.
whole(number) if {
	is_number(number)
	round(number) == number
}

amount := input.action.amount.minor_units if whole(input.action.amount.minor_units)

cleared contains "amount_missing" if whole(amount)

cleared contains "amount_not_positive" if amount > 0

cleared contains "currency_not_covered" if input.action.amount.currency in data.bundle.refund.currencies

cleared contains "currency_differs" if {
	input.action.amount.currency == input.order.total.currency
	input.action.amount.currency == input.order.refundable.currency
}

cleared contains "requester_unknown" if input.requester_known == true

cleared contains "order_missing" if is_object(input.order)

cleared contains "order_not_owned" if input.order.owner_is_requester == true

cleared contains "order_not_delivered" if input.order.delivered == true

cleared contains "amount_over_refundable" if {
	whole(input.order.refundable.minor_units)
	amount <= input.order.refundable.minor_units
}

cleared contains "identity_in_doubt" if {
	is_array(input.ticket.signals)
	not "identity_in_doubt" in input.ticket.signals
}

findings contains finding("allow", "refunds_stay_in_limits", "refund_within_limit") if {
	input.action.type == "refund"
	amount <= data.bundle.refund.allow_up_to
}

findings contains finding("approval_needed", "refunds_stay_in_limits", "refund_needs_approval") if {
	input.action.type == "refund"
	amount > data.bundle.refund.allow_up_to
	amount <= data.bundle.refund.approval_up_to
}

findings contains finding("deny", "refunds_stay_in_limits", "refund_over_limit") if {
	input.action.type == "refund"
	amount > data.bundle.refund.approval_up_to
}

findings contains finding("approval_needed", "refunds_are_not_talked_into", "injection_suspected") if {
	input.action.type == "refund"
	"injection" in input.ticket.signals
}

# --- who may act ---------------------------------------------------------------------------------

findings contains finding("approval_needed", "assist_mode_asks", "mode_is_assist") if {
	input.action.type in {"reply", "refund"}
	input.mode == "assist"
}

findings contains finding("deny", "the_owner_speaks", "owner_is_teammate") if {
	input.action.type in {"reply", "refund"}
	not input.ticket.owner == "automation"
}

findings contains finding("deny", "agents_stay_in_their_level", "permission_too_low") if {
	input.action.type in {"reply", "refund", "set_status", "add_tags"}
	not input.agent.permission_level in {"execute", "execute_with_approval"}
}

findings contains finding("deny", "agents_stay_in_their_level", "permission_too_low") if {
	input.action.type == "private_note"
	not input.agent.permission_level in {"draft", "execute", "execute_with_approval"}
}

findings contains finding("approval_needed", "agents_stay_in_their_level", "permission_needs_approval") if {
	input.action.type in {"reply", "refund"}
	input.agent.permission_level == "execute_with_approval"
}
