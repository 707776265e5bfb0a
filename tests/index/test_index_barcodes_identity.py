"""Identity over the overlap: worked by hand, and against full dynamic programming."""

import numpy as np
import pytest

from holotype.errors import MediaError
from holotype.index.barcodes.identity import Overlap, overlap_at
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.masks import masks_of, tidy
from holotype.index.barcodes.places import where_alike
from holotype.index.barcodes.search import search
from holotype.index.barcodes.words import clear_words, counts_of_four, seeds_of, words_of_eight
from holotype.media.kmers import kmer_counts
from holotype.media.strands import reverse_complement

RNG = np.random.default_rng(11)
CORE = "".join(RNG.choice(list("ACGT"), 240))
OTHER = str.maketrans("ACGT", "GTAC")


def changed(text, *places):
    letters = list(text)
    for place in places:
        letters[place] = letters[place].translate(OTHER)
    return "".join(letters)


def overlap(query, reference):
    """What a search says of one pair."""
    hits = search(BarcodeLibrary.of([reference]), [query], k=1, min_overlap_bp=1)
    compared, identity = int(hits.overlap_QK[0, 0]), float(hits.identity_QK[0, 0])
    return Overlap(round(compared * (1 - identity / 100)), compared)


def by_edlib(query, reference):
    """As ``overlap``, but every gap is looked for by full alignment at the commonest shift."""
    query, references = masks_of([query]), masks_of([reference])
    pair = np.zeros(1, np.int64)
    places = where_alike(query, seeds_of(references), pair, pair)
    return overlap_at(query.of(0), references.of(0), int(places.shift_P[0]))


def dynamic(query, reference):
    """The best overlap of free ends by full dynamic programming: (different, compared).

    Match +1, difference -2, first base of a gap -9, each further one -1; N is worth nothing.
    """
    sets = {
        "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT",
        "M": "AC", "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
    }  # fmt: skip
    nothing = (-np.inf, 0, 0)
    n, m = len(query), len(reference)
    # Each cell: (score, differences, compared columns), for ends in a pair, in a gap of either kind.
    pair = [[nothing] * (m + 1) for _ in range(n + 1)]
    down = [[nothing] * (m + 1) for _ in range(n + 1)]
    right = [[nothing] * (m + 1) for _ in range(n + 1)]
    for i in range(n + 1):
        pair[i][0] = (0.0, 0, 0)
    for j in range(m + 1):
        pair[0][j] = (0.0, 0, 0)

    def plus(cell, score, different, compared):
        return (cell[0] + score, cell[1] + different, cell[2] + compared)

    for i in range(1, n + 1):
        for j in range(1, m + 1):
            before = max(pair[i - 1][j - 1], down[i - 1][j - 1], right[i - 1][j - 1])
            if "N" in (query[i - 1], reference[j - 1]):
                pair[i][j] = plus(before, 0, 0, 0)
            elif set(sets[query[i - 1]]) & set(sets[reference[j - 1]]):
                pair[i][j] = plus(before, 1, 0, 1)
            else:
                pair[i][j] = plus(before, -2, 1, 1)
            down[i][j] = max(plus(pair[i - 1][j], -9, 1, 1), plus(down[i - 1][j], -1, 1, 1))
            right[i][j] = max(plus(pair[i][j - 1], -9, 1, 1), plus(right[i][j - 1], -1, 1, 1))
    last = [pair[n][j] for j in range(m + 1)] + [pair[i][m] for i in range(n + 1)]
    return max(last)[1:]


@pytest.mark.parametrize(
    ("query", "reference", "different", "compared"),
    [
        pytest.param(CORE, CORE, 0, 240, id="equal"),
        pytest.param(changed(CORE, 5, 120, 239), CORE, 3, 240, id="three substitutions, one at the end"),
        pytest.param(CORE[40:200], CORE, 0, 160, id="the query lies inside"),
        pytest.param(CORE, CORE[40:200], 0, 160, id="the reference lies inside"),
        pytest.param("GATTACA" * 8 + CORE[:130], CORE, 0, 130, id="only ends overlap, left"),
        pytest.param(CORE[100:] + "GATTACA" * 8, CORE, 0, 140, id="only ends overlap, right"),
        pytest.param(CORE[:120] + CORE[121:], CORE, 1, 240, id="one base lost"),
        pytest.param(CORE[:120] + "ACG" + CORE[120:], CORE, 3, 243, id="three bases gained"),
        pytest.param(CORE[:60] + CORE[62:], CORE, 2, 240, id="two lost far from the middle"),
        pytest.param(CORE[:100] + "NNNNN" + CORE[105:], CORE, 0, 235, id="N is not compared"),
        pytest.param(CORE, CORE[:100] + "N" + CORE[101:], 0, 239, id="N of the reference neither"),
        pytest.param("N".join([CORE[:30], CORE[31:80], CORE[81:110] + CORE[111:]]), CORE, 1, 238,
                     id="N beside a lost base"),
    ],
)  # fmt: skip
def test_worked_by_hand(query, reference, different, compared):
    assert overlap(query, reference) == Overlap(different, compared)


def test_identity_is_the_share_of_equal_columns():
    assert overlap(changed(CORE, 7, 77, 177), CORE).identity_pct == pytest.approx(100 * 237 / 240)
    assert Overlap(0, 0).identity_pct == 0.0


@pytest.mark.parametrize(
    ("code", "base", "equal"),
    [("R", "A", True), ("R", "C", False), ("Y", "T", True), ("B", "A", False), ("V", "G", True)],
)
def test_ambiguity_codes_equal_what_they_may_stand_for(code, base, equal):
    reference = CORE[:100] + base + CORE[101:]
    query = CORE[:100] + code + CORE[101:]
    assert overlap(query, reference) == Overlap(0 if equal else 1, 240)
    assert overlap(reference, query) == Overlap(0 if equal else 1, 240)


def test_two_codes_are_equal_where_they_share_a_base():
    query, reference = CORE[:100] + "R" + CORE[101:], CORE[:100] + "W" + CORE[101:]
    assert overlap(query, reference) == Overlap(0, 240)
    assert overlap(query, CORE[:100] + "Y" + CORE[101:]) == Overlap(1, 240)


def test_codes_are_heeded_beside_gaps():
    query = CORE[:50] + "R" + CORE[51:120] + CORE[121:]
    reference = CORE[:50] + "A" + CORE[51:]
    assert overlap(query, reference) == Overlap(1, 240)
    assert overlap(query, CORE[:50] + "C" + CORE[51:]) == Overlap(2, 240)


def test_a_short_overlap_does_not_beat_a_long_one_by_luck():
    short, long = Overlap(0, 100), Overlap(2, 650)
    assert short.identity_pct > long.identity_pct
    assert short.distance == 1 / 102
    assert long.distance == 3 / 652
    assert long.distance < short.distance
    assert Overlap(0, 300).distance < Overlap(2, 650).distance


def related(rng):
    """A pair with some differences, at most one gap well inside, codes, N, and ends of their own."""
    core = rng.choice(list("ACGT"), 150)
    query = core.copy()
    for place in rng.choice(np.arange(150), rng.integers(0, 9), replace=False):
        query[place] = str(query[place]).translate(OTHER)
    for place in rng.integers(0, 150, rng.integers(0, 4)):
        query[place] = rng.choice(list("NRYSWKM"))
    first, second = "".join(query), "".join(core)
    if rng.random() < 0.5:
        place, size = rng.integers(50, 95), rng.integers(1, 4)
        first = first[:place] + first[place + size :]
    left, right = rng.integers(0, 2, 2)
    ends = ["".join(rng.choice(list("ACGT"), rng.integers(0, 12))) for _ in range(2)]
    first = (ends[0] if left else "") + first + (ends[1] if right else "")
    second = ("" if left else ends[0]) + second + ("" if right else ends[1])
    return first, second


@pytest.mark.parametrize("overlap", [overlap, by_edlib])
def test_as_full_dynamic_programming(overlap):
    rng = np.random.default_rng(5)
    pairs = [related(rng) for _ in range(40)]
    found = [overlap(*pair) for pair in pairs]
    expected = [dynamic(*pair) for pair in pairs]
    identity = np.array([one.identity_pct for one in found])
    wanted = np.array([100 * (1 - different / compared) for different, compared in expected])
    # A gap may be laid so that one N more or less is beside it: a column, not a difference.
    np.testing.assert_allclose(identity, wanted, atol=0.1)
    same = np.mean([tuple(one) == two for one, two in zip(found, expected, strict=True)])
    assert same > 0.9


def test_order_of_the_two_does_not_matter():
    rng = np.random.default_rng(6)
    for first, second in (related(rng) for _ in range(80)):
        there, back = overlap(first, second), overlap(second, first)
        assert there.identity_pct == pytest.approx(back.identity_pct, abs=0.1)


def test_masks_there_and_back():
    sequences = ["ACGTRYSWKMBDHVN", "", "T", "GATTACA"]
    masks, turned = masks_of(sequences), masks_of(sequences).turned()
    assert [masks.text(row) for row in range(4)] == sequences
    assert [turned.text(row) for row in range(4)] == [reverse_complement(s) for s in sequences]
    assert [masks.chosen(np.array([3, 0])).text(row) for row in range(2)] == [
        sequences[3],
        sequences[0],
    ]
    assert len(masks_of([])) == len(masks_of([]).turned()) == 0


def test_untidy_letters_are_tidied_or_named():
    assert tidy("nn-acg u?t..N") == "ACGTNT"
    with pytest.raises(MediaError, match=r"barcodes 2, 3: no nucleotides.* 'E' at base 4"):
        masks_of(["ACGT", "ACGE", "X"])


def test_words_do_not_cross_sequences_or_unclear_bases():
    rng = np.random.default_rng(3)
    sequences = ["".join(rng.choice(list("ACGTN"), n, p=[0.3, 0.2, 0.2, 0.28, 0.02])) for n in
                 (0, 3, 4, 40, 700, 11)]  # fmt: skip
    masks = masks_of(sequences)
    np.testing.assert_array_equal(counts_of_four(masks), kmer_counts(sequences, 4))
    for bases in (4, 8, 12):
        clear = clear_words(masks.mask_B, bases)
        windows = [
            set(text[p : p + bases]) <= set("ACGT") and len(text[p : p + bases]) == bases
            for text in sequences
            for p in range(len(text) + 1)
        ]
        assert clear.tolist() == windows


def test_counts_stop_at_255():
    assert counts_of_four(masks_of(["A" * 400]))[0, 0] == 255


def test_every_eighth_word_of_eight_is_a_seed():
    masks = masks_of(["ACGTACGTACGTAAAA", "ACGTACG", "TTTTTTTTT"])
    seeds = seeds_of(masks)
    assert seeds.start_N.tolist() == [0, 2, 2, 3]
    words = words_of_eight(masks.mask_B)
    assert seeds.word_S.tolist() == [words[0], words[8], words[masks.start_N[2]]]
    assert seeds.word_S[2] == 0xFFFF


@pytest.mark.parametrize("first", [-700, -30, -1, 0, 3, 39, 41, 700])
def test_bases_are_laid_from_any_place_on(first):
    sequences = ["ACGTNACG" * 5, "T" * 3, "GATTACA" * 6]
    masks = masks_of(sequences)
    laid = masks.laid(np.arange(3), np.full(3, first), 50)
    codes = {"A": 1, "C": 2, "G": 4, "T": 8, "N": 0}
    for row, text in enumerate(sequences):
        wanted = [
            codes[text[place]] if 0 <= place < len(text) else 0
            for place in range(first, first + 50)
        ]
        assert laid[row].tolist() == wanted


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("place", [40, 120, 200])
def test_one_gap_of_any_size_on_either_side(size, place):
    lost = CORE[:place] + CORE[place + size :]
    assert overlap(lost, CORE) == Overlap(size, 240)
    assert overlap(CORE, lost) == Overlap(size, 240)


def test_two_gaps_are_aligned():
    query = CORE[:60] + CORE[61:170] + "AC" + CORE[170:]
    assert overlap(query, CORE) == by_edlib(query, CORE) == Overlap(3, 242)
