# Agents and arguments as each level declares them.
package countersign.decision

# --- arguments -----------------------------------------------------------------------------------

given := input.action.arguments if is_object(input.action.arguments)

default given := {}

findings contains finding("deny", "arguments_fit_their_schema", "argument_unknown") if {
	some level in data.bundle.levels
	schema := level.arguments[input.action.type]
	some name, _ in given
	not schema[name]
}

findings contains finding("deny", "arguments_fit_their_schema", concat(".", ["argument_missing", name])) if {
	some level in data.bundle.levels
	some name, argument in level.arguments[input.action.type]
	argument.optional == false
	not has(given, name)
}

findings contains finding("deny", "arguments_fit_their_schema", concat(".", ["argument_invalid", name])) if {
	some level in data.bundle.levels
	some name, argument in level.arguments[input.action.type]
	has(given, name)
	not fits(argument, given[name])
}

has(map, name) if name in object.keys(map)

fits(argument, value) if {
	argument.type == "text"
	is_string(value)
	value in object.get(argument, "values", [value])
}

fits(argument, value) if {
	argument.type == "flag"
	is_boolean(value)
}

fits(argument, value) if {
	argument.type == "amount"
	is_money(value)
}

fits(argument, value) if {
	argument.type == "integer"
	whole(value)
	within(argument, value)
}

fits(argument, value) if {
	argument.type == "list"
	is_words(value)
	within(argument, count(value))
}

within(argument, size) if {
	size >= object.get(argument, "least", size)
	size <= object.get(argument, "most", size)
}

# --- the chain from the first agent to the one that acts -------------------------------------------

chain := claimed if {
	claimed := input.agent.chain
	is_array(claimed)
}

default chain := []

links := array.concat(chain, [object.get(input, "agent", null)])

ids := [id_of(link) | some link in links]

id_of(link) := object.get(link, "id", null) if is_object(link)

id_of(link) := null if not is_object(link)

level_of(link) := object.get(link, "permission_level", null) if is_object(link)

level_of(link) := null if not is_object(link)

rank := {"read": 0, "draft": 1, "execute_with_approval": 2, "execute": 3}

findings contains finding("deny", "agents_come_from_their_parents", "agents_not_registered") if {
	some level in data.bundle.levels
	not level.agents
	count(links) > 1
}

registries := [level | some level in data.bundle.levels; level.agents]

known_registries := [level | some level in registries; all_registered(level)]

findings contains finding("deny", "agents_come_from_their_parents", "agent_unknown") if {
	some level in registries
	not all_registered(level)
}

all_registered(level) if every id in ids { level.agents[id] }

findings contains finding("deny", "agents_come_from_their_parents", "chain_cyclic") if {
	some level in known_registries
	count({id | some id in ids}) != count(ids)
}

findings contains finding("deny", "agents_come_from_their_parents", "chain_too_deep") if {
	some level in known_registries
	count(ids) > level.max_chain
}

findings contains finding("deny", "agents_come_from_their_parents", "parent_wrong") if {
	some level in known_registries
	parents := [object.get(level.agents[id], "parent", null) | some id in ids]
	parents != array.concat([null], array.slice(ids, 0, count(ids) - 1))
}

findings contains finding("deny", "agents_come_from_their_parents", "permission_forged") if {
	some level in known_registries
	claimed := [level_of(link) | some link in links]
	claimed != [level.agents[id].permission_level | some id in ids]
}

findings contains finding("deny", "agents_come_from_their_parents", "chain_widens") if {
	some level in known_registries
	some place, id in ids
	place > 0
	rank[level.agents[id].permission_level] > rank[level.agents[ids[place - 1]].permission_level]
}

findings contains finding("deny", "agents_come_from_their_parents", "action_out_of_scope") if {
	some level in known_registries
	some id in ids
	scope := level.agents[id].actions
	not action_type in scope
}
