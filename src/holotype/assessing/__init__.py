"""How good is it on my own records? Assessment, what to label next, labels that may be wrong."""
