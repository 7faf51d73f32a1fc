package countersign.decision

# Each matched threshold is looked at once.
limits_found := [object.union(limited_amount(rule.threshold), {"rule": rule.id, "level": rule.level}) |
	some rule in matched
	rule.threshold
]

findings contains finding(found.verdict, found.rule, found.code) if some found in limits_found

granting contains found.level if {
	some found in limits_found
	found.verdict != "deny"
}

limited_amount(check) := {"verdict": "deny", "code": "amount_missing"} if {
	not is_money(amount_of(check))
} else := {"verdict": "deny", "code": "currency_not_covered"} if {
	not check.allow_up_to[amount_of(check).currency]
} else := {"verdict": "deny", "code": "amount_not_positive"} if {
	amount_of(check).minor_units <= 0
} else := {"verdict": "deny", "code": "counter_missing"} if {
	not whole(left_before(check))
} else := {"verdict": "allow", "code": "within_limit"} if {
	amount_of(check).minor_units + left_before(check) <= check.allow_up_to[amount_of(check).currency]
} else := {"verdict": "approval_needed", "code": "above_limit_needs_approval"} if {
	amount_of(check).minor_units + left_before(check) <= check.approval_up_to[amount_of(check).currency]
} else := {"verdict": "deny", "code": "over_limit"}

amount_of(check) := object.get(input, check.path, null)

left_before(check) := 0 if not check.counters

left_before(check) := before if {
	check.counters
	amounts := object.get(input, ["counters", counter_of(check), "amounts"], null)
	before := amount_in(amounts, amount_of(check).currency)
}

amount_in(amounts, currency) := object.get(amounts, currency, 0) if is_object(amounts)

amount_in(amounts, _) := null if not is_object(amounts)
