"""What is it like? Nearest reference records by vectors, exact identity by barcodes."""
