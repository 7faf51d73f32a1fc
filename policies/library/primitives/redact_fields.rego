package countersign.decision

findings contains finding("sanitize", rule.id, "fields_redacted") if {
	some rule in matched
	count(rule.redact_fields) > 0
}
