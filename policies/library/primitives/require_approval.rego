package countersign.decision

findings contains finding("approval_needed", data.bundle.rules[place].id, "approval_required") if {
	some place in matching
	data.bundle.rules[place].require_approval
}
