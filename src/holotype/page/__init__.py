"""What the pages share: one style, one way to lay out sections and figures, one file that opens offline."""
