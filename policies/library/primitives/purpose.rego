package countersign.decision

findings contains finding("deny", rule.id, "purpose_missing") if {
	some rule in matched
	rule.purpose
	not is_string(input.purpose)
}

findings contains finding("deny", rule.id, "purpose_not_listed") if {
	some rule in matched
	rule.purpose
	is_string(input.purpose)
	not input.purpose in rule.purpose
}
