"""From a trained bundle to its decisions on disk, and back: fitted, opened, carried, refused elsewhere."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_tree import small_tree

import holotype
from holotype.collection.store import open_collection
from holotype.decisions.answer_tree import LEVELS, RIGHT
from holotype.decisions.calibrating import calibrate_on
from holotype.decisions.channels import Channel
from holotype.decisions.course import Course
from holotype.decisions.evidence import Neighbours
from holotype.decisions.reading import Reading
from holotype.decisions.stand_ins import ranks_of_the_new, stand_ins
from holotype.decisions.store import MANIFEST, open_decisions, validation_of, write_decisions
from holotype.errors import BundleError
from holotype.index.records import RECORDS_SCHEMA
from holotype.index.store import Index
from holotype.inputs.materials import prepare_collection
from holotype.models.bundle import open_bundle
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage, Rank


@pytest.fixture(scope="module")
def calibrated(tiny_run: Path, tiny_collection: Path, tmp_path_factory) -> Path:
    """The tiny bundle, calibrated on two of three records of its collection."""
    folder = tmp_path_factory.mktemp("calibrated") / "run"
    shutil.copytree(tiny_run, folder)
    bundle, opened = open_bundle(folder), open_collection(tiny_collection)
    rows = np.arange(len(opened))
    course = Course(
        prepare_collection(opened, pixels=bundle.pixels, rows=rows),
        opened.columns(),
        rows % 3 == 0,
        rows,
        np.zeros(len(rows), dtype=np.bool_),
    )
    report = calibrate_on(bundle, course, seed=0)
    assert report.records["image"] > 100
    assert report.references > 30
    return folder


def test_what_was_fitted_is_what_is_opened(calibrated: Path):
    opened = open_decisions(open_bundle(calibrated))
    decisions = opened.decisions
    assert {Channel.IMAGE, Channel.BARCODE, Channel.BOTH} <= set(decisions.channels)
    for of in decisions.channels.values():
        found = of.control.confidence_BK
        filled = np.where(np.isnan(found), np.inf, found)
        assert (
            np.minimum.accumulate(filled, axis=1)[np.isfinite(filled)] == found[np.isfinite(filled)]
        ).all()
        assert of.control.right_BK.shape == found.shape == (len(of.control), len(LEVELS))
    assert decisions.threshold(Channel.IMAGE, max_error=0.9).holds
    assert not decisions.threshold(Channel.IMAGE, max_error=0.001).holds
    assert set(opened.summary) >= {"embedding", "labels", "instruments", "preparation"}


def test_what_the_model_says_of_validation_records_is_kept(calibrated: Path):
    before = (calibrated / "decisions" / "decisions.json").read_text()
    told = json.loads(before)
    assert told["model"] == open_bundle(calibrated).fingerprint
    validation = validation_of(calibrated)
    assert set(validation["modality"].to_pylist()) == {"image", "barcode"}
    totals = [sum(row) for row in validation["probability"].to_pylist()]
    assert totals == pytest.approx([1.0] * len(totals), abs=1e-4)


def test_decisions_of_other_weights_are_refused(calibrated: Path, tmp_path: Path):
    shutil.copytree(calibrated, tmp_path / "run")
    path = tmp_path / "run" / "decisions" / "decisions.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "model": "0" * 16}))
    with pytest.raises(BundleError, match="of other weights"):
        open_decisions(open_bundle(tmp_path / "run"))


def in_version_1(run: Path) -> Path:
    """Lays the decisions of a bundle out as version 1 did, and returns their folder."""
    folder = run / "decisions"
    told = json.loads((folder / MANIFEST).read_text())
    for path in (folder / told.pop("data")).iterdir():
        path.rename(folder / path.name)
    (folder / MANIFEST).write_text(json.dumps({**told, "version": 1}))
    return folder


def test_decisions_of_version_1_are_read_and_replaced_whole(calibrated: Path, tmp_path: Path):
    run = Path(shutil.copytree(calibrated, tmp_path / "run"))
    folder = in_version_1(run)
    bundle = open_bundle(run)
    before, kept = open_decisions(bundle), validation_of(run)
    stored = before.references
    references = Index.of(stored.columns(RECORDS_SCHEMA.names), stored.vectors, model=stored.model)
    for data in ("data-1", "data-2", "data-1"):
        (folder / "data-9").mkdir(exist_ok=True)
        write_decisions(
            bundle, before.decisions, references, validation=kept, summary=before.summary
        )
        assert json.loads((folder / MANIFEST).read_text())["data"] == data
        assert {path.name for path in folder.iterdir()} == {MANIFEST, data}
        found = open_decisions(bundle)
        assert found.decisions.as_json() == before.decisions.as_json()
        assert found.references.columns(RECORDS_SCHEMA.names) == references.table
        assert validation_of(run) == kept


@pytest.mark.parametrize("data", ["..", "data-3", None, ["data-1"]])
def test_decisions_of_no_folder_of_theirs_are_refused(calibrated: Path, tmp_path: Path, data):
    run = Path(shutil.copytree(calibrated, tmp_path / "run"))
    path = run / "decisions" / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "data": data}))
    for read in (lambda: open_decisions(open_bundle(run)), lambda: validation_of(run)):
        with pytest.raises(BundleError, match=r"names no data\. Run holotype calibrate"):
            read()


def test_a_shrunk_bundle_keeps_its_decisions(calibrated: Path, tmp_path: Path):
    holotype.shrink(calibrated, out=tmp_path / "small")
    small, whole = (open_decisions(open_bundle(p)) for p in (tmp_path / "small", calibrated))
    first = small.decisions.threshold(Channel.IMAGE, max_error=0.5)
    assert first == whole.decisions.threshold(Channel.IMAGE, max_error=0.5)
    assert small.references.model == open_bundle(tmp_path / "small").fingerprint


def test_thresholds_are_a_table_of_every_level_and_label(calibrated: Path, tmp_path: Path):
    report = holotype.thresholds(calibrated, out=tmp_path / "t.csv", max_error=0.5)
    with (tmp_path / "t.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == report.rows
    assert {row["of"] for row in rows} == {"everything", "level", "label"}
    promised = [row for row in rows if row["threshold"]]
    assert len(promised) == report.promised > 0
    assert all(int(row["wrong"]) <= int(row["answered"]) for row in rows)
    assert all(row["remark"] for row in rows if not row["threshold"])


def test_a_bundle_that_was_never_calibrated_says_so(calibrated: Path, tmp_path: Path):
    shutil.copytree(calibrated, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "decisions")
    assert open_decisions(open_bundle(tmp_path / "run")) is None
    with pytest.raises(BundleError, match="never calibrated"):
        holotype.thresholds(tmp_path / "run", out=tmp_path / "t.csv")


def reading_of(count: int) -> Reading:
    """Records with a logit and neighbours of every label of the small tree."""
    logit = np.tile([0.0, 3.0, 2.0, 1.0, -1.0], (count, 1))
    near = Neighbours(
        np.tile([1, 1, 2, 0, 3, 4], (count, 1)),
        np.tile([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], (count, 1)),
        -1.0,
    )
    parts = {"image model": logit, "image references": np.zeros_like(logit)}
    return Reading(np.arange(count), parts, {"image": near})


def test_a_stand_in_for_a_new_genus_has_lost_the_whole_genus():
    tree = small_tree()
    concept = tree.labels.labels[1].concept
    truth = tree.truths([concept] * 3, ["Calanus finmarchicus"] * 3)
    label = np.asarray([1, 1, 1])
    found = stand_ins(tree, reading_of(3), truth, label, [Rank.GENUS], seed=0)
    evidence = found.reading.evidence({"image model": 1.0, "image references": 0.0})
    assert evidence.probability_BL[0, :3].tolist() == [0, 0, 0], "Calanus and both its species"
    assert evidence.near["image"].label_BV[0, 0] == 3, "Neocalanus is nearest now"
    assert tree.name(int(found.taxon_S[0])) == "Calanus"
    species = stand_ins(tree, reading_of(3), truth, label, [None], seed=0)
    kept = species.reading.evidence({"image model": 1.0, "image references": 0.0})
    assert kept.near["image"].label_BV[0, 0] == 2, "its sister is left"
    assert species.take(np.asarray([2])).of_S.tolist() == [0]


def test_at_which_rank_unseen_taxa_are_new():
    tree = small_tree()
    family = {"kingdom": "Animalia", "family": "Calanidae"}
    unseen = [
        Concept(
            Lineage.from_names({**family, "genus": "Calanus", "species": "Calanus helgolandicus"})
        ),
        Concept(
            Lineage.from_names({**family, "genus": "Undinula", "species": "Undinula vulgaris"})
        ),
        Concept(
            Lineage.from_names(
                {"kingdom": "Animalia", "order": "Cyclopoida", "family": "Oithonidae"}
            )
        ),
    ]
    truth = tree.truths(unseen, [None] * 3)
    assert (truth == RIGHT).any(axis=1).all()
    assert ranks_of_the_new(tree, truth, np.arange(3)) == [None, Rank.GENUS, Rank.ORDER]


def test_controls_can_be_taken_apart(calibrated: Path):
    control = open_decisions(open_bundle(calibrated)).decisions.channels[Channel.IMAGE].control
    assert len(control.take(np.arange(5))) == 5
    twice = replace(control, draw_B=np.zeros(len(control), dtype=np.int64))
    assert len(twice.independent) == 1
