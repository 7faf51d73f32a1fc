package countersign.decision

findings contains finding("deny", rule.id, code) if {
	some rule in matched
	rule.purpose
	code := purpose_fault(rule.purpose)
}

purpose_fault(listed) := "purpose_missing" if {
	not is_string(purpose_given)
} else := "purpose_not_listed" if {
	not purpose_given in listed
}

purpose_given := object.get(input, "purpose", null)
