package countersign.decision

findings contains finding("deny", data.bundle.rules[place].id, "purpose_missing") if {
	some place in matching
	data.bundle.rules[place].purpose
	not is_string(input.purpose)
}

findings contains finding("deny", data.bundle.rules[place].id, "purpose_not_listed") if {
	some place in matching
	data.bundle.rules[place].purpose
	is_string(input.purpose)
	not input.purpose in data.bundle.rules[place].purpose
}
