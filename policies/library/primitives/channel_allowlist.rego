package countersign.decision

findings contains finding("deny", rule.id, "channel_not_listed") if {
	some rule in matched
	rule.channel_allowlist
	not lists_channel(rule)
}

lists_channel(rule) if input.channel in rule.channel_allowlist

lists_channel(rule) if input.action.destination in rule.channel_allowlist
