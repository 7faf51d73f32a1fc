package countersign.decision

findings contains finding("deny", rule.id, "resource_tenant_missing") if {
	some rule in matched
	rule.tenant_scope
	not is_string(record_tenant)
}

findings contains finding("deny", rule.id, "resource_of_other_tenant") if {
	some rule in matched
	rule.tenant_scope
	is_string(record_tenant)
	record_tenant != object.get(input, "tenant_id", null)
}

record_tenant := object.get(input, ["action", "resource_tenant_id"], null)
