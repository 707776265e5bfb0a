"""How sure is it? Calibrated probabilities on the tree, the deepest safe rank, and two kinds of doubt."""
