"""Primers at the ends of reads: found with errors and on either strand, never inside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.media.barcodes import IUPAC
from holotype.media.primers import (
    LEAST_LEFT_BP,
    PRIMERS,
    REACH_BP,
    Primer,
    find_primers,
    without_primers,
)
from holotype.media.strands import reverse_complement

LCO1490 = "GGTCAACAAATCATAAAGATATTGG"
HCO2198 = "TAAACTTCAGGGTGACCAAAAAATCA"
INSIDE = "".join(np.random.default_rng(5).choice(list("ACGT"), size=200))
AMPLICON = LCO1490 + INSIDE + reverse_complement(HCO2198)


def test_the_folmer_primers_come_off_on_either_strand() -> None:
    ends = find_primers(AMPLICON)
    assert ends.start is not None
    assert ends.end is not None
    assert (ends.start.name, ends.end.name) == ("LCO1490", "HCO2198")
    assert (ends.start_bp, ends.end_bp) == (25, 26)
    assert without_primers(AMPLICON) == INSIDE
    turned = find_primers(reverse_complement(AMPLICON))
    assert turned.start is not None
    assert turned.start.name == "HCO2198"
    assert without_primers(reverse_complement(AMPLICON)) == reverse_complement(INSIDE)


def test_a_sequencing_tail_before_the_primer_goes_with_it() -> None:
    m13 = "TGTAAAACGACGGCCAGT"
    assert without_primers(m13 + AMPLICON) == INSIDE


def test_three_errors_are_forgiven_and_four_are_not() -> None:
    # 25 determined bases x 0.15 = 3 edits: two replaced and one lost are found, one more is not.
    assert without_primers("CGTCAACAATTCATAAAGATTTGG" + INSIDE) == INSIDE
    damaged = "CGTCATCAATTCATAAAGATTTGG" + INSIDE
    assert without_primers(damaged) == damaged


def test_degenerate_primers_equal_the_bases_they_stand_for() -> None:
    # GGWACWGGWTGAACWGTWTAYCCYCC (mlCOIintF) as one of its 128 forms.
    ends = find_primers("GGAACTGGATGAACAGTTTACCCTCC" + INSIDE)
    assert ends.start is not None
    assert (ends.start.name, ends.start_bp) == ("mlCOIintF", 26)


def test_a_run_of_n_is_no_primer() -> None:
    read = "N" * 30 + INSIDE + "N" * 30
    assert without_primers(read) == read


def test_a_primer_inside_stays() -> None:
    read = INSIDE[:100] + LCO1490 + INSIDE[100:]
    assert without_primers(read) == read


def test_a_read_that_would_vanish_keeps_its_ends() -> None:
    short = LCO1490 + INSIDE[: LEAST_LEFT_BP - 1]
    assert without_primers(short) == short
    assert without_primers(short + INSIDE[LEAST_LEFT_BP - 1]) == INSIDE[:LEAST_LEFT_BP]
    assert without_primers("") == ""


def test_other_primers_can_be_named() -> None:
    own = Primer("own", "ITS", "ACGTTGCAAGGCTTACGATC", "this test")
    read = own.nucleotides + INSIDE
    assert without_primers(read) == read
    assert without_primers(read, [own]) == INSIDE
    assert without_primers(AMPLICON, [own]) == AMPLICON


@pytest.mark.parametrize("primer", PRIMERS, ids=lambda primer: primer.name)
def test_each_primer_fits_its_reach_and_is_found(primer: Primer) -> None:
    assert len(primer.nucleotides) + 18 <= REACH_BP
    first_base = {"R": "A", "Y": "C", "S": "C", "W": "A", "K": "G", "M": "A"}
    first_base |= {"B": "C", "D": "A", "H": "A", "V": "A", "N": "A"}
    written = "".join(first_base.get(letter, letter) for letter in primer.nucleotides)
    ends = find_primers(written + INSIDE)
    assert ends.start_bp == len(primer.nucleotides)


@given(st.text(alphabet=sorted(IUPAC), max_size=200), st.sampled_from(PRIMERS), st.booleans())
def test_what_is_left_is_a_middle_of_the_read(text: str, primer: Primer, at_end: bool) -> None:
    read = text + reverse_complement(primer.nucleotides) if at_end else primer.nucleotides + text
    ends = find_primers(read)
    left = without_primers(read)
    assert read[ends.start_bp : len(read) - ends.end_bp] == left
    assert max(ends.start_bp, ends.end_bp) <= REACH_BP
    assert len(left) >= min(len(read), LEAST_LEFT_BP)
    # The other strand loses the same bases.
    turned = find_primers(reverse_complement(read))
    assert (turned.start_bp, turned.end_bp) == (ends.end_bp, ends.start_bp)
