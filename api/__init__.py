"""HTTP doors: verify, commit to the inbox, acknowledge."""
