"""Readers of what people bring, one module a format, all in one table.

A source is a function from an input path and options to a stream of ``Item``; it decides what the items
are and how their fields are called, nothing else: intake checks, names and writes them.
"""

from holotype.collection.sources import fasta, image_folder, simulated, table
from holotype.collection.sources.item import Source

SOURCES: dict[str, Source] = {
    "image-folder": image_folder.read,
    "table": table.read,
    "fasta": fasta.read,
    "simulated": simulated.read,
}
"""Every kind of input that ``holotype import`` takes."""
