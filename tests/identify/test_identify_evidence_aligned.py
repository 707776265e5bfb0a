"""Barcodes beside one another: hand-worked columns, and laws that hold for any pair."""

import pytest

from holotype.identify.evidence.aligned import align
from holotype.media.strands import reverse_complement
from holotype.randomness import generator


@pytest.mark.parametrize(
    ("query", "reference", "columns"),
    [
        ("ACGTTAC", "GGACGATACGG", ("ACGTTAC", "||| |||", "ACGATAC", 1, 3)),
        ("GGACGATACGG", "ACGTTAC", ("ACGATAC", "||| |||", "ACGTTAC", 3, 1)),
        ("ACGTAC", "TTACGCTACTT", ("ACG-TAC", "||| |||", "ACGCTAC", 1, 3)),
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


def test_names_of_records_are_no_html():
    found = align("ACGT" * 20, "ACGT" * 20).html("&lt;b&gt;")
    assert "<b>" not in found
