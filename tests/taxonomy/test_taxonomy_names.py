"""Written names taken apart: authorship, qualifiers, hybrids, display names, and texts meant to break it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.taxonomy.names import (
    clean_text,
    epithet_stem,
    label_words,
    name_key,
    read_name,
)


@pytest.mark.parametrize(
    ("written", "canonical", "authorship", "year"),
    [
        ("Calanus finmarchicus (Gunnerus, 1770)", "Calanus finmarchicus", "(Gunnerus, 1770)", 1770),
        ("Acartia (Acartiura) clausi Giesbrecht, 1889", "Acartia clausi", "Giesbrecht, 1889", 1889),
        ("Tripos furca (Ehrenberg) F.Gómez", "Tripos furca", "(Ehrenberg) F.Gómez", None),
        ("Poa pratensis subsp. irrigata (Lindm.) H.Lindb.", "Poa pratensis irrigata",
         "(Lindm.) H.Lindb.", None),
        ("Pseudo-nitzschia pungens var. multiseries (Hasle) Hasle", "Pseudo-nitzschia pungens multiseries",
         "(Hasle) Hasle", None),
        ("Copepoda Milne Edwards, 1840", "Copepoda", "Milne Edwards, 1840", 1840),
        ("Aedes d'orbignyi", None, None, None),
        ("Vanessa atalanta", "Vanessa atalanta", "", None),
        ("Limacina helicina", "Limacina helicina", "", None),
    ],
)  # fmt: skip
def test_names_by_hand(written, canonical, authorship, year):
    name = read_name(written)
    if canonical is None:
        assert name is None
    else:
        assert (name.canonical, name.authorship, name.year) == (canonical, authorship, year)


@pytest.mark.parametrize(
    ("written", "canonical", "qualifier"),
    [
        ("Acartia sp.", "Acartia", "sp."),
        ("Tripos cf. minutus", "Tripos minutus", "cf."),
        ("Calanus aff. glacialis", "Calanus glacialis", "aff."),
        ("Oxytoxum_cf._caudatum", "Oxytoxum caudatum", "cf."),
        ("Chaetoceros spp.", "Chaetoceros", "spp."),
        ("Astraptes nr. fulgerator", "Astraptes fulgerator", "nr."),
    ],
)
def test_open_nomenclature_is_said_apart(written, canonical, qualifier):
    name = read_name(written)
    assert (name.canonical, name.qualifier) == (canonical, qualifier)


@pytest.mark.parametrize("written", ["× Amarcrinum", "Mentha × piperita", "Quercus x rosacea"])
def test_hybrid_marks(written):
    name = read_name(written)
    assert name.is_hybrid
    assert "×" not in name.canonical
    assert " x " not in name.canonical
    assert not read_name("Mentha piperita").is_hybrid


@pytest.mark.parametrize(
    ("label", "segments"),
    [
        ("part<Crustacea", (("part",), ("Crustacea",))),
        ("Cnidaria<Hydrozoa", (("Cnidaria",), ("Hydrozoa",))),
        ("living>Eukaryota>Copepoda", (("Copepoda",), ("Eukaryota",), ("living",))),
        ("eudoxie_Abylopsis tetragona", (("eudoxie", "Abylopsis", "tetragona"),)),
        ("Strobilidium_morphotype1", (("Strobilidium", "morphotype"),)),
        ("LClass_Df.02.Ceratium", (("LClass", "Df", "Ceratium"),)),
        ("hydromedusae_h15", (("hydromedusae",),)),
        ("dino30", (("dino",),)),
        ("partCrustaceo", (("part", "Crustaceo"),)),
        ("shrimp-like_other", (("shrimp", "like", "other"),)),
        ("Pseudo-nitzschia_spp._2_cells", (("Pseudo-nitzschia", "spp", "cells"),)),
        ("Rhizosolenia inter. Richelia", (("Rhizosolenia",),)),
        ("Calanus finmarchicus (Gunnerus, 1770)", (("Calanus", "finmarchicus"),)),
        ("", ()),
        ("   ", ()),
        ("12.5", ()),
    ],
)
def test_labels_are_parted_into_words(label, segments):
    assert label_words(label).segments == segments


def test_direction_marks_and_accents_do_not_matter():
    assert clean_text("\u202bCalanus\u200f \u202efinmarchicus\ufeff") == "Calanus finmarchicus"
    assert name_key("Coëlographis  Régina") == "coelographis regina"
    assert name_key("Pseudo-Nitzschia") == "pseudo-nitzschia"
    assert name_key("Æginura") == name_key("aeginura")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("arietinum", "arietinus"),
        ("breve", "brevis"),
        ("azorica", "azoricum"),
        ("massiliense", "massiliensis"),
    ],
)
def test_epithets_that_follow_the_gender_share_a_stem(one, other):
    assert epithet_stem(one) == epithet_stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("furca", "fusus"), ("glacialis", "gracilis"), ("sol", "solis")]
)
def test_different_epithets_keep_different_stems(one, other):
    assert one == "sol" or epithet_stem(one) != epithet_stem(other)


NASTY = [
    "'; DROP TABLE taxa; --", '=HYPERLINK("x")', "🦐🦐🦐", "\u202eadopepoC", "a" * 10_000,
    "x" * 10_000 + ">b",
    "\x00\x01", "<<<>>>", "(((", "Calanus\t\n\rfinmarchicus", "O'Brien's copepod",
]  # fmt: skip


@pytest.mark.parametrize("written", NASTY)
def test_texts_meant_to_break_it(written):
    words = label_words(written)
    assert words.written == written
    assert all(word for segment in words.segments for word in segment)
    read_name(written)
    name_key(written)


@given(st.text(max_size=80))
def test_any_text_is_read(written):
    label_words(written)
    name = read_name(written)
    assert name is None or name.canonical


@given(st.text(max_size=60))
def test_a_key_is_its_own_key(written):
    assert name_key(name_key(written)) == name_key(written)
