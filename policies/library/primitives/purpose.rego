package countersign.decision

findings contains finding("deny", rule.id, "purpose_missing") if {
	some rule in matched
	rule.purpose
	not is_string(purpose_given)
}

findings contains finding("deny", rule.id, "purpose_not_listed") if {
	some rule in matched
	rule.purpose
	is_string(purpose_given)
	not purpose_given in rule.purpose
}

purpose_given := object.get(input, "purpose", null)
