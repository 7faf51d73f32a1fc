package countersign.decision

findings contains finding("allow", data.bundle.rules[place].id, "action_listed") if {
	some place in matching
	lists_action(data.bundle.rules[place])
}

findings contains finding("deny", data.bundle.rules[place].id, "action_not_listed") if {
	some place in matching
	data.bundle.rules[place].action_allowlist
	not lists_action(data.bundle.rules[place])
}

granting contains data.bundle.rules[place].level if {
	some place in matching
	lists_action(data.bundle.rules[place])
}

lists_action(rule) if "*" in rule.action_allowlist

lists_action(rule) if input.action.type in rule.action_allowlist
