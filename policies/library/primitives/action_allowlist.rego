package countersign.decision

findings contains finding(found[0], rule.id, found[1]) if {
	some rule in matched
	rule.action_allowlist
	found := on_the_list(rule.action_allowlist)
}

on_the_list(listed) := ["allow", "action_listed"] if {
	lists_action(listed)
} else := ["deny", "action_not_listed"]

granting contains rule.level if {
	some rule in matched
	rule.action_allowlist
	lists_action(rule.action_allowlist)
}

lists_action(listed) if {
	"*" in listed
} else if {
	input.action.type in listed
}
