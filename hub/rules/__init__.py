"""One module per rule, pure: what is known and now, to findings."""
