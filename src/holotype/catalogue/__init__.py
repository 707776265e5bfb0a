"""Which public collections are there, under which terms, and how to get them."""
