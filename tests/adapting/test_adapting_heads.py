"""Heads solved at once: against slow oracles; folds that part no group; figures that are not tuned on."""

import numpy as np
import pytest
import torch

from holotype.adapting.choice import (
    CANDIDATES,
    Examples,
    Method,
    choose,
    examined,
    folds_of,
    out_of_fold,
    solved,
)
from holotype.adapting.heads import probe, prototypes
from holotype.adapting.new_model import image_embeddings, with_head
from holotype.collection.store import open_collection
from holotype.inputs.materials import prepare_collection
from holotype.models.bundle import open_bundle
from holotype.models.encode import encode
from holotype.models.towers import Modality


def blobs(seed: int, *, labels: int = 4, each: int = 15, apart: float = 1.5) -> Examples:
    rng = np.random.default_rng(seed)
    middle_LD = apart * rng.normal(size=(labels, 12))
    label_N = np.repeat(np.arange(labels), each)
    z_ND = (middle_LD[label_N] + rng.normal(size=(len(label_N), 12)) + 3).astype(np.float32)
    return Examples(z_ND, label_N, np.arange(len(label_N)), labels)


def test_prototypes_by_hand() -> None:
    # Centre (1, 1). Around it label 0 lies at (1, 0) and (3, 0), label 1 at (-2, 1) and (-2, -1).
    z_ND = np.asarray([[2, 1], [4, 1], [-1, 2], [-1, 0]], dtype=np.float32)
    head = prototypes(z_ND, np.asarray([0, 0, 1, 1]), num_labels=2)
    assert head.centre_D.tolist() == [1.0, 1.0]
    assert head.weight_LD.tolist() == [[1.0, 0.0], [-1.0, 0.0]]
    # (2, 2) is (1, 1) from the centre: cosines of 45 and 135 degrees.
    logit = head.logits(np.asarray([[2, 2]], dtype=np.float32), scale=2.0)
    assert logit[0].tolist() == pytest.approx([2**0.5, -(2**0.5)], abs=1e-6)


@pytest.mark.parametrize("strength", [0.1, 1.0, 100.0])
def test_a_probe_is_the_logistic_regression_of_scikit_learn(strength: float) -> None:
    from sklearn.linear_model import LogisticRegression

    found = blobs(0)
    x_ND = (found.z_ND - found.z_ND.mean(0)) / found.z_ND.std(0) / np.sqrt(12)
    peer = LogisticRegression(C=strength, tol=1e-8, max_iter=5000).fit(x_ND, found.label_N)
    head = probe(found.z_ND, found.label_N, num_labels=4, strength=strength)
    logit = head.logits(found.z_ND)
    ours = torch.softmax(torch.from_numpy(logit), dim=1).numpy()
    assert ours == pytest.approx(peer.predict_proba(x_ND), abs=0.01)


def test_a_probe_passes_over_what_never_varies() -> None:
    found = blobs(1)
    constant = np.concatenate([found.z_ND, np.full((60, 1), 7, np.float32)], axis=1)
    head = probe(constant, found.label_N, num_labels=4, strength=1.0)
    assert np.isfinite(head.weight_LD).all()
    assert (head.weight_LD[:, -1] == 0).all()


def test_folds_part_no_group_and_have_their_share_of_each_label() -> None:
    label_N = np.repeat([0, 1, 2], [20, 10, 1])
    group_N = np.concatenate([np.repeat(np.arange(10), 2), np.arange(100, 110), [200]])
    fold_N = folds_of(label_N, group_N, folds=5, seed=3)
    for group in np.unique(group_N):
        assert len(set(fold_N[group_N == group])) == 1
    for fold in range(5):
        assert (label_N[fold_N == fold] == 0).sum() == 4
        assert (label_N[fold_N == fold] == 1).sum() == 2
    assert fold_N[-1] == -1  # nothing else could teach this label


@pytest.mark.parametrize("method", [Method.PROTOTYPES, Method.PROBE, Method.AUTO])
def test_labels_without_meaning_are_named_by_chance(method: Method) -> None:
    # A figure that saw its own images would be far above one in four.
    found = blobs(2, each=40)
    shuffled = Examples(
        found.z_ND, np.random.default_rng(0).permutation(found.label_N), found.group_N, 4
    )
    logit_NL, has_N = out_of_fold(method, shuffled, seed=0)
    assert has_N.all()
    assert (logit_NL.argmax(axis=1) == shuffled.label_N).mean() < 0.4


def test_the_better_way_is_chosen() -> None:
    # What tells the labels apart is small beside what does not: class means drown in it.
    rng = np.random.default_rng(0)
    label_N = np.repeat([0, 1], 100)
    told = label_N + rng.normal(0, 0.2, 200)
    z_ND = np.column_stack([told, rng.normal(0, 20, (200, 8))]).astype(np.float32)
    found = Examples(z_ND, label_N, np.arange(200), 2)
    assert choose(CANDIDATES[Method.AUTO], found, seed=0)[0] is Method.PROBE


def test_few_examined_images_give_no_figure() -> None:
    found = blobs(0, each=10)
    hit_N, some_N = np.ones(40, np.bool_), np.arange(40) < 29
    assert examined(hit_N, some_N, found, seed=0).accuracy is None
    enough = examined(hit_N, np.arange(40) < 30, found, seed=0)
    assert enough.accuracy is not None
    assert (enough.accuracy.value, enough.images) == (1.0, 30)


@pytest.mark.parametrize("candidate", CANDIDATES[Method.AUTO][:2], ids=["prototypes", "probe"])
def test_a_model_with_the_head_says_what_the_head_says(
    candidate, tiny_run, tiny_collection
) -> None:
    bundle = open_bundle(tiny_run)
    opened = open_collection(tiny_collection)
    has_image = [
        v is not None for v in opened.columns(["image_sha256"])["image_sha256"].to_pylist()
    ]
    rows = np.flatnonzero(has_image)[:60]
    materials = prepare_collection(opened, pixels=bundle.pixels, rows=rows)
    z_ND = image_embeddings(bundle.model, materials)
    found = Examples(z_ND, np.arange(60) % 3, np.arange(60), 3)
    head = solved(candidate, found)
    new = with_head(bundle.model, head).built(3)
    encoded = encode(new.eval(), materials)[Modality.IMAGE]
    assert encoded.logit_RL == pytest.approx(head.logits(z_ND, scale=16.0), abs=1e-3)
    assert new.modalities == (Modality.IMAGE,)
