"""The genetic code and the mutation model under which barcodes evolve.

Reference: Goldman & Yang 1994, "A codon-based model of nucleotide substitution for
protein-coding DNA sequences", 10.1093/oxfordjournals.molbev.a040153 (substitutions accepted by
their effect on the codon); Kimura 1980, 10.1007/BF01731581 (transitions more frequent than
transversions); Hasegawa, Kishino & Yano 1985, 10.1007/BF02101694 (unequal base frequencies).
Deviations: acceptance of an amino-acid change depends on a constraint of the codon alone, not on
the pair of amino acids; branch lengths are in mutations offered per site, not accepted.
"""

import numpy as np
from numpy.typing import NDArray

BASES = "TCAG"
"""Base codes 0..3."""
BARCODE_BP = 658
"""Length of the Folmer fragment without primers."""
FRAME_OFFSET = 1
"""Codons start at the second base of the barcode; the first ends a codon."""
NUM_CODONS = (BARCODE_BP - FRAME_OFFSET) // 3
CODE = "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSSSSVVVVAAAADDEEGGGG"
"""Invertebrate mitochondrial code (NCBI table 5), codons in the order TTT, TTC, TTA, ... GGG."""
KAPPA = 4.0
"""Rate of transitions relative to transversions."""
BASE_FREQUENCIES = (0.44, 0.12, 0.34, 0.10)
"""Equilibrium of T, C, A, G under mutation alone; AT-rich as in arthropod mitochondria."""

Sequence = NDArray[np.uint8]
"""Base codes, shape (658,)."""

_AMINO_ACIDS = {
    "L": 15, "G": 9, "S": 9, "I": 9, "A": 8, "F": 8, "M": 6, "T": 6, "P": 6, "V": 6, "N": 6,
    "D": 3, "W": 2, "H": 2, "Y": 2, "R": 1.5, "E": 1, "Q": 1, "K": 0.5, "C": 0.3,
}  # fmt: skip
"""Rough share in per cent of the amino acids of a membrane-bound oxidase subunit."""


def ancestor(rng: np.random.Generator) -> Sequence:
    """A random open reading frame with the composition of COI; it is no real sequence."""
    letters = list(_AMINO_ACIDS)
    weights = np.array([_AMINO_ACIDS[letter] for letter in letters], dtype=np.float64)
    protein = rng.choice(letters, size=NUM_CODONS, p=weights / weights.sum())
    bases = [int(rng.choice(4, p=BASE_FREQUENCIES))]
    for letter in protein:
        codons = [index for index, amino_acid in enumerate(CODE) if amino_acid == letter]
        share = np.array([BASE_FREQUENCIES[index % 4] for index in codons])
        codon = int(rng.choice(codons, p=share / share.sum()))
        bases += [codon // 16, codon // 4 % 4, codon % 4]
    return np.array(bases, dtype=np.uint8)


def constraints(rng: np.random.Generator) -> NDArray[np.float64]:
    """The chance that each codon accepts a change of its amino acid, shape (219,), mostly small."""
    return np.asarray(np.minimum(1.0, rng.gamma(0.25, 0.14, size=NUM_CODONS)))


def translate(sequence: Sequence) -> str:
    """The amino acids of a sequence in the barcode's frame; ``*`` is a stop."""
    codons_C3 = sequence[FRAME_OFFSET:].reshape(-1, 3).astype(int)
    return "".join(CODE[codon] for codon in codons_C3 @ np.array([16, 4, 1]))


def to_text(sequence: Sequence) -> str:
    """The sequence in the letters A, C, G, T."""
    return "".join(BASES[base] for base in sequence)


def evolve(
    sequence: Sequence,
    *,
    mutations_per_bp: float,
    constraint_C: NDArray[np.float64],
    rng: np.random.Generator,
) -> Sequence:
    """The sequence after a branch on which mutations were offered and mostly purged.

    Args:
        sequence: The sequence at the start of the branch.
        mutations_per_bp: Mutations offered per base along the branch.
        constraint_C: From ``constraints``.
        rng: The branch's own generator.
    """
    evolved = sequence.copy()
    num_offered = int(rng.poisson(mutations_per_bp * BARCODE_BP))
    _offer(evolved, num_offered=num_offered, constraint_C=constraint_C, rng=rng)
    return evolved


def mutate(
    sequence: Sequence,
    *,
    num_changes: int,
    constraint_C: NDArray[np.float64],
    rng: np.random.Generator,
) -> Sequence:
    """The sequence after exactly ``num_changes`` accepted mutations."""
    mutated = sequence.copy()
    accepted = 0
    while accepted < num_changes:
        accepted += _offer(mutated, num_offered=1, constraint_C=constraint_C, rng=rng)
    return mutated


def _offer(
    sequence: Sequence,
    *,
    num_offered: int,
    constraint_C: NDArray[np.float64],
    rng: np.random.Generator,
) -> int:
    """Offer mutations to a sequence in place; returns how many were accepted."""
    sites = rng.integers(BARCODE_BP, size=num_offered).tolist()
    targets = rng.choice(4, size=num_offered, p=BASE_FREQUENCIES).tolist()
    draws = rng.random(num_offered).tolist()
    accepted = 0
    for site, target, draw in zip(sites, targets, draws, strict=True):
        found = int(sequence[site])
        is_transition = found // 2 == target // 2
        chance = 0.0 if found == target else 1.0 if is_transition else 1.0 / KAPPA
        if draw < chance * _acceptance(sequence, site, target, constraint_C):
            sequence[site] = target
            accepted += 1
    return accepted


def _acceptance(
    sequence: Sequence, site: int, target: int, constraint_C: NDArray[np.float64]
) -> float:
    """The chance that selection lets a mutation pass: 1 if silent, 0 if it makes a stop."""
    if site < FRAME_OFFSET:
        return 0.5
    number, position = divmod(site - FRAME_OFFSET, 3)
    start = FRAME_OFFSET + 3 * number
    codon = [int(base) for base in sequence[start : start + 3]]
    before = CODE[16 * codon[0] + 4 * codon[1] + codon[2]]
    codon[position] = target
    after = CODE[16 * codon[0] + 4 * codon[1] + codon[2]]
    if after == "*":
        return 0.0
    return 1.0 if after == before else float(constraint_C[number])
