package countersign.decision

findings contains finding("deny", data.bundle.rules[place].id, "channel_not_listed") if {
	some place in matching
	data.bundle.rules[place].channel_allowlist
	not lists_channel(data.bundle.rules[place])
}

lists_channel(rule) if input.channel in rule.channel_allowlist

lists_channel(rule) if input.action.destination in rule.channel_allowlist
