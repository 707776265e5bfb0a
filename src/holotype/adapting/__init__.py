"""A model and a user's own labels -> a model of those labels; and the same model in less room."""
