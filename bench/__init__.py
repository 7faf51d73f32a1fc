"""What a ticket costs, beside six steps that do nothing. `make bench`."""
