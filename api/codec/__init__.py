"""The codec server: lets operators read histories in the Temporal UI and CLI, and writes down who did."""
