"""The texts of a step: of its records, and of the taxa that they are contrasted with."""

import numpy as np

from holotype.config import checked
from holotype.inputs.materials import Materials, numbered
from holotype.models.labels import Target, build_label_space, label_names
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage
from holotype.training.recipe import Recipe
from holotype.training.teaching import Teaching, teaching_of
from holotype.training.texts import StepTexts, step_texts

FAMILY = {"class": "Copepoda", "family": "Calanidae"}


def concept(qualifier: str = "full_body", **names: str) -> Concept:
    return Concept(Lineage.from_names(names), qualifier)


def species(name: str, qualifier: str = "full_body") -> Concept:
    return concept(qualifier, **FAMILY, genus=name.split(maxsplit=1)[0], species=name)


GLACIALIS, MARSHALLAE = species("Calanus glacialis"), species("Calanus marshallae")
COARSE = concept(**FAMILY)
DETRITUS = Concept(Lineage(), group="detritus")


def taught(*concepts: Concept | None, first: int | None = None, **vernaculars: str) -> Teaching:
    count = len(concepts)
    materials = Materials(
        record_id=tuple(map(str, range(count))),
        concept_N=concepts,
        pixels_MSSC=np.zeros((0, 4, 4, 1), dtype=np.uint8),
        size_M4=np.ones((0, 4), dtype=np.float32),
        image_N=np.full(count, -1),
        barcode_N=(None,) * count,
        haplotype_N=numbered([None] * count),
        marker_N=np.full(count, -1),
    )
    names = label_names(Target.TREE, [None] * count, concepts)
    labels = build_label_space(Target.TREE, names[:first], concepts[:first])
    common = {species(name.replace("_", " ")).lineage: said for name, said in vernaculars.items()}
    return teaching_of(materials, labels, names, taught=first, vernaculars=common)


def recipe(truncate: float = 0.0, *, most: int | None = None, **text: object) -> Recipe:
    content = {
        "name": "texts",
        "model": {"embedding_dim": 8, "images": {}, "captions": {}},
        "align": {"pairs": [["image", "caption"]], "truncate_probability": truncate},
        "text": text,
    }
    if most is not None:
        content |= {"taxa": {"most": most}, "align": None}
    return checked(Recipe, content, where="here")


def chosen(teaching: Teaching, rows: list[int], settings: Recipe, seed: int = 0) -> StepTexts:
    found = step_texts(settings, teaching, np.asarray(rows), np.random.default_rng(seed))
    assert found is not None
    return found


def captions(texts: StepTexts) -> list[str]:
    return [texts.texts[place] for place in texts.caption_V.tolist()]


def test_a_caption_comes_once_and_every_record_knows_its_own() -> None:
    teaching = taught(GLACIALIS, GLACIALIS, COARSE, None)
    found = chosen(teaching, [0, 1, 3, 2], recipe())
    assert captions(found) == ["Copepoda Calanidae Calanus glacialis", "Copepoda Calanidae"]
    assert found.own_of(np.asarray([2, 3, 1])).tolist() == [1, -1, 0]
    assert [teaching.concepts[c] for c in found.concept_V] == [GLACIALIS, COARSE]


def test_a_cut_caption_is_of_any_rank_above_and_loses_its_qualifier() -> None:
    teaching = taught(species("Calanus glacialis", "egg"))
    seen = [captions(chosen(teaching, [0], recipe(1.0), seed))[0] for seed in range(400)]
    counts = {text: seen.count(text) for text in set(seen)}
    assert sorted(counts) == ["Copepoda", "Copepoda Calanidae", "Copepoda Calanidae Calanus"]
    assert min(counts.values()) > 90
    whole = chosen(teaching, [0], recipe())
    assert captions(whole) == ["Copepoda Calanidae Calanus glacialis, egg"]
    assert whole.whole_V.tolist() == [False]


def test_unnamed_records_have_no_text() -> None:
    teaching = taught(None, GLACIALIS)
    assert step_texts(recipe(), teaching, np.asarray([0]), np.random.default_rng(0)) is None


def test_text_types_are_drawn_and_fall_back() -> None:
    teaching = taught(GLACIALIS, MARSHALLAE, Calanus_glacialis="arctic copepod")
    sci = chosen(teaching, [0, 1], recipe(types=["sci"]))
    assert captions(sci) == ["a photo of Calanus glacialis.", "a photo of Calanus marshallae."]
    common = chosen(teaching, [0, 1], recipe(types=["com"]))
    assert captions(common) == ["a photo of arctic copepod.", "a photo of Calanus marshallae."]
    mixed = {
        tuple(
            captions(chosen(teaching, [0, 1], recipe(types=["sci", "lineage"], mixing=mixing), s))
        )
        for mixing in ("batch",)
        for s in range(30)
    }
    assert len(mixed) == 2  # both records always share the type


def test_a_text_without_the_life_stage_is_true_of_all() -> None:
    teaching = taught(species("Calanus glacialis", "egg"))
    found = chosen(teaching, [0], recipe(types=["lineage_lower"]))
    assert captions(found) == ["copepoda calanidae calanus glacialis"]
    assert found.whole_V.tolist() == [True]


def contrasted(texts: StepTexts, teaching: Teaching) -> set[str]:
    return {teaching.paths.lineage_T[taxon].name for taxon in texts.taxon_T.tolist()}


def test_every_taught_taxon_and_concept_is_contrasted_with() -> None:
    teaching = taught(GLACIALIS, MARSHALLAE, DETRITUS, COARSE)
    found = chosen(teaching, [0], recipe(most=100))
    assert contrasted(found, teaching) == {
        "Copepoda", "Calanidae", "Calanus", "Calanus glacialis", "Calanus marshallae",
    }  # fmt: skip
    assert {teaching.concepts[c].name for c in found.concept_C} == {
        "Calanus glacialis", "Calanus marshallae", "detritus", "Calanidae",
    }  # fmt: skip
    assert len(set(found.texts)) == len(found.texts) == 6  # the taxa and the group
    assert found.texts[found.concept_at_C[list(found.concept_C).index(0)]].endswith("glacialis")


def test_what_only_validation_shows_is_not_even_named() -> None:
    teaching = taught(GLACIALIS, MARSHALLAE, first=1)
    found = chosen(teaching, [0], recipe(most=100))
    assert "Calanus marshallae" not in contrasted(found, teaching)
    assert not any("marshallae" in text for text in found.texts)


def test_a_sample_of_taxa_holds_those_of_the_records() -> None:
    many = [species(f"Calanus number{letter}") for letter in "abcdefghijklmnopqrstuvwxyz"]
    teaching = taught(*many)
    for seed in range(5):
        found = chosen(teaching, [3, 7], recipe(most=8), seed)
        assert len(found.taxon_T) == len(found.concept_C) == 8
        assert contrasted(found, teaching) >= {"Copepoda", many[3].name, many[7].name}
        again = chosen(teaching, [3, 7], recipe(most=8), seed)
        assert found.taxon_T.tolist() == again.taxon_T.tolist()
    others = {tuple(chosen(teaching, [3, 7], recipe(most=8), s).taxon_T) for s in range(5)}
    assert len(others) > 1


def test_coarse_concepts_agree_with_what_lies_below_them() -> None:
    teaching = taught(GLACIALIS, COARSE, species("Calanus glacialis", "egg"))
    assert teaching.agrees_CC(np.asarray([0, 1, 2])).tolist() == [
        [True, False, False],
        [True, True, False],  # a record of the family may be the species, as a whole animal
        [False, False, True],
    ]
