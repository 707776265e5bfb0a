"""Bytes and letters as they come -> checked pixels and nucleotides. Never imports torch."""
