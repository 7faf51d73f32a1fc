package countersign.decision

findings contains finding("deny", data.bundle.rules[place].id, "resource_tenant_missing") if {
	some place in matching
	data.bundle.rules[place].tenant_scope
	not is_string(input.action.resource_tenant_id)
}

findings contains finding("deny", data.bundle.rules[place].id, "resource_of_other_tenant") if {
	some place in matching
	data.bundle.rules[place].tenant_scope
	is_string(input.action.resource_tenant_id)
	not input.action.resource_tenant_id == input.tenant_id
}
