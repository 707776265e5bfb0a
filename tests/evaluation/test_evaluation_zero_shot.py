"""The words of zero-shot classification: text types of training, common names, ensembles of templates."""

import copy
import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import torch

from holotype.evaluation.evidence import pick
from holotype.evaluation.exam import Exam
from holotype.evaluation.zero_shot import (
    Wording,
    candidate_texts,
    embed_texts,
    ensemble,
    vernaculars,
    wordings,
    zero_shot_scores,
)
from holotype.inputs.captions import TextSettings, TextType
from holotype.models.bundle import Bundle
from holotype.models.encode import encode_captions
from holotype.splits.plan import Role
from holotype.taxonomy.lineage import Lineage, Rank


def taught_with(bundle: Bundle, text: object) -> Bundle:
    """The bundle, as if its recipe had these text settings."""
    manifest = copy.deepcopy(bundle.manifest)
    manifest["training"]["recipe"]["text"] = text
    return dataclasses.replace(bundle, manifest=manifest)


def test_the_mean_of_units_by_hand() -> None:
    # Two texts of length one at 0 and 90 degrees: their mean points to 45 degrees.
    z_UTD = np.array([[[1, 0], [0, 1]], [[1, 0], [1, 0]]], dtype=np.float32)
    half = 0.5**0.5
    assert ensemble(z_UTD).tolist() == [[pytest.approx(half)] * 2, [1, 0]]
    one = np.array([[[0.6, 0.8]]], dtype=np.float32)
    assert ensemble(one).tolist() == one[:, 0].tolist()


def test_an_ensemble_is_that_of_open_clip(examined: Bundle, monkeypatch) -> None:
    open_clip = pytest.importorskip("open_clip")
    from holotype.evaluation import zero_shot

    class AsOpenClip:
        """The tiny model behind the two calls that open_clip's builder makes."""

        def encode_text(self, texts, normalize):
            assert normalize
            return torch.from_numpy(encode_captions(examined.model, texts.texts))

    class Texts(list):
        """A tokenizer's result that still has its texts."""

        def __init__(self, texts):
            self.texts = texts

        def to(self, _):
            return self

    names = ["Calanus", "Pica hudsonia", "Acartia tonsa"]
    templates = ("a photo of {}.", "{}.", "one individual of {}.")
    weight_DU = open_clip.build_zero_shot_classifier(
        AsOpenClip(), Texts, names, templates, num_classes_per_batch=2
    )
    monkeypatch.setattr(zero_shot, "BLOCK", 2)  # three candidates in two blocks
    texts = [tuple(t.replace("{}", name) for t in templates) for name in names]
    z_UD = embed_texts(examined.model, texts)
    assert z_UD.shape == (3, examined.model.embedding_dim)
    np.testing.assert_allclose(z_UD, weight_DU.T.numpy(), atol=1e-6)
    assert np.linalg.norm(z_UD, axis=1) == pytest.approx(np.ones(3))


def test_the_texts_are_those_of_training(examined: Bundle) -> None:
    assert examined.texts == TextSettings()
    mixed = {"types": ["taxon_com", "sci"], "mixing": "batch", "of_a_later_version": 1}
    found = taught_with(examined, mixed).texts
    assert found == TextSettings(types=("taxon_com", "sci"), mixing="batch")
    for strange in (None, {"types": ["poem"]}, "sci", 3):
        assert taught_with(examined, strange).texts == TextSettings()
    for manifest in ({}, {"training": {"recipe": {"align": None}}}):
        assert dataclasses.replace(examined, manifest=manifest).texts == TextSettings()


def test_each_wording_is_a_method_of_its_own() -> None:
    assert [w.method for w in wordings(TextSettings())] == ["model"]
    many = TextSettings(types=("sci", "com", "sci"), templates=("{}.", "a photo of {}."))
    assert [w.method for w in wordings(many)] == [
        "model", "model, com text", "model, sci text, 2 templates",
    ]  # fmt: skip


def test_a_candidate_without_a_common_name_falls_back() -> None:
    magpie = Lineage.from_names({"genus": "Pica", "species": "Pica hudsonia"})
    common = {magpie: "black-billed magpie"}
    way = Wording("model", TextType.SCI_COM)
    expected = "a photo of Pica hudsonia with common name black-billed magpie."
    assert candidate_texts(magpie, way, common) == (expected,)
    assert candidate_texts(magpie, way, {}) == ("a photo of Pica hudsonia.",)
    averaged = dataclasses.replace(way, templates=("{}.", "a drawing of {}."))
    assert candidate_texts(magpie, averaged, {}) == (
        "Pica hudsonia.",
        "a drawing of Pica hudsonia.",
    )
    assert candidate_texts(magpie.truncate(Rank.GENUS), way, common) == ("a photo of Pica.",)


def with_common_names(exam: Exam) -> Exam:
    """The exam, with a common name made of the epithet for every species."""
    names = [name and f"common {name.split()[-1]}" for name in exam.names["species"]]
    return dataclasses.replace(exam, table=pa.table({"vernacular_name": names}))


def test_common_names_come_from_the_collection(tiny_exam: Exam) -> None:
    named = with_common_names(tiny_exam)
    found = vernaculars(named)
    assert len(found) == len({n for n in tiny_exam.names["species"] if n})
    for lineage, name in found.items():
        assert name == f"common {lineage.name.split()[-1]}"
    without = dataclasses.replace(tiny_exam, table=pa.table({}))
    assert vernaculars(without) == {}


def test_other_text_types_and_templates_are_asked_at_the_narrowest_rank(
    examined: Bundle, tiny_exam: Exam
) -> None:
    templates = ["{}.", "a microscope image of {}."]
    settings = {"types": ["com", "lineage"], "templates": templates}
    exam = with_common_names(tiny_exam)
    scores = zero_shot_scores(taught_with(examined, settings), exam)
    asked = {(s.method, s.rank) for s in scores if s.pair == "image-caption"}
    assert {rank for method, rank in asked if method == "model"} >= {"genus", "species"}
    for method in ("model, lineage text", "model, com text, 2 templates"):
        assert {rank for m, rank in asked if m == method} == {"species"}
    # The lineage text says what it says as the only type of a model, which is the default.
    question = {"pair": "image-caption", "rank": "species"}
    alone = pick(zero_shot_scores(examined, exam), method="model", **question)
    beside = pick(scores, method="model, lineage text", **question)
    assert [dataclasses.replace(s, method="model") for s in beside] == alone
    # Against a slow loop: the ensemble of two sentences around the common name.
    encoded = next(e for m, e in exam.encoded.items() if m == "image")
    known = sorted(vernaculars(exam).items(), key=lambda pair: pair[0].text())
    searched = exam.role_N != Role.TRAIN.value
    in_question = {n for n, use in zip(exam.names["species"], searched, strict=True) if use}
    known = [(lineage, name) for lineage, name in known if lineage.name in in_question]
    means = []
    for _, name in known:
        both = [encode_captions(examined.model, [t.replace("{}", name)])[0] for t in templates]
        mean = sum(both) / len(both)
        means.append(mean / np.linalg.norm(mean))
    right = []
    for query in exam.among(encoded, Role.TEST).tolist():
        truth = exam.names["species"][encoded.row_R[query]]
        if truth is not None:
            best = int(np.argmax([float(encoded.z_RD[query] @ mean) for mean in means]))
            right.append(known[best][0].name == truth)
    (score,) = pick(
        scores, method="model, com text, 2 templates", part="all", metric="top1_micro", **question
    )  # fmt: skip
    assert (score.value, score.n) == (pytest.approx(np.mean(right)), len(right))
