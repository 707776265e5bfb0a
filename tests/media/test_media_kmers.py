"""k-mer counts against a loop over windows."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.media.kmers import kmer_counts, unit_rows


def slow_counts(sequences, k):
    """One window after the other, in a dictionary."""
    columns = {"".join(letters): i for i, letters in enumerate(itertools.product("ACGT", repeat=k))}
    counts = np.zeros((len(sequences), 4**k), np.float32)
    for row, sequence in enumerate(sequences):
        letters = sequence.upper().replace("U", "T")
        for start in range(len(letters) - k + 1):
            column = columns.get(letters[start : start + k])
            if column is not None:
                counts[row, column] += 1
    return counts


@given(st.lists(st.text("ACGTacgtuUN-R?", max_size=30), max_size=6), st.integers(1, 4))
def test_against_the_slow_loop(sequences, k):
    np.testing.assert_array_equal(kmer_counts(sequences, k), slow_counts(sequences, k))


def test_by_hand():
    # AAC, ACA, CAA in AACAA; columns AA AC AG AT CA CC ...
    assert kmer_counts(["AACAA"], 2)[0, :5].tolist() == [2, 1, 0, 0, 1]
    assert kmer_counts(["AACAA"], 2).sum() == 4
    assert kmer_counts(["ANA", "A"], 2).sum() == 0


def test_no_window_reaches_into_the_next_sequence():
    assert kmer_counts(["A", "C"], 2).sum() == 0
    np.testing.assert_array_equal(
        kmer_counts(["AC", "", "GT"], 2)[[0, 2]], kmer_counts(["AC", "GT"], 2)
    )


@given(st.permutations(["ACGT", "AAAA", "", "NNACG"]))
def test_rows_follow_the_sequences(sequences):
    counts = kmer_counts(sequences, 3)
    for row, sequence in enumerate(sequences):
        np.testing.assert_array_equal(counts[row], kmer_counts([sequence], 3)[0])


def test_shape_dtype_and_limits():
    assert kmer_counts([], 5).shape == (0, 1024)
    assert kmer_counts(["ACGT"], 5).dtype == np.float32
    for wrong in (0, 13):
        with pytest.raises(ValueError, match=rf"k is {wrong}; must be in \[1, 12\]"):
            kmer_counts(["ACGT"], wrong)


def test_unit_rows():
    rows = np.array([[3, 4], [0, 0]], np.float32)
    np.testing.assert_allclose(unit_rows(rows), [[0.6, 0.8], [0, 0]], rtol=1e-6)
