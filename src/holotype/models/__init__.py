"""Tensor -> embedding: towers, heads, losses, and the model on disk."""
