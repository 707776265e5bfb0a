"""Written labels taken apart: labels that people really write, and a published table as the judge."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.taxonomy.labels import WHOLE, Kind, parse_label


@pytest.mark.parametrize(
    ("written", "taxon_words", "qualifier", "kind"),
    [
        ("copepod_calanoid", "copepod calanoid", WHOLE, Kind.LIVING),
        ("copepod_calanoid_eggs", "copepod calanoid", "egg", Kind.LIVING),
        ("egg_Actinopterygii", "Actinopterygii", "egg", Kind.LIVING),
        ("part_Crustacea", "Crustacea", "part", Kind.DETRITUS),
        ("artifacts_edge", "", WHOLE, Kind.ARTEFACT),
        ("shrimp-like_other", "shrimp other", "like", Kind.LIVING),
        ("Strombidium-like", "Strombidium", "like", Kind.LIVING),
        ("maybe_cyano", "cyano", "like", Kind.LIVING),
        ("hydromedusae_bell_and_tentacles", "hydromedusae bell and tentacles", WHOLE, Kind.LIVING),
        (
            "ctenophore_cydippid_no_tentacles",
            "ctenophore cydippid no tentacles",
            WHOLE,
            Kind.LIVING,
        ),
        ("jellies_tentacles", "jellies", "part_tentacle", Kind.DETRITUS),
        ("nauplii_Cirripedia", "Cirripedia", "nauplius", Kind.LIVING),
        ("nauplius", "", "nauplius", Kind.LIVING),
        ("echinoderm_larva_pluteus_early", "echinoderm early", "larvae", Kind.LIVING),
        ("tail_Appendicularia", "Appendicularia", "part_tail", Kind.DETRITUS),
        ("daphnia_skins", "daphnia", "part_skin", Kind.DETRITUS),
        ("fecal_pellet", "", WHOLE, Kind.DETRITUS),
        ("detritus_blob", "", WHOLE, Kind.DETRITUS),
        ("bubble", "", WHOLE, Kind.ARTEFACT),
        ("plastic", "", WHOLE, Kind.INERT),
        ("Calanus finmarchicus", "Calanus finmarchicus", WHOLE, Kind.LIVING),
        ("dead<Copepoda", "Copepoda", "dead", Kind.DETRITUS),
        ("", "", WHOLE, Kind.LIVING),
    ],
)
def test_labels_by_hand(written, taxon_words, qualifier, kind):
    parsed = parse_label(written)
    assert (parsed.taxon_words, parsed.qualifier, parsed.kind) == (taxon_words, qualifier, kind)
    assert parsed.written == written


@given(st.text("abceglnrstEGS _-/<>", max_size=40))
def test_the_case_and_the_separator_do_not_matter(written):
    parsed = parse_label(written)
    shouted = parse_label(written.replace("_", "<").replace("/", " ").upper())
    assert (shouted.qualifier, shouted.kind) == (parsed.qualifier, parsed.kind)
    assert shouted.taxon_words == parsed.taxon_words.upper()


@given(st.text(max_size=60))
def test_any_text_is_a_label(written):
    parsed = parse_label(written)
    assert parsed.written == written
    assert all(word in written for word in parsed.taxon_words.split())
    assert parsed.qualifier


@pytest.mark.real
def test_vocabulary_agrees_with_the_published_table(real_data):
    path = real_data / "taxonomy" / "planktonzilla_taxonomy.csv"
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 1_485
    agreeing = 0
    for row in rows:
        parsed = parse_label(row["Raw_Labels"])
        stated = (row["qualifier"] or WHOLE, row["root_class"])
        agreeing += (parsed.qualifier, parsed.kind.value) == stated
    assert agreeing / len(rows) >= 0.88
