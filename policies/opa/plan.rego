# How an OPA server is asked (adapters/opa.py): one question for a whole plan. The library above is loaded
# under a name that holds its digest, each policy as data under its version, so one server can hold many.

asked_policy := data.countersign_policies[input.policy]

plan := {"version": asked_policy.version, "answers": answers}

answers := [found |
	some document in input.documents
	found := answer with input as document with data.bundle as asked_policy.document
]
