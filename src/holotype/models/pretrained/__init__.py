"""Towers that others trained: where their files are, how they are read, and what must not change."""
