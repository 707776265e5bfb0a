"""The contract of ``predict``: every input a row, equal rows in any company, the same in any format."""

import csv
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import BundleError, SourceError
from holotype.identify import predict as command
from holotype.media.preparation import PixelPreparation, PreparationKind

PIXELS = PixelPreparation(PreparationKind.PADDED, side_px=32, channels=1)
COLUMNS = [
    "input", "label", "kingdom", "phylum", "class", "order", "family", "genus", "species", "rank",
    "score", "score_kingdom", "score_phylum", "score_class", "score_order", "score_family",
    "score_genus", "score_species", "taxon", "taxon_rank", "taxon_score", "top_k", "failure",
]  # fmt: skip
RANKS = COLUMNS[2:9]


def without_input(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: cell for name, cell in row.items() if name != "input"} for row in rows]


@pytest.fixture(scope="module")
def places(brought, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same six images as files, folder, zip and tar; the same six barcodes in four forms."""
    root = tmp_path_factory.mktemp("brought")
    folder = root / "crops"
    (folder / "inner").mkdir(parents=True)
    with (
        zipfile.ZipFile(root / "crops.zip", "w") as zipped,
        tarfile.open(root / "crops.tar.gz", "w:gz") as tarred,
    ):
        for name, content in brought["images"]:
            (folder / "inner" / name).write_bytes(content)
            zipped.writestr(f"inner/{name}", content)
            member = tarfile.TarInfo(f"inner/{name}")
            member.size = len(content)
            tarred.addfile(member, io.BytesIO(content))
    text = "".join(f">{name} some words\n{barcode}\n" for name, barcode in brought["barcodes"])
    (root / "reads.fasta").write_text(text)
    with gzip.open(root / "reads.fa.gz", "wt") as handle:
        handle.write(text)
    rows = "".join(f"{name}\t{barcode}\n" for name, barcode in brought["barcodes"])
    (root / "reads.tsv").write_text("record_id\tbarcode\n" + rows)
    import pyarrow as pa

    names, barcodes = zip(*brought["barcodes"], strict=True)
    pq.write_table(pa.table({"record_id": names, "barcode": barcodes}), root / "reads.parquet")
    return {path.name: path for path in root.iterdir()}


def test_columns_come_in_their_order(predicted, places, tmp_path: Path) -> None:
    predicted(tmp_path / "a.csv", places["crops.zip"])
    assert (tmp_path / "a.csv").read_text().splitlines()[0].split(",") == COLUMNS
    holotype_schema = command.ANSWER_SCHEMA.names
    assert holotype_schema == COLUMNS


@pytest.mark.parametrize("container", ["crops", "crops.zip", "crops.tar.gz"])
def test_members_of_containers_bear_the_path_inside(
    container: str, predicted, places, brought, tmp_path: Path
) -> None:
    rows = predicted(tmp_path / "a.csv", places[container])
    names = [f"{places[container]}/inner/{name}" for name, _ in brought["images"]]
    assert sorted(row["input"] for row in rows) == sorted(names)
    files = [places["crops"] / "inner" / Path(row["input"]).name for row in rows]
    alone = predicted(tmp_path / "b.csv", *files)
    assert [row["input"] for row in alone] == [str(path) for path in files]
    assert without_input(alone) == without_input(rows)


@pytest.mark.parametrize("form", ["reads.fasta", "reads.fa.gz", "reads.tsv", "reads.parquet"])
def test_barcodes_in_any_form_are_named_alike(
    form: str, predicted, places, brought, tmp_path: Path
) -> None:
    rows = predicted(tmp_path / "a.csv", places[form])
    assert [row["input"] for row in rows] == [
        f"{places[form]}/{name}" for name, _ in brought["barcodes"]
    ]
    expected = predicted(tmp_path / "b.csv", places["reads.fasta"])
    assert without_input(rows) == without_input(expected)
    assert not any(row["failure"] for row in rows)


def test_a_collection_is_named_record_by_record(
    predicted, tiny_collection: Path, tmp_path: Path
) -> None:
    rows = predicted(tmp_path / "a.csv", tiny_collection)
    columns = open_collection(tiny_collection).columns(["record_id", "image_sha256", "barcode"])
    expected = [f"{tiny_collection}/{name}" for name in columns["record_id"].to_pylist()]
    assert [row["input"] for row in rows] == expected
    bare = [
        image is None and barcode is None
        for image, barcode in zip(
            columns["image_sha256"].to_pylist(), columns["barcode"].to_pylist(), strict=True
        )
    ]
    assert [bool(row["failure"]) for row in rows] == bare


def test_failures_are_rows_and_touch_no_other(predicted, places, brought, tmp_path: Path) -> None:
    good = [places["crops.zip"], places["reads.fasta"]]
    bad_zip = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad_zip, "w") as zipped:
        zipped.writestr("broken.jpg", b"no image")
        zipped.writestr("good.png", brought["images"][0][1])
        zipped.writestr("cut.png", brought["images"][1][1][:60])
    (tmp_path / "cut.zip").write_bytes(places["crops.zip"].read_bytes()[:500])
    (tmp_path / "bad.fasta").write_text(f">fine\n{brought['barcodes'][0][1]}\n>protein\nMKVLE*\n")
    (tmp_path / "empty.png").write_bytes(b"")
    bad = [bad_zip, tmp_path / "cut.zip", tmp_path / "bad.fasta", tmp_path / "empty.png"]
    missing = tmp_path / "missing.zip"
    clean = predicted(tmp_path / "clean.csv", *good)
    mixed = predicted(tmp_path / "mixed.csv", bad[0], good[0], missing, *bad[1:], good[1])
    failures = {Path(row["input"]).name: row["failure"] for row in mixed if row["failure"]}
    assert set(failures) == {
        "broken.jpg", "cut.png", "missing.zip", "cut.zip", "protein", "empty.png",
    }  # fmt: skip
    assert "not an image" in failures["broken.jpg"]
    assert "no such file" in failures["missing.zip"]
    assert "amino-acid" in failures["protein"]
    assert "0 bytes" in failures["empty.png"]
    for row in mixed:
        if row["failure"]:
            assert not any(row[name] for name in COLUMNS[1:-1])
    known = {row["input"]: row for row in clean}
    kept = [row for row in mixed if row["input"] in known]
    assert kept == clean
    extra = {Path(row["input"]).name for row in mixed if not row["failure"]} - {
        Path(name).name for name in known
    }
    assert extra == {"good.png", "fine"}


def test_a_container_without_images_is_a_failure(predicted, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read.me").write_text("nothing here")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    rows = predicted(tmp_path / "a.csv", tmp_path / "notes", tmp_path / "empty.zip")
    assert [Path(row["input"]).name for row in rows] == ["notes", "empty.zip"]
    assert all("no image" in row["failure"] for row in rows)


@pytest.fixture(scope="module")
def answers(predicted, tiny_collection: Path, tmp_path_factory) -> list[dict[str, str]]:
    rows = predicted(tmp_path_factory.mktemp("answers") / "a.csv", tiny_collection)
    return [row for row in rows if not row["failure"]]


def test_lineages_are_coherent(answers, tiny_run: Path) -> None:
    labels = json.loads((tiny_run / "bundle.json").read_text())["labels"]
    lineage_of = {label["name"]: label["lineage"] for label in labels}
    for row in answers:
        lineage = lineage_of[row["label"]]
        assert {rank: row[rank] for rank in RANKS if row[rank]} == lineage
        assert row["rank"] == list(lineage)[-1]
        for rank in RANKS:
            assert bool(row[rank]) is bool(row[f"score_{rank}"])


def test_scores_are_probabilities_that_narrow_with_depth(answers) -> None:
    for row in answers:
        ranked = [float(row[f"score_{rank}"]) for rank in RANKS if row[rank]]
        assert ranked == sorted(ranked, reverse=True)
        assert 0.0 < float(row["score"]) <= ranked[-1] <= ranked[0] <= 1.0
        top = json.loads(row["top_k"])
        assert len(top) == 5
        assert top[0] == {"label": row["label"], "score": float(row["score"])}
        scores = [one["score"] for one in top]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) <= 1.0 + 5e-6


def test_scores_of_a_rank_are_sums_over_its_labels(tiny_run: Path, places, predicted, tmp_path):
    from holotype.identify.answers import AnswerSheet
    from holotype.identify.scoring import Scorer
    from holotype.inputs.materials import prepare_loose
    from holotype.models.bundle import open_bundle

    scorer = Scorer(open_bundle(tiny_run))
    file = sorted((places["crops"] / "inner").iterdir())[0]
    materials, _ = prepare_loose(["x"], [file.read_bytes()], [None], pixels=PIXELS)
    _, probability_BL = scorer.probabilities(materials)
    assert probability_BL.sum() == pytest.approx(1.0)
    (row,) = AnswerSheet.of(scorer.bundle.labels).rows(["x"], probability_BL)
    for rank in RANKS:
        if row[rank] is None:
            continue
        total = sum(
            p
            for label, p in zip(scorer.bundle.labels.labels, probability_BL[0], strict=True)
            if {r.value: n for r, n in label.concept.lineage}.get(rank) == row[rank]
        )
        assert row[f"score_{rank}"] == pytest.approx(total, abs=1e-6)
    (written,) = predicted(tmp_path / "a.csv", file)
    assert float(written["score"]) == row["score"]


def test_the_narrowest_likely_taxon_by_hand() -> None:
    import numpy as np

    from holotype.identify.answers import AnswerSheet
    from holotype.models.labels import Label, LabelSpace, Target
    from holotype.taxonomy.label_table import Concept
    from holotype.taxonomy.lineage import Lineage

    def label(name: str, **lineage: str) -> Label:
        return Label(name, Concept(Lineage.from_names({**lineage})), 1)

    labels = (
        label("a", kingdom="Animalia", family="Calanidae", genus="Calanus"),
        label("b", kingdom="Animalia", family="Calanidae", genus="Neocalanus"),
        label("c", kingdom="Animalia", family="Oithonidae"),
        label("d", kingdom="Chromista"),
        label("debris"),
    )
    sheet = AnswerSheet.of(LabelSpace(Target.CONCEPT, labels))
    probability = [
        [0.6, 0.2, 0.1, 0.1, 0.0],  # the genus itself
        [0.4, 0.3, 0.2, 0.1, 0.0],  # no genus, but the family
        [0.25, 0.2, 0.3, 0.25, 0.0],  # animal
        [0.1, 0.1, 0.1, 0.3, 0.4],  # nothing: not even a kingdom
    ]
    rows = sheet.rows(["w", "x", "y", "z"], np.asarray(probability))
    found = [(row["taxon"], row["taxon_rank"], row["taxon_score"]) for row in rows]
    assert found == [
        ("Calanus", "genus", 0.6),
        ("Calanidae", "family", 0.7),
        ("Animalia", "kingdom", 0.75),
        (None, None, None),
    ]


def test_it_says_which_model_answers(tiny_run: Path, places, tmp_path: Path, capsys) -> None:
    holotype.predict(tiny_run, [places["crops.zip"]], out=tmp_path / "a.csv")
    said = capsys.readouterr().err
    assert "tiny (" in said
    assert "records of" in said
    assert "plankton" not in said


def test_image_and_barcode_of_one_specimen_vote_together(tiny_run: Path, tiny_collection: Path):
    import numpy as np

    from holotype.identify.scoring import Scorer
    from holotype.inputs.materials import prepare_collection
    from holotype.models.bundle import open_bundle
    from holotype.models.encode import encode

    scorer = Scorer(open_bundle(tiny_run))
    opened = open_collection(tiny_collection)
    both = prepare_collection(opened, pixels=PIXELS, rows=np.arange(30))
    rows, probability_BL = scorer.probabilities(both)
    encoded = encode(scorer.bundle.model, both)
    checked = 0
    for row, p_L in zip(rows.tolist(), probability_BL, strict=True):
        logits = [
            part.logit_RL[part.row_R.tolist().index(row)] / scorer.bundle.temperature[modality]
            for modality, part in encoded.items()
            if row in part.row_R.tolist()
        ]
        mean_L = np.mean(logits, axis=0)
        assert p_L == pytest.approx(np.exp(mean_L) / np.exp(mean_L).sum(), abs=1e-5)
        checked += len(logits) == 2
    assert checked > 5


def test_csv_parquet_and_json_hold_the_same_values(tiny_run: Path, places, tmp_path: Path) -> None:
    inputs = [places["crops.zip"], tmp_path / "missing.png", places["reads.tsv"]]
    for ending in ("csv", "parquet", "json"):
        holotype.predict(tiny_run, inputs, out=tmp_path / f"a.{ending}")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == COLUMNS
    rows = table.to_pylist()
    unpacked = [{**row, "top_k": json.loads(row["top_k"] or "null")} for row in rows]
    assert json.loads((tmp_path / "a.json").read_text()) == unpacked
    with (tmp_path / "a.csv").open(newline="") as handle:
        for written, row in zip(csv.DictReader(handle), rows, strict=True):
            for name, cell in written.items():
                if row[name] is None:
                    assert cell == ""
                elif isinstance(row[name], float):
                    assert float(cell) == row[name]
                else:
                    assert cell == row[name]


@pytest.mark.parametrize("name", ["a.txt", "a", "a.csv.gz"])
def test_an_unknown_ending_is_refused(name: str, tiny_run: Path, places, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"\.csv, \.parquet, \.json"):
        holotype.predict(tiny_run, [places["crops.zip"]], out=tmp_path / name)
    assert not (tmp_path / name).exists()


def test_no_input_and_no_bundle_are_refused(tiny_run: Path, places, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no input given"):
        holotype.predict(tiny_run, [], out=tmp_path / "a.csv")
    with pytest.raises(BundleError, match=r"bundle\.json"):
        holotype.predict(tmp_path, [places["crops.zip"]], out=tmp_path / "a.csv")


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_an_interrupted_write_leaves_no_file(
    ending: str, tiny_run: Path, places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / f"a.{ending}"
    out.write_bytes(b"what was there before")
    monkeypatch.setattr(command, "CHUNK", 4)
    answered = command._answer_chunk
    chunks = []

    def interrupted(*given):
        chunks.append(given)
        if len(chunks) == 2:
            raise KeyboardInterrupt
        return answered(*given)

    monkeypatch.setattr(command, "_answer_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        holotype.predict(tiny_run, [places["crops.zip"]], out=out)
    assert out.read_bytes() == b"what was there before"
    assert list(tmp_path.iterdir()) == [out]


def test_rows_are_the_same_in_chunks_of_any_size(
    predicted, places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = [places["crops.tar.gz"], places["reads.fasta"]]
    whole = predicted(tmp_path / "a.csv", *inputs)
    monkeypatch.setattr(command, "CHUNK", 1)
    assert predicted(tmp_path / "b.csv", *inputs) == whole


def test_a_bad_barcode_does_not_cost_the_image(predicted, brought, tmp_path: Path) -> None:
    import pyarrow as pa

    images = [{"bytes": content, "path": name} for name, content in brought["images"][:2]]
    for name, barcodes in {"bad": ["MKVLE*", None], "none": [None, None]}.items():
        table = pa.table(
            {"record_id": ["a", "b"], "image": images, "barcode": pa.array(barcodes, pa.string())}
        )
        pq.write_table(table, tmp_path / f"{name}.parquet")
    bad = predicted(tmp_path / "bad.csv", tmp_path / "bad.parquet")
    clean = predicted(tmp_path / "clean.csv", tmp_path / "none.parquet")
    assert "amino-acid" in bad[0]["failure"]
    assert clean[0]["label"]
    assert not clean[0]["failure"]
    assert without_input([{**bad[0], "failure": ""}, bad[1]]) == without_input(clean)
