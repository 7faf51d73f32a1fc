package countersign.decision

findings contains finding("deny", data.bundle.rules[place].id, "denied") if {
	some place in matching
	data.bundle.rules[place].deny
}
