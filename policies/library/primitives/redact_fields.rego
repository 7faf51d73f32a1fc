package countersign.decision

findings contains finding("sanitize", data.bundle.rules[place].id, "fields_redacted") if {
	some place in matching
	count(data.bundle.rules[place].redact_fields) > 0
}
