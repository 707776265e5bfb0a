"""Collections in other people's formats: Hugging Face, WebDataset, Croissant."""
