package countersign.decision

findings contains finding("allow", rule.id, "action_listed") if {
	some rule in matched
	lists_action(rule)
}

findings contains finding("deny", rule.id, "action_not_listed") if {
	some rule in matched
	rule.action_allowlist
	not lists_action(rule)
}

granting contains rule.level if {
	some rule in matched
	lists_action(rule)
}

lists_action(rule) if "*" in rule.action_allowlist

lists_action(rule) if input.action.type in rule.action_allowlist
