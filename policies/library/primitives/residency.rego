package countersign.decision

findings contains finding("deny", data.bundle.rules[place].id, "region_missing") if {
	some place in matching
	data.bundle.rules[place].residency
	not regions_known
}

findings contains finding("deny", data.bundle.rules[place].id, "region_not_listed") if {
	some place in matching
	data.bundle.rules[place].residency
	regions_known
	some region in [input.residency.model_region, input.residency.storage_region]
	not region in data.bundle.rules[place].residency
}

regions_known if {
	is_string(input.residency.model_region)
	is_string(input.residency.storage_region)
}
