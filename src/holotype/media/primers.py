"""Primers left on a read: common ones, found at its ends and taken off.

Place in the path: the DNA towers take primers off before they read. A primer is searched near the ends only,
with errors, on either strand; what lies inside a read is never touched.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import edlib

from holotype.media.strands import reverse_complement

REACH_BP = 45
"""A primer is searched within so many bases of an end: the longest, and a sequencing tail of 18."""
ERRORS = 0.15
"""Edits allowed, as a share of the primer's determined bases: 3 in 20 to 26, 2 in 14 to 19."""
LEAST_LEFT_BP = 40
"""A read of which less than this would be left keeps its ends."""


@dataclass(frozen=True)
class Primer:
    """A primer as it is ordered, 5' to 3', inosine written as N.

    Attributes:
        name: as in the literature.
        marker: what it amplifies.
        nucleotides: IUPAC letters.
        source: where it was published.
    """

    name: str
    marker: str
    nucleotides: str
    source: str


_FOLMER = "Folmer et al. 1994, Mol Mar Biol Biotechnol 3:294-299"
_MEYER = "Meyer 2003, doi:10.1046/j.1095-8312.2003.00197.x"
_GELLER = "Geller et al. 2013, doi:10.1111/1755-0998.12138"
_LERAY = "Leray et al. 2013, doi:10.1186/1742-9994-10-34"
_HEBERT = "Hebert et al. 2004, doi:10.1073/pnas.0406166101"
_WARD = "Ward et al. 2005, doi:10.1098/rstb.2005.1716"
_ELBRECHT = "Elbrecht & Leese 2017, doi:10.3389/fenvs.2017.00011"
_PALUMBI = "Palumbi et al. 1991, The simple fool's guide to PCR"
_MIYA = "Miya et al. 2015, doi:10.1098/rsos.150088"
_BLAXTER = "Blaxter et al. 1998, doi:10.1038/32160"
_STOECK = "Stoeck et al. 2010, doi:10.1111/j.1365-294X.2009.04480.x"
_AMARAL = "Amaral-Zettler et al. 2009, doi:10.1371/journal.pone.0006372"

PRIMERS: tuple[Primer, ...] = (
    Primer("LCO1490", "COI-5P", "GGTCAACAAATCATAAAGATATTGG", _FOLMER),
    Primer("HCO2198", "COI-5P", "TAAACTTCAGGGTGACCAAAAAATCA", _FOLMER),
    Primer("dgLCO1490", "COI-5P", "GGTCAACAAATCATAAAGAYATYGG", _MEYER),
    Primer("dgHCO2198", "COI-5P", "TAAACTTCAGGGTGACCAAARAAYCA", _MEYER),
    Primer("jgLCO1490", "COI-5P", "TNTCNACNAAYCAYAARGAYATTGG", _GELLER),
    Primer("jgHCO2198", "COI-5P", "TANACYTCNGGRTGNCCRAARAAYCA", _GELLER),
    Primer("mlCOIintF", "COI-5P", "GGWACWGGWTGAACWGTWTAYCCYCC", _LERAY),
    Primer("LepF1", "COI-5P", "ATTCAACCAATCATAAAGATATTGG", _HEBERT),
    Primer("LepR1", "COI-5P", "TAAACTTCTGGATGTCCAAAAAATCA", _HEBERT),
    Primer("FishF1", "COI-5P", "TCAACCAACCACAAAGACATTGGCAC", _WARD),
    Primer("FishR1", "COI-5P", "TAGACTTCTGGGTGGCCAAAGAATCA", _WARD),
    Primer("BF2", "COI-5P", "GCHCCHGAYATRGCHTTYCC", _ELBRECHT),
    Primer("BR2", "COI-5P", "TCDGGRTGNCCRAARAAYCA", _ELBRECHT),
    Primer("16Sar", "16S", "CGCCTGTTTATCAAAAACAT", _PALUMBI),
    Primer("16Sbr", "16S", "CCGGTCTGAACTCAGATCACGT", _PALUMBI),
    Primer("MiFish-U-F", "12S", "GTCGGTAAAACTCGTGCCAGC", _MIYA),
    Primer("MiFish-U-R", "12S", "CATAGTGGGGTATCTAATCCCAGTTTG", _MIYA),
    Primer("SSU_F04", "18S", "GCTTGTCTCAAAGATTAAGCC", _BLAXTER),
    Primer("SSU_R22", "18S", "GCCTGCTGCCTTCCTTGGA", _BLAXTER),
    Primer("TAReuk454FWD1", "18S", "CCAGCASCYGCGGTAATTCC", _STOECK),
    Primer("TAReukREV3", "18S", "ACTTTCGTTCTTGATYRA", _STOECK),
    Primer("1391F", "18S", "GTACACACCGCCCGTC", _AMARAL),
    Primer("EukB", "18S", "TGATCCTTCTGCAGGTTCACCTAC", _AMARAL),
)
"""Primers that are searched unless others are named."""

_BASES = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip


@dataclass(frozen=True)
class Ends:
    """What was found at the ends of a read.

    Attributes:
        start: the primer at the start of the read as given, None for none.
        end: the primer at its end, which runs towards the start.
        start_bp: bases to take off at the start: the primer and what is before it.
        end_bp: bases to take off at the end.
    """

    start: Primer | None
    end: Primer | None
    start_bp: int
    end_bp: int


def find_primers(nucleotides: str, primers: Sequence[Primer] = PRIMERS) -> Ends:
    """Returns the primers at both ends of a clean read, whatever its strand.

    An ambiguity code of a primer equals the bases it stands for; one of the read equals nothing, so that a
    run of N is no primer. Of several that fit, the one with the fewest edits a base is taken.

    Reference: Sosic & Sikic 2017, doi:10.1093/bioinformatics/btw753 (edlib, edit distance).
    """
    start, start_bp = _at_start(nucleotides[:REACH_BP], primers)
    end, end_bp = _at_start(reverse_complement(nucleotides[-REACH_BP:]), primers)
    if len(nucleotides) - start_bp - end_bp < LEAST_LEFT_BP:
        return Ends(None, None, 0, 0)
    return Ends(start, end, start_bp, end_bp)


def without_primers(nucleotides: str, primers: Sequence[Primer] = PRIMERS) -> str:
    """Returns the read without the primers at its ends.

    >>> inside = "ACGGATTTGCAGGACTTCTAGGAACATCATTAAGCCTACTAATTCGAG"
    >>> without_primers("GGTCAACAAATCATAAAGATATTGG" + inside) == inside
    True
    """
    ends = find_primers(nucleotides, primers)
    return nucleotides[ends.start_bp : len(nucleotides) - ends.end_bp]


def _at_start(head: str, primers: Sequence[Primer]) -> tuple[Primer | None, int]:
    """Returns the primer that fits best, and where it ends; (None, 0) for none."""
    best: tuple[float, Primer | None, int] = (1.0, None, 0)
    for primer in primers:
        letters, equal, determined = _searched(primer.nucleotides)
        found = edlib.align(
            letters,
            head,
            mode="HW",
            task="distance",
            k=int(ERRORS * determined),
            additionalEqualities=equal,
        )
        if found["editDistance"] >= 0:
            share = found["editDistance"] / determined
            if share < best[0]:
                best = share, primer, found["locations"][0][1] + 1
    return best[1], best[2]


@functools.cache
def _searched(nucleotides: str) -> tuple[str, list[tuple[str, str]], float]:
    """Returns the letters to search, what they equal, and how many bases they determine.

    Codes are in lower case, which no read has.
    """
    codes = sorted(set(nucleotides) & set(_BASES))
    letters = "".join(b.lower() if b in _BASES else b for b in nucleotides)
    equal = [(code.lower(), base) for code in codes for base in _BASES[code]]
    determined = sum(1 - (len(_BASES.get(b, "A")) - 1) / 3 for b in nucleotides)
    return letters, equal, determined
