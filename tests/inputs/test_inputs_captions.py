"""Taxa as words in every published way, which of them a batch gets, and words as buckets of n-grams."""

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.config import checked
from holotype.errors import RecipeError
from holotype.inputs.captions import (
    MAX_WORDS,
    NGRAMS_PER_WORD,
    NUM_BUCKETS,
    Mixing,
    TextSettings,
    TextType,
    caption,
    choose_types,
    common_names,
    described,
    encode_captions,
    phrase,
    written,
    written_or_next,
)
from holotype.inputs.captions.templates import SPECIMENS, fill, is_template, read_templates
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE, Kind
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
    assert buckets("egg.") == buckets("egg")  # the end of a sentence
    assert buckets("sp.nov") != buckets("spnov")


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


MAGPIE = Concept(
    Lineage.from_names(
        {
            "kingdom": "Animalia",
            "phylum": "Chordata",
            "class": "Aves",
            "order": "Passeriformes",
            "family": "Corvidae",
            "genus": "Pica",
            "species": "Pica hudsonia",
        }
    )
)
COMMON = "black-billed magpie"
RANK_NAMES = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
SEVEN = "Animalia Chordata Aves Passeriformes Corvidae Pica hudsonia"
TAGGED = (
    "kingdom Animalia phylum Chordata class Aves order Passeriformes family Corvidae genus Pica "
    "species hudsonia"
)
PUBLISHED = {
    "lineage": SEVEN,
    "lineage_lower": "animalia chordata aves passeriformes corvidae pica hudsonia",
    "scientific_name": "Pica hudsonia",
    "taxonomic_name": SEVEN,
    "common_name": "black-billed magpie",
    "sci": "a photo of Pica hudsonia.",
    "com": "a photo of black-billed magpie.",
    "taxon": f"a photo of {SEVEN}.",
    "taxonTag": f"a photo of {TAGGED}.",
    "sci_com": "a photo of Pica hudsonia with common name black-billed magpie.",
    "taxon_com": f"a photo of {SEVEN} with common name black-billed magpie.",
    "taxonTag_com": f"a photo of {TAGGED} with common name black-billed magpie.",
    "clibd": "Passeriformes Corvidae Pica hudsonia",
    "clibd_published": "Passeriformes Corvidae Pica Pica hudsonia",
}
WITH_COMMON = {"com", "sci_com", "taxon_com", "taxonTag_com", "common_name"}


def test_every_type_has_its_published_form() -> None:
    assert {t.value: written(MAGPIE, t, vernacular=COMMON) for t in TextType} == PUBLISHED


def test_without_a_common_name_the_types_that_need_one_are_missing() -> None:
    for vernacular in (None, "", "  "):
        missing = {t.value for t in TextType if written(MAGPIE, t, vernacular=vernacular) is None}
        assert missing == WITH_COMMON


@pytest.mark.parametrize(
    ("asked", "had"),
    [
        ("com", "sci"), ("sci_com", "sci"), ("taxon_com", "taxon"), ("taxonTag_com", "taxonTag"),
        ("common_name", "scientific_name"), ("taxonTag", "taxonTag"), ("clibd", "clibd"),
    ],
)  # fmt: skip
def test_a_missing_common_name_falls_back(asked: str, had: str) -> None:
    found = written_or_next(MAGPIE, TextType(asked), vernacular=None)
    assert found == (PUBLISHED[had], TextType(had))


@pytest.mark.parametrize("text_type", TextType)
def test_the_last_resort_is_the_caption(text_type: TextType) -> None:
    for nothing in (Concept(Lineage()), Concept(Lineage(), qualifier="egg")):
        found = written_or_next(nothing, text_type, vernacular=None)
        assert found == (caption(nothing), TextType.LINEAGE)


def test_a_rank_above_cuts_the_text_and_the_common_name_is_not_said_of_it() -> None:
    def at_family(text_type: str) -> str | None:
        return written(MAGPIE, TextType(text_type), vernacular=COMMON, down_to=Rank.FAMILY)

    assert at_family("sci") == "a photo of Corvidae."
    assert at_family("taxon") == "a photo of Animalia Chordata Aves Passeriformes Corvidae."
    assert at_family("clibd_published") == "Passeriformes Corvidae not_classified not_classified"
    assert at_family("clibd") == "Passeriformes Corvidae"
    assert {t for t in WITH_COMMON if at_family(t) is None} == WITH_COMMON
    at_species = written(MAGPIE, TextType.COM, vernacular=COMMON, down_to=Rank.SPECIES)
    assert at_species == PUBLISHED["com"]  # nothing was cut off


def test_midges_known_to_family_as_clibd_feeds_them() -> None:
    midge = Concept(Lineage.from_names({"order": "Diptera", "family": "Cecidomyiidae"}))
    text = written(midge, TextType.CLIBD_PUBLISHED, vernacular=None)
    assert text == "Diptera Cecidomyiidae not_classified not_classified"
    assert written(midge, TextType.CLIBD, vernacular=None) == "Diptera Cecidomyiidae"


def test_the_qualifier_is_said_at_the_end_or_not_at_all() -> None:
    egg = Concept(CALANUS, "egg")
    texts = {t.value: written(egg, t, vernacular="copepod") for t in TextType}
    assert texts["lineage"] == "Animalia Copepoda Calanus finmarchicus, egg"
    assert texts["sci"] == "a photo of Calanus finmarchicus, egg."
    assert texts["sci_com"] == "a photo of Calanus finmarchicus with common name copepod, egg."
    silent = {name for name, text in texts.items() if text is not None and "egg" not in text}
    assert silent == {"lineage_lower", "clibd", "clibd_published"}
    for text_type in TextType:
        qualifier = described(egg, text_type).qualifier
        assert qualifier == (WHOLE if text_type.value in silent else "egg")
        wider = described(egg, text_type, down_to=Rank.CLASS)
        assert (wider.lineage.name, wider.qualifier) == ("Copepoda", WHOLE)


def test_what_is_no_taxon_is_called_by_its_group() -> None:
    bubble = Concept(Lineage(), kind=Kind.ARTEFACT, group="bubble")
    texts = {t.value: written(bubble, t, vernacular=None) for t in TextType}
    assert texts["com"] == texts["sci"] == texts["taxonTag"] == "a photo of bubble."
    assert texts["clibd_published"] == texts["lineage_lower"] == "bubble"
    assert texts["taxon_com"] is None


def test_ranks_between_the_seven_are_said_by_our_lineage_alone() -> None:
    names = {"class": "Copepoda", "infraclass": "Neocopepoda", "order": "Calanoida"}
    copepod = Concept(Lineage.from_names(names))
    assert written(copepod, TextType.LINEAGE, vernacular=None) == "Copepoda Neocopepoda Calanoida"
    assert written(copepod, TextType.TAXONOMIC_NAME, vernacular=None) == "Copepoda Calanoida"
    only = Concept(Lineage.from_names({"infraclass": "Neocopepoda"}))
    assert written(only, TextType.SCI, vernacular=None) == "a photo of Neocopepoda."


def test_a_species_that_does_not_begin_with_its_genus_is_tagged_whole() -> None:
    interim = Concept(Lineage.from_names({"genus": "Astraptes", "species": "BOLD:AAA1234"}))
    text = written(interim, TextType.TAXON_TAG, vernacular=None)
    assert text == "a photo of genus Astraptes species BOLD:AAA1234."


def test_the_phrase_is_what_stands_in_the_sentence() -> None:
    for text_type in TextType:
        words = phrase(MAGPIE, text_type, vernacular=COMMON)
        assert words is not None
        assert PUBLISHED[text_type.value] in (words, f"a photo of {words}.")


def test_the_common_name_of_a_taxon_is_the_one_most_records_bear() -> None:
    goat = Concept(Lineage.from_names({"species": "Capra hircus"}))
    named = [
        (MAGPIE, "magpie"), (MAGPIE, COMMON), (MAGPIE, COMMON), (MAGPIE, None), (None, "nobody"),
        (goat, "goat"), (goat, "domestic goat"), (goat, " "), (Concept(Lineage()), "bubble"),
    ]  # fmt: skip
    assert common_names(named) == {MAGPIE.lineage: COMMON, goat.lineage: "domestic goat"}


def test_one_type_leaves_the_generator_as_it_was() -> None:
    rng = np.random.default_rng(0)
    assert choose_types(TextSettings(), 3, rng) == [TextType.LINEAGE] * 3
    assert rng.random() == np.random.default_rng(0).random()


def test_mixing_by_record_and_by_batch() -> None:
    five = ("sci", "com", "taxon", "sci_com", "taxon_com")
    rng = np.random.default_rng(0)
    by_batch = TextSettings(types=five, mixing=Mixing.BATCH)
    batches = [choose_types(by_batch, 8, rng) for _ in range(500)]
    assert {len(set(batch)) for batch in batches} == {1}
    counts = Counter(batch[0] for batch in batches)
    assert set(counts) == set(map(TextType, five))
    assert min(counts.values()) > 60  # 100 expected
    drawn = choose_types(TextSettings(types=five), 5_000, rng)
    assert min(Counter(drawn).values()) > 880  # 1,000 expected
    twice = choose_types(TextSettings(types=("sci", "sci", "com")), 6_000, rng)
    assert Counter(twice)[TextType.SCI] == pytest.approx(4_000, abs=150)
    assert choose_types(by_batch, 0, rng) == []


def test_shipped_templates_fit() -> None:
    assert len(set(SPECIMENS)) == len(SPECIMENS) >= 40
    assert all(is_template(template) for template in SPECIMENS)
    settings = checked(TextSettings, {"templates": "specimens"}, where="recipe")
    assert settings.templates == SPECIMENS
    assert TextSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_a_file_of_templates(tmp_path: Path) -> None:
    path = tmp_path / "published.txt"
    path.write_text("\ufeffa bad photo of a {}.\r\n\nart of the {}.\n", encoding="utf-8")
    assert read_templates(path) == ("a bad photo of a {}.", "art of the {}.")
    settings = checked(TextSettings, {"templates": str(path)}, where="recipe")
    assert [fill(t, "crab") for t in settings.templates] == [
        "a bad photo of a crab.",
        "art of the crab.",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a photo of {}.\na photo.\n{} and {}\n{c}\n", "line 2, line 3, line 4"),
        (b"\n \n", "no templates"),
        (b"a photo of {} \xff", "UTF-8"),
    ],
)
def test_a_bad_file_of_templates_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=f"mine.txt.*{said}"):
        read_templates(path)
    with pytest.raises(RecipeError, match=f"templates.*{said}"):
        checked(TextSettings, {"templates": str(path)}, where="recipe")


@pytest.mark.parametrize(
    "content",
    [{"types": []}, {"types": ["photo"]}, {"mixing": "step"}, {"templates": ["no place"]},
     {"templates": "nowhere.txt"}],
)  # fmt: skip
def test_wrong_text_settings_are_refused(content: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        checked(TextSettings, content, where="recipe")


@pytest.mark.real
def test_rare_species_are_worded_as_their_protocol_words_them(real_data: Path) -> None:
    path = real_data / "taxonomy" / "bioclip_rare_species" / "metadata.csv"
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    ranks = {"kingdom": "kingdom", "phylum": "phylum", "cls": "class", "order": "order"}
    ranks |= {"family": "family", "genus": "genus"}
    said = set()
    for row in rows:
        names = {rank: row[column] for column, rank in ranks.items()}
        names["species"] = f"{row['genus']} {row['species']}"
        concept = Concept(Lineage.from_names(names))
        words = [row[column] for column in (*ranks, "species")]
        tags = " ".join(f"{rank} {word}" for rank, word in zip(RANK_NAMES, words, strict=True))
        common = row["common_name"]
        expected = {
            TextType.SCI: f"a photo of {row['class']}.",
            TextType.COM: f"a photo of {common}.",
            TextType.TAXON_COM: f"a photo of {' '.join(words)} with common name {common}.",
            TextType.TAXON_TAG: f"a photo of {tags}.",
            TextType.LINEAGE_LOWER: " ".join(words).lower(),
        }
        for text_type, text in expected.items():
            assert written(concept, text_type, vernacular=common) == text
        said.add(expected[TextType.TAXON_COM])
    assert (len(rows), len(said)) == (11_983, 400)
