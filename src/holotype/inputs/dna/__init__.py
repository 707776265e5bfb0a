"""DNA barcodes for the DNA tower: letters as soft bases, damage for training, the strand."""

from holotype.inputs.dna.damage import BarcodeDamage, corrupt_barcodes
from holotype.inputs.dna.letters import IUPAC_BASES, encode_barcodes, reverse_complement
from holotype.inputs.dna.strand import WORD_BP, learn_strand

__all__ = [
    "IUPAC_BASES",
    "WORD_BP",
    "BarcodeDamage",
    "corrupt_barcodes",
    "encode_barcodes",
    "learn_strand",
    "reverse_complement",
]
