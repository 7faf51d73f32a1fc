# Comparisons of a compiled condition. `known` is false for a field that is missing or of another type; a
# literal then neither holds nor fails, whatever it says.
package countersign.decision

holds(literal) if {
	known(literal)
	literal.negated == false
	compares(literal, object.get(input, literal.path, null))
}

holds(literal) if {
	known(literal)
	literal.negated == true
	not compares(literal, object.get(input, literal.path, null))
}

fails(literal) if {
	known(literal)
	not holds(literal)
}

known(literal) if literal.op == "exists"

known(literal) if {
	not literal.op in {"exists", "equals_field", "at_most_field", "less_than", "at_most", "more_than", "at_least"}
	typed(literal.type, object.get(input, literal.path, null))
}

known(literal) if {
	literal.op in {"less_than", "at_most", "more_than", "at_least"}
	value := object.get(input, literal.path, null)
	typed(literal.type, value)
	limited(literal, value)
}

known(literal) if {
	literal.op in {"equals_field", "at_most_field"}
	value := object.get(input, literal.path, null)
	other := object.get(input, literal.value, null)
	typed(literal.type, value)
	typed(literal.type, other)
	comparable(literal.type, value, other)
}

limited(literal, _) if literal.type == "integer"

limited(literal, value) if {
	literal.type == "amount"
	literal.value[value.currency]
}

comparable(type, _, _) if type != "amount"

comparable("amount", value, other) if value.currency == other.currency

typed("text", value) if is_string(value)

typed("flag", value) if is_boolean(value)

typed("integer", value) if whole(value)

typed("amount", value) if is_money(value)

typed("list", value) if is_words(value)

# Rego orders values of different types (5000 <= [] is true), so only whole numbers are compared. Above 2^53
# readers of JSON disagree about which number was written.
whole(value) if {
	is_number(value)
	abs(value) <= 9007199254740991
	round(value) == value
}

is_money(value) if {
	is_object(value)
	whole(value.minor_units)
	is_string(value.currency)
}

is_words(value) if {
	is_array(value)
	every word in value { is_string(word) }
}

compares(literal, value) if {
	literal.op == "exists"
	typed(literal.type, value)
}

compares(literal, value) if {
	literal.op == "equals"
	value == literal.value
}

compares(literal, value) if {
	literal.op == "in"
	value in literal.value
}

compares(literal, value) if {
	literal.op == "matches"
	regex.match(literal.value, value)
}

compares(literal, value) if {
	literal.op == "contains_any"
	some word in value
	word in literal.value
}

compares(literal, value) if {
	literal.op == "subset_of"
	every word in value { word in literal.value }
}

compares(literal, value) if {
	literal.op == "less_than"
	units_of(value) < limit(literal, value)
}

compares(literal, value) if {
	literal.op == "at_most"
	units_of(value) <= limit(literal, value)
}

compares(literal, value) if {
	literal.op == "more_than"
	units_of(value) > limit(literal, value)
}

compares(literal, value) if {
	literal.op == "at_least"
	units_of(value) >= limit(literal, value)
}

compares(literal, value) if {
	literal.op == "equals_field"
	units_of(value) == units_of(object.get(input, literal.value, null))
}

compares(literal, value) if {
	literal.op == "at_most_field"
	units_of(value) <= units_of(object.get(input, literal.value, null))
}

# The minor units of an amount; anything else is itself.
units_of(value) := value.minor_units if is_object(value)

units_of(value) := value if not is_object(value)

limit(literal, value) := literal.value[value.currency] if literal.type == "amount"

limit(literal, _) := literal.value if literal.type != "amount"
