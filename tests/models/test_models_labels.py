"""What the labels of a model are, for each target, and which of them agree."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.errors import RecipeError
from holotype.models.labels import LabelSpace, Target, build_label_space, label_names
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import Lineage, Rank, completed


def taxon(qualifier: str = "full_body", **names: str) -> Concept:
    return Concept(Lineage.from_names(names), qualifier)


CLASS = {"class": "Copepoda"}
ORDER = {**CLASS, "order": "Calanoida"}
GLACIALIS = {**ORDER, "species": "Calanus glacialis"}
HELGOLANDICUS = {**ORDER, "species": "Calanus helgolandicus"}
BUBBLE = Concept(Lineage(), kind=Kind.ARTEFACT, group="bubble")


def test_a_written_label_is_kept_as_it_is() -> None:
    written = ["copepod", None, "Copepod "]
    assert label_names(Target.WRITTEN_LABEL, written, [None, taxon(**CLASS), None]) == written


@pytest.mark.parametrize("target", [Target.CONCEPT, Target.TREE])
def test_a_concept_is_named_by_taxon_and_qualifier(target: Target) -> None:
    concepts = [taxon(**ORDER), taxon("egg", **ORDER), BUBBLE, None]
    found = label_names(target, ["x"] * 4, concepts)
    assert found == ["Calanoida", "Calanoida (egg)", "bubble", None]


def test_identifiers_do_not_part_a_concept() -> None:
    plain = taxon(**ORDER)
    known = Concept(plain.lineage, taxon_ids=(("aphia_id", "1100"),))
    names = label_names(Target.CONCEPT, [None, None], [plain, known])
    assert names == ["Calanoida", "Calanoida"]
    space = build_label_space(Target.CONCEPT, names, [plain, known])
    assert [(label.name, label.records) for label in space.labels] == [("Calanoida", 2)]


def test_homonyms_are_told_apart_by_what_is_above_them() -> None:
    jelly = taxon(kingdom="Animalia", phylum="Ctenophora")
    diatom = taxon(kingdom="Chromista", phylum="Ochrophyta", genus="Ctenophora")
    assert label_names(Target.CONCEPT, [None] * 3, [jelly, diatom, jelly]) == [
        "Ctenophora [Animalia]",
        "Ctenophora [Chromista Ochrophyta]",
        "Ctenophora [Animalia]",
    ]


def test_homonyms_of_another_kind_say_so() -> None:
    alive = Concept(Lineage(), kind=Kind.LIVING, group="fibre")
    dead = Concept(Lineage(), kind=Kind.DETRITUS, group="fibre")
    found = label_names(Target.CONCEPT, [None] * 2, [alive, dead])
    assert found == ["fibre [no lineage]", "fibre [no lineage, detritus]"]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["kingdom", "phylum", "class", "genus"]),
            st.sampled_from(["Acartia", "Bosmina"]),
            min_size=1,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_different_concepts_never_share_a_name(worlds: list[dict[str, str]]) -> None:
    concepts = [taxon(**names) for names in worlds]
    names = label_names(Target.CONCEPT, [None] * len(concepts), concepts)
    whole = completed([concept.lineage for concept in concepts])
    pairs = set(zip(names, whole, strict=True))
    assert len(pairs) == len(set(names)) == len(set(whole))


def test_lineages_of_different_completeness_are_one_label() -> None:
    full = taxon(kingdom="Animalia", phylum="Arthropoda", genus="Acartia")
    bare = taxon(kingdom="Animalia", genus="Acartia")
    names = label_names(Target.CONCEPT, [None] * 2, [bare, full])
    assert names == ["Acartia", "Acartia"]
    space = build_label_space(Target.CONCEPT, names, [bare, full])
    assert [(label.name, label.records) for label in space.labels] == [("Acartia", 2)]
    assert space.labels[0].concept.lineage == full.lineage
    assert space.names_of([None], [bare]) == ["Acartia"]


def test_written_labels_of_several_meanings_are_told_apart() -> None:
    concepts = [taxon(**CLASS), taxon(**ORDER), taxon(**ORDER), None, taxon(**ORDER)]
    found = label_names(Target.WRITTEN_LABEL, ["b", "b", "a", "c", "a"], concepts)
    assert found == ["b [Copepoda]", "b [Copepoda Calanoida]", "a", "c", "a"]


def test_labels_are_alphabetical_with_their_records_and_commonest_meaning() -> None:
    names = ["b", "a", "b", None, "b"]
    concepts = [taxon(**CLASS), BUBBLE, taxon(**ORDER), None, taxon(**ORDER)]
    space = build_label_space(Target.WRITTEN_LABEL, names, concepts)
    assert space.names == ["a", "b"]
    assert [label.records for label in space.labels] == [1, 3]
    assert space.labels[1].concept.lineage.name == "Calanoida"  # two of three
    assert space.index_of(["b", None, "c", "a"]).tolist() == [1, -1, -1, 0]


def test_no_label_at_all_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(RecipeError, match="Choose another target"):
        build_label_space(Target.WRITTEN_LABEL, [None], [None])


@pytest.fixture
def tree_space() -> LabelSpace:
    concepts = [
        taxon(**GLACIALIS),
        taxon(**HELGOLANDICUS),
        taxon(**ORDER),
        taxon("egg", **ORDER),
        taxon("egg", **CLASS),
        BUBBLE,
    ]
    names = label_names(Target.TREE, [None] * 6, concepts)
    return build_label_space(Target.TREE, names, concepts)


def test_agreeing_labels_by_hand(tree_space: LabelSpace) -> None:
    assert tree_space.names == [
        "Calanoida", "Calanoida (egg)", "Calanus glacialis", "Calanus helgolandicus",
        "Copepoda (egg)", "bubble",
    ]  # fmt: skip
    assert tree_space.agrees_LL.astype(int).tolist() == [
        [1, 0, 1, 1, 0, 0],  # an order, whole: itself and its whole species, not its eggs
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 1, 0, 0, 1, 0],  # eggs of the class: eggs of the order are among them
        [0, 0, 0, 0, 0, 1],
    ]


def test_only_a_tree_has_coarse_labels(tree_space: LabelSpace) -> None:
    flat = LabelSpace(Target.CONCEPT, tree_space.labels)
    assert flat.agrees_LL.astype(int).tolist() == [
        [int(row == column) for column in range(6)] for row in range(6)
    ]


@pytest.mark.parametrize("target", list(Target))
def test_a_label_space_survives_json(target: Target, tree_space: LabelSpace) -> None:
    with_odd_ranks = Concept(
        Lineage(((Rank.SUBCLASS, "Copepoda"), (Rank.TRIBE, "Xini"))), "larvae", Kind.DETRITUS
    )
    labels = (*tree_space.labels, build_label_space(target, ["é"], [with_odd_ranks]).labels[0])
    space = LabelSpace(target, labels)
    assert LabelSpace.from_json(json.loads(json.dumps(space.as_json()))) == space
