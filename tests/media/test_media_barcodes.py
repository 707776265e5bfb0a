"""Barcodes cleaned: what is lost is only what carries nothing."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.errors import MediaError
from holotype.media.barcodes import IUPAC, MAX_BP, clean_barcode

BASES = st.text("ACGT", min_size=1, max_size=60)
NUCLEOTIDES = st.text("ACGTRYSWKMBDHVN", max_size=60).map(lambda text: f"A{text}C")


@pytest.mark.parametrize(
    ("written", "nucleotides", "ambiguous"),
    [
        ("ACGT", "ACGT", 0),
        ("--acgu?N-RTTG", "ACGTNNRTTG", 3),
        ("NNNNACGTNNNN", "ACGT", 0),
        ("ACG\nTAC\r\nGG T~..", "ACGTACGGT", 0),
        ("?AC?", "AC", 0),
        ("RAY", "RAY", 2),
    ],
)
def test_by_hand(written, nucleotides, ambiguous):
    barcode = clean_barcode(written)
    assert (barcode.nucleotides, barcode.ambiguous) == (nucleotides, ambiguous)


@given(NUCLEOTIDES)
def test_cleaning_is_idempotent_and_leaves_iupac_alone(written):
    once = clean_barcode(written)
    assert clean_barcode(once.nucleotides) == once
    assert set(once.nucleotides) <= IUPAC
    assert once.nucleotides == written.strip("N")
    assert once.ambiguous == sum(letter not in "ACGT" for letter in once.nucleotides)


@given(
    NUCLEOTIDES, st.lists(st.tuples(st.integers(0, 60), st.sampled_from("-.~ \t\n")), max_size=8)
)
def test_case_gaps_blanks_and_rna_do_not_matter(written, gaps):
    noisy = list(written.lower().replace("t", "u"))
    for position, gap in gaps:
        noisy.insert(min(position, len(noisy)), gap)
    found = clean_barcode("NN" + "".join(noisy) + "--n")
    assert found == clean_barcode(written)
    assert found.haplotype == clean_barcode(written).haplotype


@given(BASES, BASES)
def test_haplotypes_are_equal_exactly_for_equal_sequences(first, second):
    equal = clean_barcode(first).haplotype == clean_barcode(second).haplotype
    assert equal == (first == second)


def test_haplotype_by_hand():
    assert clean_barcode("a-c gt").haplotype == hashlib.sha256(b"ACGT").hexdigest()[:16]


@pytest.mark.parametrize("written", ["", "---", "NNN", " \n", "?N-?"])
def test_nothing_left(written):
    with pytest.raises(MediaError, match=r"^barcode without a single base$"):
        clean_barcode(written)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        # The position is counted in the cleaned letters: gaps and outer N aside.
        ("MTLYFIFGIW", "letter 'L' at base 3 is no nucleotide (an amino-acid sequence?)"),
        ("NN--ACGTXACG", "letter 'X' at base 5 is no nucleotide (an amino-acid sequence?)"),
        ("ACG*", "letter '*' at base 4 is no nucleotide (an amino-acid sequence?)"),
        ("ACG7", "letter '7' at base 4 is no nucleotide"),
        ("AC;GT", "letter ';' at base 3 is no nucleotide"),
    ],
)
def test_foreign_letters(written, message):
    with pytest.raises(MediaError) as caught:
        clean_barcode(written)
    assert str(caught.value) == message


def test_only_ambiguous_bases():
    with pytest.raises(MediaError, match=r"^barcode without a single unambiguous base$"):
        clean_barcode("RYRYKM")


def test_length_limit():
    assert len(clean_barcode("A" * MAX_BP).nucleotides) == MAX_BP == 20_000
    with pytest.raises(MediaError, match=r"^20,001 bp is longer than 20,000 bp: not a barcode$"):
        clean_barcode("A" * (MAX_BP + 1))


@pytest.mark.real
def test_real_barcodes_with_gaps_and_n(real_data):
    import csv

    with (real_data / "dna" / "lepidoptera" / "ACG.csv").open(newline="") as handle:
        written = [row[-1] for row in list(csv.reader(handle))[1:]]
    cleaned = [clean_barcode(letters) for letters in written]
    assert all(clean_barcode(found.nucleotides) == found for found in cleaned)
    assert all("-" not in found.nucleotides for found in cleaned)
    assert any("-" in letters for letters in written)
