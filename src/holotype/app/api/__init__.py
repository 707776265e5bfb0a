"""The API that programmes call: identify, embed, search, taxa, health and metrics, under ``/api/v1``."""
