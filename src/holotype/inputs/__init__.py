"""Record -> tensor: pixels, nucleotides and captions, and the batches made of them."""
