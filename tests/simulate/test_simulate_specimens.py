"""Specimens: the same bytes twice, counts with a long tail, images that a classifier can use."""

import itertools
import re
from collections import Counter
from datetime import date

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from holotype.simulate import (
    INSTRUMENTS,
    SimulationSettings,
    Specimen,
    TaxonTree,
    simulate_specimens,
)
from holotype.simulate.shapes import PLANS, plan_of
from holotype.simulate.specimens import num_specimens


def _decode(specimen: Specimen) -> NDArray[np.uint8]:
    assert specimen.image is not None
    image = cv2.imdecode(np.frombuffer(specimen.image, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


def test_two_runs_are_equal_and_another_seed_differs(small_settings: SimulationSettings) -> None:
    first = list(itertools.islice(simulate_specimens(small_settings), 40))
    assert first == list(itertools.islice(simulate_specimens(small_settings), 40))
    other_seed = small_settings.model_copy(update={"seed": 4})
    other = list(itertools.islice(simulate_specimens(other_seed), 40))
    assert all(one.image != two.image for one, two in zip(first, other, strict=True))
    assert all(
        one.barcode != two.barcode for one, two in zip(first, other, strict=True) if one.barcode
    )


def test_fewer_barcodes_leave_images_as_they_were(
    small_settings: SimulationSettings, small_collection: list[Specimen]
) -> None:
    sparse = small_settings.model_copy(update={"barcode_fraction": 0.1})
    for one, two in zip(
        small_collection, itertools.islice(simulate_specimens(sparse), 40), strict=False
    ):
        assert one.image == two.image
        assert two.barcode in (None, one.barcode)


def test_counts_have_a_long_tail(
    default_settings: SimulationSettings, default_tree: TaxonTree
) -> None:
    counts = np.array([num_specimens(default_settings, species=s) for s in default_tree.species])
    assert 3_000 <= counts.sum() <= 4_000
    assert (counts >= 10).sum() >= 100
    assert ((counts >= 2) & (counts < 10)).sum() >= 40
    assert 5 <= (counts == 1).sum() <= 25
    assert counts.max() >= 5 * np.median(counts)


def test_every_species_of_the_tree_has_its_specimens(
    small_settings: SimulationSettings, small_collection: list[Specimen]
) -> None:
    counts = Counter(specimen.true_names["species"] for specimen in small_collection)
    assert len(counts) == small_settings.num_species
    identifiers = [specimen.specimen_id for specimen in small_collection]
    assert identifiers == [f"SIM-{number:06d}" for number in range(len(small_collection))]


def test_images_decode_within_the_side_limits(small_collection: list[Specimen]) -> None:
    for specimen in small_collection:
        image = _decode(specimen)
        assert 32 <= min(image.shape[:2]) <= max(image.shape[:2]) <= 96
        is_grey = INSTRUMENTS[specimen.instrument].is_grey
        assert image.ndim == (2 if is_grey else 3)
        assert specimen.image is not None
        assert specimen.image_name is not None
        magic = b"\x89PNG" if specimen.image_name.endswith(".png") else b"\xff\xd8\xff"
        assert specimen.image.startswith(magic)
        assert specimen.image_name.startswith(specimen.specimen_id)


def test_pixel_size_and_height_give_a_length_near_the_body_plans(
    default_tree: TaxonTree, small_collection: list[Specimen]
) -> None:
    names = {species.name: species for species in default_tree.species}
    for specimen in small_collection:
        plan = plan_of(names[specimen.true_names["species"]])
        frame_um = max(_decode(specimen).shape[:2]) * specimen.pixel_size_um
        assert 0.3 * plan.length_um < frame_um < 5 * plan.length_um


def test_instruments_differ_in_the_brightness_of_their_border(
    small_collection: list[Specimen],
) -> None:
    borders: dict[str, list[float]] = {name: [] for name in INSTRUMENTS}
    for specimen in small_collection:
        image = _decode(specimen)
        border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        borders[specimen.instrument].append(float(np.median(border)))
    means = {name: float(np.mean(values)) for name, values in borders.items()}
    assert means["dark-field camera"] < 25
    assert 170 < means["shadowgraph"] < 225 < means["colour scanner"]


def test_species_are_seen_by_several_instruments(small_collection: list[Specimen]) -> None:
    seen: dict[str, Counter[str]] = {}
    for specimen in small_collection:
        seen.setdefault(specimen.true_names["species"], Counter())[specimen.instrument] += 1
    common = [counts for counts in seen.values() if counts.total() >= 20]
    assert len(common) >= 10
    assert np.mean([len(counts) == 3 for counts in common]) > 0.7
    assert len({counts.most_common(1)[0][0] for counts in common}) == 3


def test_unnamed_species_have_barcodes_and_short_labels(small_collection: list[Specimen]) -> None:
    unnamed = [specimen for specimen in small_collection if "species" not in specimen.names]
    assert len({specimen.true_names["species"] for specimen in unnamed}) == 10
    assert all(specimen.barcode and "genus" not in specimen.names for specimen in unnamed)
    for specimen in small_collection:
        assert specimen.names.items() <= specimen.true_names.items()


def test_barcodes_of_most_specimens_read_acgtn(small_collection: list[Specimen]) -> None:
    barcodes = [specimen.barcode for specimen in small_collection if specimen.barcode]
    assert 0.8 < len(barcodes) / len(small_collection) < 0.93
    assert all(re.fullmatch("[ACGTN]{598,658}", barcode) for barcode in barcodes)
    assert any("N" in barcode for barcode in barcodes)
    for specimen in small_collection:
        assert (specimen.marker == "COI-5P") == (specimen.barcode is not None)
        assert (specimen.haplotype is None) == (specimen.barcode is None)


def test_label_noise_is_the_share_asked_for_and_prefers_congeners() -> None:
    settings = SimulationSettings(
        num_species=40, median_specimens_per_species=4, label_noise=0.3, unnamed_species_fraction=0
    )
    specimens = list(simulate_specimens(settings))
    wrong = [specimen for specimen in specimens if specimen.names != specimen.true_names]
    assert 0.2 < len(wrong) / len(specimens) < 0.4
    near = [specimen.names["genus"] == specimen.true_names["genus"] for specimen in wrong]
    assert np.mean(near) > 0.5


def test_specimens_have_an_image_or_a_barcode() -> None:
    settings = SimulationSettings(
        num_species=20, median_specimens_per_species=3, image_fraction=0.5, barcode_fraction=0.2
    )
    specimens = list(simulate_specimens(settings))
    assert all(specimen.image or specimen.barcode for specimen in specimens)
    assert any(specimen.image is None and specimen.image_name is None for specimen in specimens)


def test_places_are_possible(small_collection: list[Specimen]) -> None:
    for specimen in small_collection:
        assert -90 <= specimen.latitude_deg <= 90
        assert -180 <= specimen.longitude_deg <= 180
        assert (specimen.depth_m is None) == (specimen.true_names["class"] == "Insecta")
        assert specimen.depth_m is None or 0 < specimen.depth_m < 6_000
        assert date(2012, 1, 1) <= date.fromisoformat(specimen.collected_on) < date(2025, 1, 1)


def test_every_plan_is_used(default_tree: TaxonTree) -> None:
    used = {id(plan_of(species)) for species in default_tree.species}
    assert used == {id(plan) for plan in PLANS.values()}


@pytest.fixture(scope="module")
def pixels(small_collection: list[Specimen]) -> NDArray[np.float64]:
    """16 x 16 grey pixels, polarity made equal, shape (specimens, 256)."""
    rows = []
    for specimen in small_collection:
        image = _decode(specimen)
        grey = image if image.ndim == 2 else image.mean(axis=2)
        small = cv2.resize(np.asarray(grey, np.float32), (16, 16), interpolation=cv2.INTER_AREA)
        contrast = np.abs(small - np.median(small[[0, -1]]))
        rows.append(contrast.ravel() / (contrast.std() + 1e-6))
    return np.asarray(rows)


def test_classes_can_be_told_apart_from_few_pixels(
    small_collection: list[Specimen], pixels: NDArray[np.float64]
) -> None:
    classes = np.array([specimen.true_names["class"] for specimen in small_collection])
    is_test = np.arange(len(classes)) % 4 == 0
    model = ExtraTreesClassifier(n_estimators=60, random_state=0).fit(
        pixels[~is_test], classes[~is_test]
    )
    accuracy = model.score(pixels[is_test], classes[is_test])
    majority = max(Counter(classes[is_test]).values()) / is_test.sum()
    assert majority < 0.35
    assert accuracy > 0.6
