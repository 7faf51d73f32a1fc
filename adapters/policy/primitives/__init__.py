"""One file per primitive: what authors write, what engines read, what it finds, and how people are told.

Its Rego has the same name in `policies/library/primitives/`.
One line in `adapters.policy.bundle.Rule` registers it.
"""
