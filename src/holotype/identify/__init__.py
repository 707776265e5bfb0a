"""A new specimen -> an answer."""
