"""The workbench: a page that a biologist opens, and an API that a programme calls."""
