"""Plugs adapters into the steps and runs them; relays the inbox to the workflows."""
