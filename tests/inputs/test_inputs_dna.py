"""Letters -> soft bases, the damage that training does to them, and the strand learnt from them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.errors import MediaError, RecipeError
from holotype.inputs.dna import (
    IUPAC_BASES,
    BarcodeDamage,
    corrupt_barcodes,
    encode_barcodes,
    learn_strand,
    reverse_complement,
)
from holotype.inputs.dna.strand import opposite_words
from holotype.media.barcodes import clean_barcode
from holotype.media.kmers import kmer_counts
from holotype.media.primers import PRIMERS, without_primers

WHOLE = {
    "trim_bp": 0,
    "window_probability": 0.0,
    "substitution_rate": 0.0,
    "ambiguous_rate": 0.0,
    "deletion_rate": 0.0,
    "insertion_rate": 0.0,
}
LETTERS = "ACGTURYSWKMBDHVN"
barcodes = st.text(alphabet=LETTERS, max_size=60)


@pytest.mark.parametrize(
    ("letter", "a", "c", "g", "t"),
    [
        ("A", 1, 0, 0, 0),
        ("U", 0, 0, 0, 1),
        ("R", 1 / 2, 0, 1 / 2, 0),
        ("Y", 0, 1 / 2, 0, 1 / 2),
        ("S", 0, 1 / 2, 1 / 2, 0),
        ("W", 1 / 2, 0, 0, 1 / 2),
        ("K", 0, 0, 1 / 2, 1 / 2),
        ("M", 1 / 2, 1 / 2, 0, 0),
        ("B", 0, 1 / 3, 1 / 3, 1 / 3),
        ("D", 1 / 3, 0, 1 / 3, 1 / 3),
        ("H", 1 / 3, 1 / 3, 0, 1 / 3),
        ("V", 1 / 3, 1 / 3, 1 / 3, 0),
        ("N", 1 / 4, 1 / 4, 1 / 4, 1 / 4),
    ],
)
def test_each_letter_shares_its_base_evenly(
    letter: str, a: float, c: float, g: float, t: float
) -> None:
    base_BL4, mask_BL = encode_barcodes([letter], max_bp=5)
    assert base_BL4.dtype == np.float32
    assert base_BL4[0, 0].tolist() == pytest.approx([a, c, g, t])
    assert mask_BL.tolist() == [[True]]


def test_shorter_records_are_padded_with_zeros_on_the_right() -> None:
    base_BL4, mask_BL = encode_barcodes(["ACG", "", "T"], max_bp=10)
    assert base_BL4.shape == (3, 3, 4)
    assert mask_BL.tolist() == [[True] * 3, [False] * 3, [True, False, False]]
    assert base_BL4[2].tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert not base_BL4[1].any()


def test_length_is_cut_at_max_and_filled_up_to_pad() -> None:
    base_BL4, mask_BL = encode_barcodes(["ACGT", "AC"], max_bp=3, pad_to_bp=6)
    assert base_BL4.shape == (2, 6, 4)
    assert mask_BL.sum(axis=1).tolist() == [3, 2]
    assert base_BL4[0, :3].argmax(axis=1).tolist() == [0, 1, 2]  # the first three bases are kept


def test_no_barcodes_give_an_empty_array() -> None:
    base_BL4, mask_BL = encode_barcodes([], max_bp=3, pad_to_bp=2)
    assert base_BL4.shape == (0, 2, 4)
    assert mask_BL.shape == (0, 2)


@given(st.lists(barcodes, min_size=1, max_size=6), st.integers(1, 70))
def test_encoding_agrees_with_a_slow_loop(sequences: list[str], max_bp: int) -> None:
    base_BL4, mask_BL = encode_barcodes(sequences, max_bp=max_bp)
    for row, sequence in enumerate(sequences):
        kept = sequence[:max_bp]
        assert mask_BL[row].tolist() == [place < len(kept) for place in range(mask_BL.shape[1])]
        for place, letter in enumerate(kept):
            bases = IUPAC_BASES[letter]
            expected = [1 / len(bases) if base in bases else 0 for base in "ACGT"]
            assert base_BL4[row, place].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("strange", ["-", "a", "é", "→", "\0"])
def test_a_foreign_letter_is_named_with_its_place(strange: str) -> None:
    with pytest.raises(MediaError, match=r"sequence 1, base 3"):
        encode_barcodes(["ACGT", f"AC{strange}T"], max_bp=10)


def test_max_bp_must_be_positive() -> None:
    with pytest.raises(RecipeError, match="max_bp is 0"):
        encode_barcodes(["A"], max_bp=0)


@given(barcodes.filter(lambda text: "U" not in text))
def test_complement_twice_is_the_sequence(sequence: str) -> None:
    assert reverse_complement(reverse_complement(sequence)) == sequence


@given(barcodes)
def test_complement_pairs_the_bases_of_every_code(sequence: str) -> None:
    pairs = {"A": "T", "C": "G", "G": "C", "T": "A"}
    for letter, opposite in zip(sequence, reversed(reverse_complement(sequence)), strict=True):
        assert {pairs[base] for base in IUPAC_BASES[letter]} == set(IUPAC_BASES[opposite])


def test_no_damage_leaves_barcodes_alone() -> None:
    sequences = ["ACGTRYN" * 40, "", "A"]
    damage = BarcodeDamage(**WHOLE)
    generator = np.random.default_rng(1)
    assert corrupt_barcodes(sequences, damage=damage, generator=generator) == sequences


def test_equal_generators_give_equal_damage_and_others_do_not() -> None:
    sequences = ["ACGT" * 160] * 8
    damage = BarcodeDamage(substitution_rate=0.05, deletion_rate=0.02, reverse_probability=0.5)
    first, again, other = (
        corrupt_barcodes(sequences, damage=damage, generator=np.random.default_rng(seed))
        for seed in (4, 4, 5)
    )
    assert first == again
    assert first != other
    assert len(set(first)) == len(first)  # each copy is damaged anew


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        # A base replaced by a random one of four differs three times of four.
        ({"substitution_rate": 0.2}, 0.15),
        # The share is exponential with this mean; 600 draws leave it within some 10 %.
        ({"ambiguous_rate": 0.05}, 0.05),
        ({"deletion_rate": 0.1}, 0.1),
    ],
)
def test_rates_are_met_over_many_draws(setting: dict[str, float], expected: float) -> None:
    sequence = "A" * 600
    damage = BarcodeDamage(**{**WHOLE, **setting})
    copies = corrupt_barcodes([sequence] * 600, damage=damage, generator=np.random.default_rng(2))
    if "deletion_rate" in setting:
        found = np.mean([1 - len(copy) / len(sequence) for copy in copies])
    else:
        assert {len(copy) for copy in copies} == {len(sequence)}
        found = np.mean([1 - copy.count("A") / len(copy) for copy in copies])
    tolerance = 0.15 if "ambiguous_rate" in setting else 0.03
    assert found == pytest.approx(expected, rel=tolerance)


def test_ambiguous_shares_differ_between_sequences() -> None:
    damage = BarcodeDamage(**{**WHOLE, "ambiguous_rate": 0.05})
    copies = corrupt_barcodes(["A" * 600] * 400, damage=damage, generator=np.random.default_rng(0))
    shares = np.asarray([copy.count("N") / len(copy) for copy in copies])
    # Exponential: the standard deviation equals the mean; equal shares would have 0.009.
    assert 0.035 < shares.std() < 0.065


def test_trimming_takes_ends_and_leaves_a_substring() -> None:
    letters = np.random.default_rng(3).choice(list("ACGT"), size=300)
    sequence = "".join(letters)
    damage = BarcodeDamage(**{**WHOLE, "trim_bp": 20, "window_bp": 50})
    generator = np.random.default_rng(0)
    copies = corrupt_barcodes([sequence] * 800, damage=damage, generator=generator)
    assert all(copy in sequence for copy in copies)
    lengths = [len(copy) for copy in copies]
    assert min(lengths) >= 260
    lefts = {sequence.index(copy) for copy in copies}
    assert lefts == set(range(21))  # every loss from 0 to 20 bp comes up


@pytest.mark.parametrize("num_bases", [0, 1, 40, 149, 151, 400])
def test_windows_and_trims_keep_the_shortest_window(num_bases: int) -> None:
    damage = BarcodeDamage(**{**WHOLE, "trim_bp": 200, "window_probability": 0.5})
    sequence = "ACGTT" * 80
    generator = np.random.default_rng(7)
    copies = corrupt_barcodes([sequence[:num_bases]] * 200, damage=damage, generator=generator)
    assert min(map(len, copies)) >= min(damage.window_bp, num_bases)
    assert max(map(len, copies)) <= num_bases


def test_windows_without_any_other_damage_lie_anywhere_and_have_every_length() -> None:
    sequence = "".join(np.random.default_rng(3).choice(list("ACGT"), size=300))
    damage = BarcodeDamage(**{**WHOLE, "window_probability": 1.0, "window_bp": 200})
    copies = corrupt_barcodes([sequence] * 2000, damage=damage, generator=np.random.default_rng(0))
    assert all(copy in sequence for copy in copies)
    assert {len(copy) for copy in copies} == set(range(200, 301))
    shortest = {sequence.index(copy) for copy in copies if len(copy) < 205}
    assert min(shortest) < 20
    assert max(shortest) > 80


def test_insertions_keep_the_bases_in_order() -> None:
    sequence = "ACGGT" * 100
    damage = BarcodeDamage(**{**WHOLE, "insertion_rate": 0.05})
    copies = corrupt_barcodes([sequence] * 200, damage=damage, generator=np.random.default_rng(0))
    assert np.mean([len(copy) / len(sequence) for copy in copies]) == pytest.approx(1.05, abs=0.005)
    for copy in copies[:20]:
        rest = iter(copy)
        assert all(base in rest for base in sequence)  # a subsequence


def test_a_run_of_n_is_one_run_no_longer_than_said() -> None:
    sequence = "ACGT" * 50
    damage = BarcodeDamage(**WHOLE, run_probability=0.5, run_bp=12)
    copies = corrupt_barcodes([sequence] * 600, damage=damage, generator=np.random.default_rng(0))
    runs = [re.findall("N+", copy) for copy in copies]
    assert {len(found) for found in runs} == {0, 1}
    assert {len(found[0]) for found in runs if found} == set(range(1, 13))
    assert np.mean([bool(found) for found in runs]) == pytest.approx(0.5, abs=0.06)
    assert {len(copy) for copy in copies} == {200}
    short = corrupt_barcodes(["AC"], damage=damage, generator=np.random.default_rng(1))
    assert len(short[0]) == 2


def test_primers_are_left_on_at_either_end_and_found_again() -> None:
    sequence = "".join(np.random.default_rng(3).choice(list("ACGT"), size=300))
    damage = BarcodeDamage(**WHOLE, primer_probability=0.5)
    copies = corrupt_barcodes([sequence] * 400, damage=damage, generator=np.random.default_rng(0))
    assert all(sequence in copy for copy in copies)
    before, after = zip(*(copy.split(sequence) for copy in copies), strict=True)
    assert np.mean([bool(text) for text in before]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([bool(text) for text in after]) == pytest.approx(0.5, abs=0.08)
    assert len({text for text in before if text}) > len(PRIMERS)  # degenerate bases are drawn
    assert all(set(copy) <= set("ACGT") for copy in copies)
    # Another base or two of the barcode may look like the end of a primer; no more.
    assert np.mean([len(sequence) - len(without_primers(copy)) for copy in copies]) < 0.5


@pytest.mark.parametrize(
    "setting",
    [
        {"trim_bp": 5},
        {"window_probability": 1.0},
        {"primer_probability": 1.0},
        {"substitution_rate": 0.1},
        {"ambiguous_rate": 0.1},
        {"run_probability": 1.0},
        {"deletion_rate": 0.1},
        {"insertion_rate": 0.1},
        {"reverse_probability": 1.0},
    ],
)
def test_every_kind_of_damage_shows_by_itself(setting: dict[str, float]) -> None:
    sequence = "".join(np.random.default_rng(3).choice(list("ACGT"), size=400))
    damage = BarcodeDamage(**{**WHOLE, **setting})
    copies = corrupt_barcodes([sequence] * 5, damage=damage, generator=np.random.default_rng(0))
    assert any(copy != sequence for copy in copies)


@given(
    st.lists(barcodes.filter(lambda text: "U" not in text), max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_damaged_barcodes_are_clean_barcodes(sequences: list[str], seed: int) -> None:
    damage = BarcodeDamage(
        window_probability=0.5,
        window_bp=3,
        primer_probability=0.5,
        run_probability=0.5,
        deletion_rate=0.3,
        insertion_rate=0.3,
        reverse_probability=0.5,
    )
    copies = corrupt_barcodes(sequences, damage=damage, generator=np.random.default_rng(seed))
    assert len(copies) == len(sequences)
    assert all(set(copy) <= set(LETTERS) for copy in copies)
    assert all(not copy for copy, sequence in zip(copies, sequences, strict=True) if not sequence)


def test_reverse_probability_of_one_turns_every_strand() -> None:
    damage = BarcodeDamage(**WHOLE, reverse_probability=1.0)
    generator = np.random.default_rng(0)
    assert corrupt_barcodes(["AACR"], damage=damage, generator=generator) == ["YGTT"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"substitution_rate": 1.5}, "substitution_rate is 1.5"),
        ({"deletion_rate": -0.1}, "deletion_rate is -0.1"),
        ({"trim_bp": -1}, "trim_bp is -1"),
        ({"window_bp": 0}, "window_bp is 0"),
        ({"run_bp": 0}, "run_bp is 0"),
        ({"primer_probability": 2.0}, "primer_probability is 2"),
    ],
)
def test_damage_without_meaning_is_refused(setting: dict[str, float], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        BarcodeDamage(**setting)


def test_lower_case_gaps_and_rna_are_cleaned_at_the_entrance() -> None:
    written = "--acgu?N-RTTG\n" * 3
    cleaned = clean_barcode(written).nucleotides
    base_KL4, _ = encode_barcodes([cleaned, cleaned.upper()], max_bp=60)
    assert cleaned == "ACGTNNRTTG" * 3
    assert np.array_equal(base_KL4[0], base_KL4[1])
    with pytest.raises(MediaError, match="Clean the sequences first"):
        encode_barcodes([written], max_bp=60)


def test_opposite_words_by_hand() -> None:
    # AA AC AG AT CA CC ... : AA <-> TT (15), AC <-> GT (11), AT <-> AT (3), CA <-> TG (14).
    other_S = opposite_words(2)
    assert other_S[[0, 1, 3, 4]].tolist() == [15, 11, 3, 14]
    assert np.array_equal(other_S[other_S], np.arange(16))


def relatives(count: int, *, seed: int) -> list[str]:
    """Barcodes of one marker: an ancestor of 400 bp with 10 % of its bases changed."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("ACGT"))
    ancestor = rng.choice(letters, size=400, p=[0.3, 0.2, 0.1, 0.4])
    changed_NL = rng.random((count, 400)) < 0.1
    drawn_NL = letters[rng.integers(0, 4, size=(count, 400))]
    return ["".join(np.where(c, d, ancestor)) for c, d in zip(changed_NL, drawn_NL, strict=True)]


def sides(sequences: list[str], evidence_S: np.ndarray) -> list[bool]:
    return (kmer_counts(sequences, 6) @ evidence_S < 0).tolist()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5])
def test_strands_of_two_markers_are_told_apart(share: float) -> None:
    upright = [*relatives(60, seed=1), *relatives(60, seed=2)]
    turn = (np.random.default_rng(0).random(len(upright)) < share).tolist()
    given_N = [reverse_complement(s) if t else s for s, t in zip(upright, turn, strict=True)]
    found = np.asarray(sides(given_N, learn_strand(given_N)))
    for marker in (slice(0, 60), slice(60, 120)):
        agree = found[marker] == np.asarray(turn[marker])
        assert agree.all() or not agree.any()
    if share < 0.5:
        assert 2 * found.sum() <= len(found)  # the common strand is that of most


def test_the_strand_of_a_new_mini_barcode_is_found() -> None:
    known, new = relatives(80, seed=1)[:60], relatives(80, seed=1)[60:]
    evidence_S = learn_strand(known)
    windows = [sequence[100:220] for sequence in new]
    assert not any(sides(windows, evidence_S))
    assert all(sides([reverse_complement(window) for window in windows], evidence_S))


def test_strand_evidence_is_opposite_on_opposite_words_and_repeats_itself() -> None:
    sequences = relatives(30, seed=4)
    evidence_S = learn_strand(sequences)
    assert evidence_S.dtype == np.float32
    assert np.array_equal(evidence_S, -evidence_S[opposite_words(6)])
    assert np.array_equal(evidence_S, learn_strand(sequences))


@pytest.mark.parametrize("sequences", [[], ["ACG"], ["NNNNNNNNNN"]])
def test_nothing_is_learnt_from_nothing(sequences: list[str]) -> None:
    assert not learn_strand(sequences).any()
