"""Barcodes beside one another: hand-worked columns, and laws that hold for any pair."""

import pytest

from holotype.errors import MediaError
from holotype.identify.evidence.aligned import align
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.search import search
from holotype.media.strands import reverse_complement
from holotype.randomness import generator

LEFT, RIGHT = "ACGTTGCAACGGTACCATTG", "TTGACCGATACGGATCCATA"


@pytest.mark.parametrize(
    ("query", "reference", "columns"),
    [
        ("ACGTTAC", "GGACGATACGG", ("ACGTTAC", "||| |||", "ACGATAC", 1, 3)),
        ("GGACGATACGG", "ACGTTAC", ("ACGATAC", "||| |||", "ACGTTAC", 3, 1)),
        (
            f"{LEFT}{RIGHT}",
            f"GG{LEFT}C{RIGHT}TT",
            (f"{LEFT}-{RIGHT}", f"{'|' * 20} {'|' * 20}", f"{LEFT}C{RIGHT}", 1, 3),
        ),
        ("ACRTAC", "ACGTAC", ("ACRTAC", "||:|||", "ACGTAC", 1, 1)),
    ],
)
def test_columns_by_hand(query, reference, columns):
    found = align(query, reference)
    told = (found.query, found.marks, found.reference, found.query_start, found.reference_start)
    assert told == columns


def test_a_turned_barcode_is_shown_on_the_strand_of_the_reference():
    barcode = "ACGTTGCAACGGTACCATTG"
    found = align(reverse_complement(barcode), f"GG{barcode}CC", strand="-")
    assert found.query == found.reference == barcode
    assert found.reference_start == 3


def test_columns_spell_both_sequences_and_count_on():
    rng = generator(1, "aligned")
    for _ in range(50):
        reference = "".join(rng.choice(list("ACGT"), 150))
        start, end = sorted(rng.choice(150, 2, replace=False).tolist())
        query = list(reference[start : max(end, start + 40)])
        query[len(query) // 2] = rng.choice(list("ACGTN"))
        query = "".join(query)
        found = align(query, reference)
        assert len(found.query) == len(found.marks) == len(found.reference)
        bare = found.reference.replace("-", "")
        assert reference[found.reference_start - 1 :].startswith(bare)
        assert query[found.query_start - 1 :].startswith(found.query.replace("-", ""))
        blocks = found.lines()
        assert "".join(above[6:] for above, _, _ in blocks) == found.query
        assert int(blocks[0][0][:5]) == found.query_start


def test_letters_that_are_no_nucleotides_are_told():
    assert align("nnac-gtacgt", "ACGTACGT").query == "ACGTACGT"
    with pytest.raises(MediaError, match="no nucleotides"):
        align("ACGT!", "ACGT")


def test_names_of_records_are_no_html():
    found = align("ACGT" * 20, "ACGT" * 20).html("&lt;b&gt;")
    assert "<b>" not in found


def test_columns_say_the_identity_that_the_answer_says():
    """Barcodes that overhang one another, on either strand, with N, and some with a base lost."""
    rng = generator(2, "aligned")
    ancestor = "".join(rng.choice(list("ACGT"), 900))
    references = [ancestor[:700], ancestor[150:]]
    library = BarcodeLibrary.of(references, species_N=[0, 1])
    queries = []
    for number in range(40):
        start = int(rng.integers(0, 240))
        letters = list(ancestor[start : start + 620])
        for place in rng.integers(30, 590, 12).tolist():
            letters[place] = str(rng.choice(list("ACGTNR")))
        if number % 4 == 0:
            del letters[300 + number]
        text = "".join(letters)
        queries.append(reverse_complement(text) if number % 2 else text)
    hits = search(library, queries)
    for at, query in enumerate(queries):
        reference = references[int(hits.row_QK[at, 0])]
        found = align(query, reference, strand="+" if hits.strand_Q[at] > 0 else "-")
        pairs = list(zip(found.query, found.marks, found.reference, strict=True))
        compared = [mark for one, mark, other in pairs if "N" not in (one, other)]
        gaps = found.query.count("-") + found.reference.count("-")
        assert gaps == (1 if at % 4 == 0 else 0)
        assert len(compared) == int(hits.overlap_QK[at, 0])
        identity = 100 * sum(mark in "|:" for mark in compared) / len(compared)
        assert identity == pytest.approx(float(hits.identity_QK[at, 0]), abs=1e-3)
