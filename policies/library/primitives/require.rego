package countersign.decision

findings contains finding(requirement.otherwise, data.bundle.rules[place].id, requirement.code) if {
	some place in matching
	some requirement in data.bundle.rules[place].require
	not fulfilled(requirement)
}

fulfilled(requirement) if {
	some clause in requirement.when
	every literal in clause { holds(literal) }
}
