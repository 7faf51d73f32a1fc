package countersign.decision

findings contains finding(requirement.otherwise, rule.id, requirement.code) if {
	some rule in matched
	some requirement in rule.require
	not fulfilled(requirement)
}

fulfilled(requirement) if {
	some clause in requirement.when
	every literal in clause { truth(literal) == true }
}
