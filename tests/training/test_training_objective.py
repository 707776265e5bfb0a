"""Masks of a few records by hand, and the captions that a batch may have."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from holotype.inputs.materials import Materials, numbered
from holotype.models.labels import Target, build_label_space, label_names
from holotype.models.towers import Modality
from holotype.objectives.contrast import alignment_loss, identity_loss, soft_target_loss
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage
from holotype.training.objective import (
    Seen,
    alignment_losses,
    classification_loss,
    groups_loss,
    taxa_loss,
)
from holotype.training.recipe import AlignSettings, ClassifySettings
from holotype.training.teaching import Teaching, teaching_of
from holotype.training.texts import StepTexts

IMAGE, BARCODE, CAPTION = Modality.IMAGE, Modality.BARCODE, Modality.CAPTION
FAMILY = {"class": "Copepoda", "family": "Calanidae"}


def concept(qualifier: str = "full_body", **names: str) -> Concept:
    return Concept(Lineage.from_names(names), qualifier)


def random_barcode(seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), size=300))


GLACIALIS = concept(**FAMILY, genus="Calanus", species="Calanus glacialis")
MARSHALLAE = concept(**FAMILY, genus="Calanus", species="Calanus marshallae")
COARSE = concept(**FAMILY)
NEAR, FAR = random_barcode(1), random_barcode(2)
# Row: 0 glacialis, 1 glacialis, 2 marshallae, 3 family alone with a barcode like that of row 0,
# 4 family alone with a barcode far from all, 5 family alone without barcode, 6 without any name
# and the haplotype of row 0, 7 without any name or barcode.
CONCEPTS = (GLACIALIS, GLACIALIS, MARSHALLAE, COARSE, COARSE, COARSE, None, None)
BARCODES = (
    NEAR, NEAR[:-1] + "C", random_barcode(3), NEAR[1:], FAR, None, NEAR, None,
)  # fmt: skip


@pytest.fixture
def materials() -> Materials:
    return Materials(
        record_id=tuple("abcdefgh"),
        concept_N=CONCEPTS,
        pixels_MSSC=np.zeros((8, 4, 4, 1), dtype=np.uint8),
        size_M4=np.ones((8, 4), dtype=np.float32),
        image_N=np.arange(8),
        barcode_N=BARCODES,
        haplotype_N=numbered(BARCODES),
        marker_N=np.zeros(8, dtype=np.int64),
    )


@pytest.fixture
def teaching(materials: Materials) -> Teaching:
    names = label_names(Target.TREE, [None] * 8, materials.concept_N)
    return teaching_of(materials, build_label_space(Target.TREE, names, materials.concept_N), names)


def embeddings(*counts: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn((count, 5), generator=generator, dtype=torch.float64) for count in counts]


SCALE = torch.tensor(4.0, dtype=torch.float64)


def outputs_of(**embedding: torch.Tensor) -> dict[Modality, torch.Tensor]:
    return {Modality(name): rows for name, rows in embedding.items()}


class Heads:
    """Logits as given, whatever the embeddings; a temperature of a quarter."""

    scale, sigmoid_bias = SCALE, torch.tensor(-1.0, dtype=torch.float64)

    def __init__(self, logit=(), head_scale=1.0):
        self.logit, self.head_scale = dict(logit), head_scale

    def label_logits(self, z_BD):
        return z_BD


def aligned(outputs, views, teaching, materials, rows, captions, settings):
    return alignment_losses(
        Heads(), Seen(outputs, views, rows, captions), teaching, materials, settings
    )


def described_by(teaching: Teaching, *concepts: Concept) -> StepTexts:
    """The texts of a step whose captions are of these concepts, one text each."""
    place = {one: index for index, one in enumerate(teaching.concepts)}
    count, empty = len(concepts), np.zeros(0, dtype=np.int64)
    return StepTexts(
        texts=tuple("abcdefgh"[:count]),
        row_B=np.arange(8),
        caption_V=np.arange(count),
        concept_V=np.asarray([place[one] for one in concepts]),
        whole_V=np.asarray([one.qualifier == "full_body" for one in concepts]),
        own_B=np.full(8, -1),
        taxon_T=empty,
        taxon_at_T=empty,
        concept_C=empty,
        concept_at_C=empty,
    )


def classified(logit, teaching, rows, settings, head_scale=1.0):
    heads = Heads(logit, head_scale)
    return classification_loss(heads, Seen(heads.logit, None, rows, None), teaching, settings)


def from_signs(signs: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    cells = np.asarray([list(row) for row in signs])
    return torch.from_numpy(cells == "+"), torch.from_numpy(cells == "?")


def expected_loss(first: torch.Tensor, second: torch.Tensor, signs: list[str]) -> float:
    positive, ignored = from_signs(signs)
    unit = [functional.normalize(rows, dim=1) for rows in (first, second)]
    return float(alignment_loss(*unit, positive, ignored, torch.tensor(4.0).double()))


def test_image_against_barcode_by_hand(materials: Materials, teaching: Teaching) -> None:
    row_P, row_Q = np.arange(8), np.asarray([0, 1, 2, 3, 4, 6])
    images, barcodes = embeddings(8, 6)
    found = aligned(
        outputs_of(image=images, barcode=barcodes), None, teaching, materials,
        {IMAGE: row_P, BARCODE: row_Q}, None, AlignSettings(pairs=((IMAGE, BARCODE),)),
    )  # fmt: skip
    # Columns: barcodes of rows 0, 1, 2, 3, 4, 6. + the same, . different, ? nobody knows.
    signs = [
        "++.?.+",  # glacialis; 3 may be one by name and barcode, 4 not by barcode; 6 has its haplotype
        "++.?.?",  # as row 0, but 6 is only near it
        "..+...",  # marshallae; the barcodes of 3, 4 and 6 are far from its own
        "??.+.?",  # family; near to 0, 1 and 6 by barcode
        "....+.",  # family; its barcode is far from all
        "??????",  # family without a barcode: names leave all open ...
        "+?.?.+",  # no name; the haplotype of row 0
        "??????",  # neither name nor barcode
    ]
    assert float(found["image-barcode"]) == pytest.approx(expected_loss(images, barcodes, signs))


def test_the_bound_says_what_counts_as_different(materials: Materials, teaching: Teaching) -> None:
    rows = {IMAGE: np.asarray([0, 4]), BARCODE: np.asarray([0, 4])}
    images, barcodes = embeddings(2, 2)
    outputs = outputs_of(image=images, barcode=barcodes)
    for bound, signs in ((0.75, ["+.", ".+"]), (0.0, ["+?", "?+"])):
        settings = AlignSettings(pairs=((IMAGE, BARCODE),), different_below=bound)
        found = aligned(outputs, None, teaching, materials, rows, None, settings)
        expected = expected_loss(images, barcodes, signs)
        assert float(found["image-barcode"]) == pytest.approx(expected)


def open_against(
    materials: Materials, first: str | None, second: str | None, marker: tuple[int, int] = (0, 0)
) -> bool:
    """Whether the barcodes of two records leave it open that they are of one species.

    Row 4 and 3 are of one family, so their names leave it open.
    """
    barcodes, markers = list(materials.barcode_N), materials.marker_N.copy()
    barcodes[3], barcodes[4] = first, second
    markers[[3, 4]] = marker
    changed = dataclasses.replace(
        materials, barcode_N=tuple(barcodes), haplotype_N=numbered(barcodes), marker_N=markers
    )
    names = label_names(Target.TREE, [None] * 8, changed.concept_N)
    taught = teaching_of(
        changed, build_label_space(Target.TREE, names, changed.concept_N), names
    )  # fmt: skip
    images, others = embeddings(2, 2)
    found = float(
        aligned(
            outputs_of(image=images, barcode=others), None, taught, changed,
            {IMAGE: np.asarray([3, 4]), BARCODE: np.asarray([3, 4])}, None,
            AlignSettings(pairs=((IMAGE, BARCODE),)),
        )["image-barcode"]
    )  # fmt: skip
    left_open, settled = (
        expected_loss(images, others, signs) for signs in (["+?", "?+"], ["+.", ".+"])
    )
    assert (found == pytest.approx(left_open)) != (found == pytest.approx(settled))
    return found == pytest.approx(left_open)


LONG = "".join(np.random.default_rng(9).choice(list("ACGT"), size=658))


def with_changes(barcode: str, *, every: int) -> str:
    """Another base at every n-th place from 8 on: each takes up to eight 8-mers with it."""
    swap = dict(zip("ACGT", "CGTA", strict=True))
    return "".join(swap[base] if place % every == 8 else base for place, base in enumerate(barcode))


def test_a_read_of_its_own_sequence_is_not_different(materials: Materials) -> None:
    for start in (0, 200, 358):
        assert open_against(materials, LONG[start : start + 300], LONG)
        assert open_against(materials, LONG, LONG[start : start + 300])
    assert not open_against(materials, FAR, LONG)


def test_containment_by_hand(materials: Materials) -> None:
    # One change in 50 bp takes 8 of 50 8-mers: 84 % are left. One in 25: 68 %. The bound is 75 %.
    assert open_against(materials, LONG, with_changes(LONG, every=50))
    assert not open_against(materials, LONG, with_changes(LONG, every=25))


def test_different_markers_say_nothing(materials: Materials) -> None:
    assert not open_against(materials, FAR, LONG, marker=(1, 1))
    assert open_against(materials, FAR, LONG, marker=(0, 1))
    assert open_against(materials, FAR, LONG, marker=(0, -1))


def test_reads_of_few_words_say_nothing(materials: Materials) -> None:
    # 67 bp have 60 8-mers, 66 bp have 59; a base that nobody knows takes eight.
    assert len({FAR[place : place + 8] for place in range(60)}) == 60
    assert not open_against(materials, FAR[:67], LONG)
    assert open_against(materials, FAR[:66], LONG)
    assert open_against(materials, FAR[:30] + "N" + FAR[31:67], LONG)
    assert open_against(materials, None, LONG)


EGG = concept("egg", **FAMILY, genus="Calanus", species="Calanus glacialis")
NAUPLIUS = concept("nauplius", **FAMILY, genus="Calanus", species="Calanus glacialis")
FAMILY_EGG = concept("egg", **FAMILY)


@pytest.mark.parametrize("pair", [(IMAGE, CAPTION), (CAPTION, IMAGE)])
def test_captions_of_life_stages_by_hand(
    materials: Materials, pair: tuple[Modality, Modality]
) -> None:
    concepts = (EGG, NAUPLIUS, GLACIALIS, FAMILY_EGG, COARSE, None, MARSHALLAE, None)
    staged = dataclasses.replace(materials, concept_N=concepts)
    names = label_names(Target.TREE, [None] * 8, concepts)
    taught = teaching_of(staged, build_label_space(Target.TREE, names, concepts), names)
    captions = described_by(taught, EGG, NAUPLIUS, GLACIALIS, FAMILY_EGG, COARSE)
    images, texts = embeddings(7, 5)
    signs = [  # columns: glacialis egg, nauplius and without qualifier; family egg and without
        "+.+++",  # egg of glacialis
        ".++.+",  # nauplius of glacialis
        "..+.+",  # glacialis: no egg and no nauplius
        "???++",  # egg of the family
        "???.+",  # family
        "?????",  # no name
        "....+",  # marshallae
    ]
    found = aligned(
        outputs_of(image=images, caption=texts), None, taught, staged,
        {IMAGE: np.arange(7)}, captions, AlignSettings(pairs=(pair,)),
    )  # fmt: skip
    expected = expected_loss(images, texts, signs)
    if pair == (CAPTION, IMAGE):
        turned = ["".join(column) for column in zip(*signs, strict=True)]
        expected = expected_loss(texts, images, turned)
    assert float(found[f"{pair[0]}-{pair[1]}"]) == pytest.approx(expected)


@pytest.mark.parametrize("pair", [(IMAGE, CAPTION), (CAPTION, IMAGE)])
def test_records_against_captions_by_hand(
    materials: Materials, teaching: Teaching, pair: tuple[Modality, Modality]
) -> None:
    wide = concept(**{"class": "Copepoda"})
    captions = described_by(teaching, GLACIALIS, COARSE, wide, MARSHALLAE)
    images, texts = embeddings(4, 4)
    signs = [  # columns: glacialis, its family, its class, marshallae
        "+++.",  # glacialis: the captions of wider taxa are true of it
        ".+++",  # marshallae
        "?++?",  # family alone: it may be of either species
        "????",  # no name
    ]
    rows = np.asarray([0, 2, 3, 6])
    found = aligned(
        outputs_of(image=images, caption=texts), None, teaching, materials,
        {IMAGE: rows}, captions, AlignSettings(pairs=(pair,)),
    )  # fmt: skip
    assert list(found) == [f"{pair[0]}-{pair[1]}"]
    expected = expected_loss(images, texts, signs)
    assert float(found[f"{pair[0]}-{pair[1]}"]) == pytest.approx(expected)


def test_two_views_of_barcodes_by_hand(materials: Materials, teaching: Teaching) -> None:
    first, second = embeddings(3, 3)
    rows = np.asarray([0, 2, 3])
    found = aligned(
        outputs_of(barcode=first), outputs_of(barcode=second), teaching, materials,
        {BARCODE: rows}, None, AlignSettings(pairs=((BARCODE, BARCODE),)),
    )  # fmt: skip
    # glacialis, marshallae, family near glacialis; both views of each; none against itself.
    signs = [
        "?.?+.?",
        ".?..+.",
        "?.??.+",
        "+.??.?",
        ".+..?.",
        "?.+?.?",
    ]
    both = torch.cat([first, second])
    assert float(found["barcode-barcode"]) == pytest.approx(expected_loss(both, both, signs))


def test_pairs_that_the_batch_lacks_are_left_out(materials: Materials, teaching: Teaching) -> None:
    (images,) = embeddings(2)
    settings = AlignSettings(pairs=((IMAGE, BARCODE), (IMAGE, CAPTION), (IMAGE, IMAGE)))
    found = aligned(
        outputs_of(image=images), None, teaching, materials, {IMAGE: np.arange(2)}, None, settings
    )
    assert found == {}


def test_the_temperature_is_the_models(materials: Materials, teaching: Teaching) -> None:
    images, barcodes = embeddings(2, 2)
    outputs = outputs_of(image=images.float(), barcode=barcodes.float())
    rows = {IMAGE: np.asarray([0, 2]), BARCODE: np.asarray([0, 2])}
    settings = AlignSettings(pairs=((IMAGE, BARCODE),), temperature=0.5)  # the model says 1 / 4
    found = aligned(outputs, None, teaching, materials, rows, None, settings)
    assert float(found["image-barcode"]) == pytest.approx(
        expected_loss(images, barcodes, ["+.", ".+"]), abs=1e-5
    )


def test_classification_by_hand(teaching: Teaching) -> None:
    # Labels: Calanidae, Calanus glacialis, Calanus marshallae, with probabilities 1/2, 1/3, 1/6.
    logit_BL = torch.tensor([[3.0, 2.0, 1.0]] * 3, dtype=torch.float64).log()
    rows = {IMAGE: np.asarray([0, 3, 7])}  # glacialis; family: all three agree; no label
    loss = classified({IMAGE: logit_BL}, teaching, rows, ClassifySettings(), 2.0)
    assert loss is not None
    assert float(loss) == pytest.approx((math.log(3) + 0.0) / 2)


def test_margin_is_taken_off_the_right_label(teaching: Teaching) -> None:
    logit_BL = torch.tensor([[3.0, 2.0, 1.0]], dtype=torch.float64)
    settings = ClassifySettings(margin=0.25)  # 0.25 * scale 2 = 0.5 off logit 2.0
    rows = {BARCODE: np.asarray([0])}
    loss = classified({BARCODE: logit_BL}, teaching, rows, settings, 2.0)
    assert loss is not None
    others = math.exp(3) + math.exp(1)
    assert float(loss) == pytest.approx(-math.log(math.exp(1.5) / (math.exp(1.5) + others)))


def test_images_and_barcodes_weigh_alike(teaching: Teaching) -> None:
    image_BL = torch.tensor([[1.0, 0.0, 0.0]] * 5, dtype=torch.float64)
    barcode_BL = torch.tensor([[0.0, 3.0, 0.0]], dtype=torch.float64)
    rows = {IMAGE: np.asarray([0, 0, 1, 1, 0]), BARCODE: np.asarray([0])}
    logit = {IMAGE: image_BL, BARCODE: barcode_BL}
    both, image, barcode = (
        classified(part, teaching, {m: rows[m] for m in part}, ClassifySettings())
        for part in (logit, {IMAGE: image_BL}, {BARCODE: barcode_BL})
    )
    assert both is not None
    assert image is not None
    assert barcode is not None
    assert float(both) == pytest.approx((float(image) + float(barcode)) / 2)


def test_no_label_no_loss(teaching: Teaching) -> None:
    logit, rows = {IMAGE: torch.zeros(2, 3)}, {IMAGE: np.asarray([6, 7])}
    assert classified(logit, teaching, rows, ClassifySettings()) is None


def test_identity_targets_are_clips(materials: Materials, teaching: Teaching) -> None:
    row_P, row_Q = np.arange(8), np.asarray([4, 0, 1, 6])
    images, barcodes = embeddings(8, 4)
    settings = AlignSettings(pairs=((IMAGE, BARCODE),), targets="identity")
    found = aligned(
        outputs_of(image=images, barcode=barcodes), None, teaching, materials,
        {IMAGE: row_P, BARCODE: row_Q}, None, settings,
    )  # fmt: skip
    first, second = (functional.normalize(rows, dim=1) for rows in (images[row_Q], barcodes))
    assert float(found["image-barcode"]) == pytest.approx(
        float(identity_loss(first, second, SCALE))
    )


def test_a_shared_caption_is_a_false_negative_of_identity_targets(
    materials: Materials, teaching: Teaching
) -> None:
    texts = described_by(teaching, GLACIALIS, MARSHALLAE)
    texts.own_B[:3] = [0, 0, 1]
    images, captions = embeddings(3, 2)
    settings = AlignSettings(pairs=((IMAGE, CAPTION),), targets="identity")
    found = aligned(
        outputs_of(image=images, caption=captions), None, teaching, materials,
        {IMAGE: np.arange(3)}, texts, settings,
    )  # fmt: skip
    first, second = (
        functional.normalize(rows, dim=1) for rows in (images, captions[torch.tensor([0, 0, 1])])
    )
    assert float(found["image-caption"]) == pytest.approx(
        float(identity_loss(first, second, SCALE))
    )


def test_one_name_belongs_together_at_whatever_rank(
    materials: Materials, teaching: Teaching
) -> None:
    row_P, row_Q = np.asarray([0, 3, 4, 5, 6]), np.asarray([0, 1, 3, 4])
    images, barcodes = embeddings(5, 4)
    found = aligned(
        outputs_of(image=images, barcode=barcodes), None, teaching, materials,
        {IMAGE: row_P, BARCODE: row_Q}, None,
        AlignSettings(pairs=((IMAGE, BARCODE),), targets="concept"),
    )  # fmt: skip
    signs = [  # columns: glacialis twice, and the family's name with two barcodes that tell apart
        "++?.",  # glacialis
        "??+.",  # family; its barcode is near glacialis and far from the other of the family
        "...+",  # family
        "??++",  # family without a barcode: the name is what is known
        "+??.",  # no name; the haplotype of glacialis
    ]
    assert float(found["image-barcode"]) == pytest.approx(expected_loss(images, barcodes, signs))


def test_two_life_stages_are_two_names(materials: Materials) -> None:
    concepts = (EGG, NAUPLIUS, GLACIALIS, FAMILY_EGG, FAMILY_EGG, COARSE, None, None)
    barcodes = (None,) * 8
    staged = dataclasses.replace(
        materials, concept_N=concepts, barcode_N=barcodes, haplotype_N=numbered(barcodes)
    )
    names = label_names(Target.TREE, [None] * 8, concepts)
    taught = teaching_of(staged, build_label_space(Target.TREE, names, concepts), names)
    first, second = embeddings(6, 6)
    rows = np.arange(6)
    found = aligned(
        outputs_of(image=first), outputs_of(image=second), taught, staged, {IMAGE: rows}, None,
        AlignSettings(pairs=((IMAGE, IMAGE),), targets="concept"),
    )  # fmt: skip
    block = [
        "+.+???",  # egg of glacialis; a nauplius is no egg
        ".++..?",  # nauplius
        "+++???",  # glacialis, stage unsaid
        "?.?++?",  # eggs of the family, one name
        "?.?++?",
        "?????+",  # the family, stage unsaid
    ]
    signs = [row + row for row in block] * 2
    signs = [row[:at] + "?" + row[at + 1 :] for at, row in enumerate(signs)]
    both = torch.cat([first, second])
    assert float(found["image-image"]) == pytest.approx(expected_loss(both, both, signs))


def test_equal_captions_make_identity_targets_those_by_taxon() -> None:
    """Why targets by taxon add nothing to pairs with captions: the gradients are the same."""
    images, texts = embeddings(6, 3)
    own = torch.tensor([0, 0, 1, 1, 2, 2])  # two records of each taxon, one caption a taxon
    slopes = []
    for positive in (torch.eye(6, dtype=torch.bool), own[:, None] == own[None, :]):
        z, t = (rows.clone().requires_grad_() for rows in (images, texts))
        unit = [functional.normalize(rows, dim=1) for rows in (z, t)]
        nothing = torch.zeros(6, 6, dtype=torch.bool)
        alignment_loss(unit[0], unit[1][own], positive, nothing, SCALE).backward()
        slopes.append((z.grad, t.grad))
    for mine, other in zip(*slopes, strict=True):
        torch.testing.assert_close(mine, other)


def test_wider_ranks_belong_together_a_little(materials: Materials, teaching: Teaching) -> None:
    rows = np.asarray([0, 1, 2])
    images, barcodes = embeddings(3, 3)
    settings = AlignSettings(pairs=((IMAGE, BARCODE),), targets="ranks", rank_decay=0.25)
    found = aligned(
        outputs_of(image=images, barcode=barcodes), None, teaching, materials,
        {IMAGE: rows, BARCODE: rows}, None, settings,
    )  # fmt: skip
    weight = torch.tensor([[1, 1, 0.25], [1, 1, 0.25], [0.25, 0.25, 1]], dtype=torch.float64)
    unit = [functional.normalize(z, dim=1) for z in (images, barcodes)]
    nothing = torch.zeros(3, 3, dtype=torch.bool)
    assert float(found["image-barcode"]) == pytest.approx(
        float(soft_target_loss(*unit, weight, nothing, SCALE))
    )


def test_the_sigmoid_judges_pairs_for_themselves(materials: Materials, teaching: Teaching) -> None:
    rows = np.asarray([0, 1, 2])
    images, barcodes = embeddings(3, 3)
    settings = AlignSettings(pairs=((IMAGE, BARCODE),), contrast="sigmoid")
    found = aligned(
        outputs_of(image=images, barcode=barcodes), None, teaching, materials,
        {IMAGE: rows, BARCODE: rows}, None, settings,
    )  # fmt: skip
    cosine = functional.normalize(images, dim=1) @ functional.normalize(barcodes, dim=1).T
    sign = torch.tensor([[1.0, 1, -1], [1, 1, -1], [-1, -1, 1]], dtype=torch.float64)
    expected = -functional.logsigmoid(sign * (4 * cosine - 1)).sum() / 3
    assert float(found["image-barcode"]) == pytest.approx(float(expected))


def test_contrast_with_all_taxa_by_hand(teaching: Teaching) -> None:
    """Records 0 (glacialis), 2 (marshallae), 3 (family alone), 7 (nothing), one rank after the other."""
    names = ["Copepoda", "Calanidae", "Calanus", "Calanus glacialis", "Calanus marshallae"]
    order = [lineage.name for lineage in teaching.paths.lineage_T]
    place = {one: index for index, one in enumerate(teaching.concepts)}
    concepts = sorted([place[GLACIALIS], place[MARSHALLAE], place[COARSE]])
    z_UD = functional.normalize(embeddings(5)[0], dim=1)
    texts = dataclasses.replace(
        described_by(teaching),
        texts=tuple(names),
        taxon_T=np.arange(5),
        taxon_at_T=np.asarray([names.index(name) for name in order]),
        concept_C=np.asarray(concepts),
        concept_at_C=np.asarray([names.index(teaching.concepts[c].name) for c in concepts]),
    )
    images = embeddings(4)[0]
    rows = {IMAGE: np.asarray([0, 2, 3, 7])}
    seen = Seen(outputs_of(image=images, caption=z_UD), None, rows, texts)
    found = taxa_loss(SCALE, seen, teaching)
    cosine = functional.normalize(images, dim=1) @ z_UD.T * 4

    def minus_log(row: int, right: list[int], among: list[int]) -> float:
        total = sum(math.exp(float(cosine[row, u])) for u in among)
        return -math.log(sum(math.exp(float(cosine[row, u])) for u in right) / total)

    # Class, family and genus have one taxon each: nothing to tell, yet they count in a record's mean.
    by_rank = [minus_log(0, [3], [3, 4]) / 4, minus_log(1, [4], [3, 4]) / 4, 0.0]
    by_concept = [
        minus_log(0, [3], [1, 3, 4]),
        minus_log(1, [4], [1, 3, 4]),
        minus_log(2, [1, 3, 4], [1, 3, 4]),  # a record of the family agrees with its species
    ]
    assert float(found) == pytest.approx((sum(by_rank) / 3 + sum(by_concept) / 3) / 2)


def test_groups_have_a_direction_that_images_and_barcodes_share(teaching: Teaching) -> None:
    grouped = dataclasses.replace(teaching, group_N=np.asarray([0, 0, 1, -1, 1, -1, 0, -1]))
    assert grouped.num_groups == 2
    images, barcodes, groups_GD = embeddings(3, 2, 2)
    rows = {IMAGE: np.asarray([0, 2, 3]), BARCODE: np.asarray([4, 6])}  # row 3 has no group
    seen = Seen(outputs_of(image=images, barcode=barcodes), None, rows, None)
    cosine = [
        functional.normalize(z, dim=1) @ functional.normalize(groups_GD, dim=1).T
        for z in (images[:2], barcodes)
    ]
    expected = [
        functional.cross_entropy(4 * cosine[0], torch.tensor([0, 1])),
        functional.cross_entropy(4 * cosine[1], torch.tensor([1, 0])),
    ]
    found = groups_loss(SCALE, groups_GD, seen, grouped)
    assert float(found) == pytest.approx(float(sum(expected)) / 2)
    alone = Seen(outputs_of(image=images), None, {IMAGE: np.asarray([3, 5, 7])}, None)
    assert groups_loss(SCALE, groups_GD, alone, grouped) is None


def test_nothing_named_teaches_no_taxa(teaching: Teaching) -> None:
    texts = described_by(teaching)
    seen = Seen(outputs_of(image=embeddings(1)[0]), None, {IMAGE: np.asarray([6])}, texts)
    assert taxa_loss(SCALE, seen, teaching) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rank_decay": 0.5}, "rank_decay does nothing for targets = 'taxon'"),
        ({"targets": "identity", "different_below": 0.5}, "different_below does nothing"),
        ({"targets": "ranks", "contrast": "sigmoid"}, "give 'taxon'"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AlignSettings(pairs=((IMAGE, BARCODE),), **given)
