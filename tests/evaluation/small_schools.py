"""Two recipes that differ in their objective alone, small enough to train in seconds."""

SUPERVISED = """
name = "supervised"
target = "tree"
[model]
embedding_dim = 32
[model.images]
side_px = 32
width = 8
depth = 1
[model.classifier]
kind = "cosine"
[classify]
[augment]
[schedule]
epochs = 3
batch_size = 32
"""
CLIP = (
    SUPERVISED.replace('name = "supervised"', 'name = "clip"')
    .replace('[model.classifier]\nkind = "cosine"\n[classify]\n', "")
    .replace("[augment]", "[model.captions]\nwidth = 16\ndepth = 1\n[augment]")
    + '[align]\npairs = [["image", "caption"]]\n'
)
