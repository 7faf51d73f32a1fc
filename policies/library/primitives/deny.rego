package countersign.decision

findings contains finding("deny", rule.id, "denied") if {
	some rule in matched
	rule.deny
}
