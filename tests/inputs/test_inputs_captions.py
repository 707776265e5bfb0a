"""Lineages as words, and words as buckets of n-grams."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.inputs.captions import (
    MAX_WORDS,
    NGRAMS_PER_WORD,
    NUM_BUCKETS,
    caption,
    encode_captions,
)
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import Lineage, Rank

CALANUS = Lineage.from_names(
    {
        "kingdom": "Animalia",
        "class": "Copepoda",
        "genus": "Calanus",
        "species": "Calanus finmarchicus",
    }
)


@pytest.mark.parametrize(
    ("concept", "down_to", "expected"),
    [
        (Concept(CALANUS), None, "Animalia Copepoda Calanus finmarchicus"),
        (Concept(CALANUS, "part_tail"), None, "Animalia Copepoda Calanus finmarchicus, part tail"),
        (Concept(CALANUS, "egg"), Rank.FAMILY, "Animalia Copepoda"),
        (Concept(CALANUS), Rank.GENUS, "Animalia Copepoda Calanus"),
        (Concept(Lineage(), kind=Kind.ARTEFACT, group="bubble"), None, "bubble"),
        (Concept(Lineage()), None, "unnamed"),
        (Concept(CALANUS), Rank.DOMAIN, "unnamed"),
    ],
)
def test_caption_of_a_concept(concept: Concept, down_to: Rank | None, expected: str) -> None:
    assert caption(concept, down_to=down_to) == expected


def buckets(word: str) -> set[int]:
    return set(encode_captions([word])[0, 0].tolist()) - {0}


def test_shapes_and_padding() -> None:
    bucket_BWG = encode_captions(["Animalia Copepoda, egg", "Copepoda", ""])
    assert bucket_BWG.shape == (3, 3, NGRAMS_PER_WORD)
    assert bucket_BWG.dtype == np.int64
    assert (bucket_BWG > 0).any(axis=2).tolist() == [
        [True, True, True], [True, False, False], [True, False, False],
    ]  # fmt: skip
    assert bucket_BWG[0, 1].tolist() == bucket_BWG[1, 0].tolist()  # the comma is no part of a word
    assert bucket_BWG[2, 0].tolist() == encode_captions(["unnamed"])[0, 0].tolist()


def test_a_short_word_has_its_own_n_grams() -> None:
    # "<egg>": the word, three 3-grams, two 4-grams.
    assert len(buckets("egg")) == 6
    assert buckets("Egg") == buckets("egg")


def test_the_narrow_end_of_a_long_caption_is_kept() -> None:
    words = [f"word{number}" for number in range(MAX_WORDS + 5)]
    kept = encode_captions([" ".join(words[-MAX_WORDS:])])
    assert encode_captions([" ".join(words)]).tolist() == kept.tolist()


def test_unseen_species_shares_buckets_with_its_genus() -> None:
    near = buckets("calanus") & buckets("calanoides")
    far = buckets("calanus") & buckets("daphnia")
    assert len(near) >= 4
    assert len(far) <= 1
    genus, species = encode_captions(["Calanus"]), encode_captions(["Calanus glacialis"])
    assert species[0, 0].tolist() == genus[0, 0].tolist()


def test_buckets_are_the_same_in_another_process() -> None:
    text = "Animalia Arthropoda Copepoda Calanus finmarchicus, nauplius"
    code = (
        "from holotype.inputs.captions import encode_captions;"
        f"print(encode_captions([{text!r}]).tolist())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs == [str(encode_captions([text]).tolist())] * 2


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_a_caption_is_encoded_the_same_whatever_stands_beside_it(texts: list[str]) -> None:
    bucket_BWG = encode_captions(texts)
    assert int(bucket_BWG.min()) >= 0
    assert int(bucket_BWG.max()) < NUM_BUCKETS
    for row, text in enumerate(texts):
        alone = encode_captions([text])[0]
        assert bucket_BWG[row, : len(alone)].tolist() == alone.tolist()
        assert not bucket_BWG[row, len(alone) :].any()
