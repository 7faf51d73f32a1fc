package countersign.decision

findings contains finding("deny", rule.id, "counter_missing") if {
	some rule in matched
	rule.rate
	not whole(done_before(rule.rate))
}

findings contains finding(rule.rate.above, rule.id, "rate_exceeded") if {
	some rule in matched
	done := done_before(rule.rate)
	whole(done)
	done + 1 > rule.rate.at_most
}

done_before(check) := object.get(input, ["counters", counter_of(check), "count"], null)

counter_of(check) := object.get(check.counters, [action_type], null)
