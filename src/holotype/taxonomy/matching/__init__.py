"""Written names -> taxa of a backbone: exact, synonym, then fuzzy, under the context; never guessed."""
