"""Exact identity of barcodes: candidates by words, alignment of overlaps, gaps between species, consensus."""
