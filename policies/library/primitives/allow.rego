package countersign.decision

findings contains finding("allow", data.bundle.rules[place].id, "allowed") if {
	some place in matching
	data.bundle.rules[place].allow
}

granting contains data.bundle.rules[place].level if {
	some place in matching
	data.bundle.rules[place].allow
}
