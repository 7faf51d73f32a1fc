package countersign.decision

findings contains finding("deny", rule.id, resource_fault) if {
	some rule in matched
	rule.tenant_scope
}

resource_fault := "resource_tenant_missing" if {
	not is_string(record_tenant)
} else := "resource_of_other_tenant" if {
	record_tenant != object.get(input, "tenant_id", null)
}

record_tenant := object.get(input, ["action", "resource_tenant_id"], null)
