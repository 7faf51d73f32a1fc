"""One file per thing that the linter looks at; `adapters.policy.lint` asks them all."""
