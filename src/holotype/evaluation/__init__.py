"""Embedding -> evidence: what a model can and cannot do, with intervals and baselines."""
