"""Answers -> how many of each: counts, corrected for the classifier's confusion, per volume of water."""
