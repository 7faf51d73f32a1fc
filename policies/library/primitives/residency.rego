package countersign.decision

findings contains finding("deny", rule.id, code) if {
	some rule in matched
	rule.residency
	code := region_fault(rule.residency)
}

region_fault(listed) := "region_missing" if {
	not regions_known
} else := "region_not_listed" if {
	some region in [input.residency.model_region, input.residency.storage_region]
	not region in listed
}

regions_known if {
	is_string(input.residency.model_region)
	is_string(input.residency.storage_region)
}
