"""A procedural tree of life: specimens with images, barcodes and names whose truth is known.

The collection made here is small enough for a laptop and honest enough that the field's questions
can be asked of it: does DNA help species never seen in training, does an embedding follow the tree,
does a new instrument break a model. It replaces no real data; scores on it say nothing about
scores on real specimens.
"""

from holotype.simulate.instruments import INSTRUMENTS
from holotype.simulate.settings import SimulationSettings
from holotype.simulate.specimens import Specimen, simulate_specimens
from holotype.simulate.tree import RANKS, Species, TaxonTree, build_tree

__all__ = [
    "INSTRUMENTS",
    "RANKS",
    "SimulationSettings",
    "Species",
    "Specimen",
    "TaxonTree",
    "build_tree",
    "simulate_specimens",
]
