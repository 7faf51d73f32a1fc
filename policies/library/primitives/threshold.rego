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

limited_amount(check) := found if {
	amount := object.get(input, check.path, null)
	is_money(amount)
	found := limited(check, amount, left_before(check, amount.currency))
} else := {"verdict": "deny", "code": "amount_missing"}

limited(check, amount, before) := {"verdict": "deny", "code": "currency_not_covered"} if {
	not check.allow_up_to[amount.currency]
} else := {"verdict": "deny", "code": "amount_not_positive"} if {
	amount.minor_units <= 0
} else := {"verdict": "deny", "code": "counter_missing"} if {
	not counted(before)
} else := {"verdict": "allow", "code": "within_limit"} if {
	amount.minor_units + before <= check.allow_up_to[amount.currency]
} else := {"verdict": "approval_needed", "code": "above_limit_needs_approval"} if {
	amount.minor_units + before <= check.approval_up_to[amount.currency]
} else := {"verdict": "deny", "code": "over_limit"}

# What left in the window before this; null where nobody has counted.
left_before(check, currency) := 0 if {
	not check.counters
} else := before if {
	amounts := object.get(input, ["counters", counter_of(check), "amounts"], null)
	is_object(amounts)
	before := object.get(amounts, currency, 0)
} else := null
