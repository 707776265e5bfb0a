"""Several objectives on one backbone, one split, one budget: who wins what, and which claims hold."""
