"""One file per primitive: what authors write, what engines read, what it finds, and how people are told.

Its Rego is `policies/library/primitives/` under the same name. Register it in `adapters.policy.bundle.Rule`.
"""
