package countersign.decision

findings contains finding("deny", rule.id, "region_missing") if {
	some rule in matched
	rule.residency
	not regions_known
}

findings contains finding("deny", rule.id, "region_not_listed") if {
	some rule in matched
	rule.residency
	regions_known
	some region in [input.residency.model_region, input.residency.storage_region]
	not region in rule.residency
}

regions_known if {
	is_string(input.residency.model_region)
	is_string(input.residency.storage_region)
}
