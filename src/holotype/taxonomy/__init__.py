"""What is it called? Ranks, lineages, labels and the tree above them. Never imports torch."""
