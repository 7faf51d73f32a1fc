package countersign.decision

findings contains finding("deny", rule.id, "resource_tenant_missing") if {
	some rule in matched
	rule.tenant_scope
	not is_string(input.action.resource_tenant_id)
}

findings contains finding("deny", rule.id, "resource_of_other_tenant") if {
	some rule in matched
	rule.tenant_scope
	is_string(input.action.resource_tenant_id)
	not input.action.resource_tenant_id == input.tenant_id
}
