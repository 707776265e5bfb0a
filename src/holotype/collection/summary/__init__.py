"""One page that shows a collection: what is in it, under which names, from where, and what is doubtful."""
