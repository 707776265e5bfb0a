"""Embeddings, logits and masks -> losses: pure functions that know neither recipe nor model."""
