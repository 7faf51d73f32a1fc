package countersign.decision

findings contains finding("approval_needed", rule.id, "approval_required") if {
	some rule in matched
	rule.require_approval
}
