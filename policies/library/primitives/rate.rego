package countersign.decision

findings contains finding(found[0], rule.id, found[1]) if {
	some rule in matched
	rule.rate
	found := too_often(rule.rate, done_before(rule.rate))
}

too_often(check, done) := ["deny", "counter_missing"] if {
	not counted(done)
} else := [check.above, "rate_exceeded"] if {
	done + 1 > check.at_most
}

done_before(check) := object.get(input, ["counters", counter_of(check), "count"], null)

counter_of(check) := object.get(check.counters, [action_type], null)

# Nobody has done something less than never.
counted(value) if {
	whole(value)
	value >= 0
}
