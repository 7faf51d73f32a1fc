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

id_of(link) := object.get(link, "id", null) if {
	is_object(link)
} else := null

level_of(link) := object.get(link, "permission_level", null) if {
	is_object(link)
} else := null

rank := {"read": 0, "draft": 1, "execute_with_approval": 2, "execute": 3}

findings contains finding("deny", "agents_come_from_their_parents", "agents_not_registered") if {
	count(chain) > 0
	some level in data.bundle.levels
	not level.agents
}

registries := [level | some level in data.bundle.levels; level.agents]

findings contains finding("deny", "agents_come_from_their_parents", fault) if {
	some level in registries
	some fault in chain_faults(level)
}

chain_faults(level) := faults if {
	every id in ids { level.agents[id] }
	registered := [level.agents[id] | some id in ids]
	faults := {fault | some fault, found in chain_found(level, registered); found}
} else := {"agent_unknown"}

chain_found(level, registered) := {
	"chain_cyclic": count({id | some id in ids}) != count(ids),
	"chain_too_deep": count(ids) > level.max_chain,
	"parent_wrong": [object.get(agent, "parent", null) | some agent in registered] != array.concat([null], array.slice(ids, 0, count(ids) - 1)),
	"permission_forged": [level_of(link) | some link in links] != [agent.permission_level | some agent in registered],
	"chain_widens": widens([rank[agent.permission_level] | some agent in registered]),
	"action_out_of_scope": out_of_scope(registered),
}

widens(ranks) if {
	some place, its in ranks
	place > 0
	its > ranks[place - 1]
} else := false

out_of_scope(registered) if {
	some agent in registered
	agent.actions
	not action_type in agent.actions
} else := false
