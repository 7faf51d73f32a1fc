package countersign.decision

findings contains finding("allow", rule.id, "allowed") if {
	some rule in matched
	rule.allow
}

granting contains rule.level if {
	some rule in matched
	rule.allow
}
