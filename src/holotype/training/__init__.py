"""Batches -> a model: the recipe of a run, its optimiser and one readable loop."""
