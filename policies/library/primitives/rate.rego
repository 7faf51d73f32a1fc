package countersign.decision

findings contains finding("deny", data.bundle.rules[place].id, "counter_missing") if {
	some place in matching
	data.bundle.rules[place].rate
	not whole(done_before(data.bundle.rules[place].rate))
}

findings contains finding(data.bundle.rules[place].rate.above, data.bundle.rules[place].id, "rate_exceeded") if {
	some place in matching
	done := done_before(data.bundle.rules[place].rate)
	whole(done)
	done + 1 > data.bundle.rules[place].rate.at_most
}

done_before(check) := input.counters[check.counters[input.action.type]].count
