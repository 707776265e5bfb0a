def page(content): return ""
