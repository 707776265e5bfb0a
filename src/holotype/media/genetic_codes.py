"""Which genetic code translates a marker of an organism, and the codes themselves.

Source: Elzanowski and Ostell, "The Genetic Codes", NCBI
(https://www.ncbi.nlm.nih.gov/Taxonomy/Utils/wprintgc.cgi), by their numbers there. Markers are named as BOLD
names them. Where a group is known to hold more than one code (flatworms 9 and 14, sponges 4 and 5, chytrids
4 and 16, chordates of no known class 2 and 13, green algae 1, 4, 16 and 22, nuclei of ciliates 6 and 1),
several are returned, the usual one first: a sequence that one of them reads without a stop is not faulty.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

BASES = "TCAG"
"""The order of the bases in NCBI's tables; codon number = 16 * first + 4 * second + third."""

_STANDARD = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
GENETIC_CODES: dict[int, str] = {
    1: _STANDARD,
    2: "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSS**VVVVAAAADDEEGGGG",
    3: "FFLLSSSSYY**CCWWTTTTPPPPHHQQRRRRIIMMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
    4: "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
    5: "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSSSSVVVVAAAADDEEGGGG",
    6: "FFLLSSSSYYQQCC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
    9: "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNNKSSSSVVVVAAAADDEEGGGG",
    11: _STANDARD,
    13: "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSSGGVVVVAAAADDEEGGGG",
    14: "FFLLSSSSYYY*CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNNKSSSSVVVVAAAADDEEGGGG",
    16: "FFLLSSSSYY*LCC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
    22: "FFLLSS*SYY*LCC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
    24: "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSSKVVVVAAAADDEEGGGG",
}
"""Amino acids of the 64 codons TTT, TTC, TTA, ... GGG by number of the code; ``*`` is a stop."""


class Genome(StrEnum):
    """Where a marker that codes for a protein lies; the others are not translated."""

    MITOCHONDRION = "mitochondrion"
    PLASTID = "plastid"
    NUCLEUS = "nucleus"


_CODING: tuple[tuple[Genome, str], ...] = (
    (Genome.MITOCHONDRION, r"COX?(I{1,3}|[123])|CYTB|COB|NA?D\d[A-Z]*|ATP[68]"),
    (Genome.PLASTID, r"RBCL[A-Z]?|MATK|TUFA|PSBA|ATPB|NDHF"),
    (
        Genome.NUCLEUS,
        r"EF1.*|H3|H4|WNT1?|WINGLESS|CAD\d?|RPS5|ARGKIN|GAPDH|MDH|IDH|RHO|RAG[12]|RPB[12]",
    ),
)
_INTERRUPTED = frozenset({"PSBA-TRNH", "TRNH-PSBA"})

_KINGDOM_OF_CODES: dict[str, tuple[int, ...]] = {
    "Animalia": (5,), "Metazoa": (5,), "Plantae": (1,), "Viridiplantae": (1,), "Archaeplastida": (1, 4),
    "Fungi": (4, 3), "Chromista": (1, 4), "Protozoa": (4, 1), "Protista": (1, 4), "Bacteria": (11,),
    "Archaea": (11,), "Monera": (11,),
}  # fmt: skip
_PHYLUM_OF_CODES: dict[str, tuple[int, ...]] = {
    "Chordata": (2, 13), "Echinodermata": (9,), "Hemichordata": (5, 9, 24), "Platyhelminthes": (9, 14),
    "Cnidaria": (4,), "Ctenophora": (4,), "Porifera": (4, 5), "Placozoa": (4,), "Streptophyta": (1,),
    "Tracheophyta": (1,), "Bryophyta": (1,), "Chlorophyta": (1, 4, 16, 22), "Rhodophyta": (4, 1),
    "Ciliophora": (4,), "Haptophyta": (4, 1), "Ascomycota": (4, 3), "Basidiomycota": (4,),
    "Chytridiomycota": (4, 16),
    "Xenacoelomorpha": (5, 9),
}  # fmt: skip
_VERTEBRATES = (
    "Vertebrata", "Actinopteri", "Actinopterygii", "Teleostei", "Holostei", "Chondrostei", "Cladistii",
    "Osteichthyes", "Chondrichthyes", "Elasmobranchii", "Holocephali", "Sarcopterygii", "Coelacanthi",
    "Coelacanthimorpha", "Dipneusti", "Dipnomorpha", "Agnatha", "Cyclostomata", "Myxini",
    "Petromyzonti", "Hyperoartia", "Cephalaspidomorphi", "Pisces", "Amphibia", "Reptilia",
    "Lepidosauria", "Squamata", "Sphenodontia", "Testudines", "Crocodylia", "Aves", "Mammalia",
)  # fmt: skip
_CLASS_OF_CODES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_VERTEBRATES, (2,)), "Tunicata": (13,), "Urochordata": (13,),
    "Ascidiacea": (13,), "Thaliacea": (13,), "Appendicularia": (13,), "Larvacea": (13,),
    "Leptocardii": (5,), "Hexactinellida": (5, 4), "Pterobranchia": (24,), "Trematoda": (9, 14),
}  # fmt: skip
_NUCLEAR_CODES_OF_PHYLUM: dict[str, tuple[int, ...]] = {"Ciliophora": (6, 1)}
_UNKNOWN_LINEAGE = (5, 4, 1)


def genome_of(marker: str | None) -> Genome | None:
    """Returns where a coding marker lies; None for markers that are not translated, and for unknown ones.

    >>> genome_of("COI-5P"), genome_of("18S")
    (<Genome.MITOCHONDRION: 'mitochondrion'>, None)
    """
    name = (marker or "").upper().replace(" ", "").replace("_", "-")
    if name in _INTERRUPTED:
        return None
    stem = re.sub(r"-(5P|3P|5'|3'|NUMT|LIKE|ALPHA)$", "", name)
    for genome, pattern in _CODING:
        if re.fullmatch(pattern, stem):
            return genome
    return None


def codes_for(marker: str | None, lineage: Mapping[str, str | None]) -> tuple[int, ...]:
    """Returns the numbers of the genetic codes that may translate a marker, the usual one first.

    Args:
        marker: as BOLD names it.
        lineage: rank -> name; ``class``, ``phylum`` and ``kingdom`` are looked at.

    Returns:
        keys of ``GENETIC_CODES``; none for a marker that is not translated.
    """
    genome = genome_of(marker)
    if genome is None:
        return ()
    if genome is Genome.PLASTID:
        return (11,)
    if genome is Genome.NUCLEUS:
        return _NUCLEAR_CODES_OF_PHYLUM.get(lineage.get("phylum") or "", (1,))
    for rank, table in (
        ("class", _CLASS_OF_CODES), ("phylum", _PHYLUM_OF_CODES), ("kingdom", _KINGDOM_OF_CODES),
    ):  # fmt: skip
        if codes := table.get(lineage.get(rank) or ""):
            return codes
    return _UNKNOWN_LINEAGE
