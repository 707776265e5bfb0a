"""Answers -> other people's formats: one writer a format, all in one table."""
