# Comparisons of a compiled condition. A literal says true or false; where its field is missing or of another
# type it says null, whatever it compares.
#
# An engine tries every definition of a function and ends a chain of `else` at the first that holds: what is
# written most comes first.
package countersign.decision

truth(literal) := says if {
	found := compared(literal, object.get(input, literal.path, null))
	found != null
	says := found != literal.negated
} else := null

compared(literal, value) := found if {
	literal.op == "exists"
	found := typed(literal.type, value)
} else := null if {
	not typed(literal.type, value)
} else := found if {
	literal.op == "equals"
	found := value == literal.value
} else := found if {
	literal.op == "in"
	found := value in literal.value
} else := found if {
	literal.op == "subset_of"
	found := count({word | some word in value} - {word | some word in literal.value}) == 0
} else := found if {
	literal.op == "contains_any"
	found := count({word | some word in value} & {word | some word in literal.value}) > 0
} else := found if {
	literal.op == "matches"
	found := regex.match(literal.value, value)
} else := found if {
	literal.op in {"equals_field", "at_most_field"}
	found := compared_field(literal, value, object.get(input, literal.value, null))
} else := found if {
	wanted := limit(literal, value)
	found := ordered(literal.op, units_of(value), wanted)
} else := null

compared_field(literal, value, other) := found if {
	typed(literal.type, other)
	comparable(literal.type, value, other)
	found := same_or_less(literal.op, units_of(value), units_of(other))
} else := null

same_or_less(op, have, other) := have == other if {
	op == "equals_field"
} else := have <= other

ordered(op, have, wanted) := have < wanted if {
	op == "less_than"
} else := have <= wanted if {
	op == "at_most"
} else := have > wanted if {
	op == "more_than"
} else := have >= wanted if {
	op == "at_least"
}

comparable(type, value, other) if {
	type != "amount"
} else if {
	value.currency == other.currency
}

typed(type, value) := is_string(value) if {
	type == "text"
} else := is_boolean(value) if {
	type == "flag"
} else := is_money(value) if {
	type == "amount"
} else := is_words(value) if {
	type == "list"
} else := whole(value) if {
	type == "integer"
} else := false

# Rego orders values of different types (5000 <= [] is true), so only whole numbers are compared. Above 2^53
# readers of JSON disagree about which number was written.
whole(value) if {
	is_number(value)
	abs(value) <= 9007199254740991
	round(value) == value
} else := false

is_money(value) if {
	is_object(value)
	units := value.minor_units
	is_number(units)
	abs(units) <= 9007199254740991
	round(units) == units
	is_string(value.currency)
} else := false

is_words(value) if {
	is_array(value)
	every word in value { is_string(word) }
} else := false

# The minor units of an amount; anything else is itself.
units_of(value) := value.minor_units if {
	is_object(value)
} else := value

# Undefined for a currency without a limit.
limit(literal, value) := literal.value[value.currency] if {
	literal.type == "amount"
} else := literal.value if {
	literal.type != "amount"
}
