"""Operations that write artefacts, small: what each does, and how the package reads what it wrote."""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from faults_reading import (
    backbone_of,
    bundle_of,
    collection_of,
    decided_bundle_of,
    decisions_of,
    index_of,
    json_of,
    session_of,
    split_of,
    whole_at,
)
from faults_states import Given, Operation

PARTS = 4
"""Specimens in a part of a prediction, so that a few make several."""
SMALL = (
    "schedule.epochs=2",
    "schedule.batch_size=64",
    "schedule.checkpoint_steps=2",
    "model.images.side_px=16",
    "model.images.width=4",
    "model.barcodes.max_bp=60",
    "model.barcodes.feature_dim=8",
    "model.barcodes.kmer_bp=2",
    "model.barcodes.width=8",
)


def reads(read: Callable[[Path], Any], name: str) -> Callable[[Path, Given], Any]:
    """Returns what reads one artefact of the folder."""
    return partial(_read, read, name)


def _read(read: Callable[[Path], Any], name: str, place: Path, given: Given) -> Any:
    return read(place / name)


PLACED = """record_id,species,licence,latitude_deg,longitude_deg,depth_min_m,depth_max_m,collected_on
at,Calanus finmarchicus,CC-BY-4.0,42.02,6.01,8,14,2020-01-20
late,Calanus finmarchicus,CC-BY-NC-4.0,40.0,4.0,0,0,2021-01-16
none,Calanus finmarchicus,CC0-1.0,,,,,
"""


# collections


def import_new(place: Path, given: Given) -> None:
    import holotype

    holotype.import_("image-folder", [given["crops"]], into=place / "c")


def import_more(place: Path, given: Given) -> None:
    import holotype

    holotype.import_("image-folder", [given["more"]], into=place / "c", source="more")


def two_sources(place: Path, given: Given) -> None:
    import_new(place, given)
    import_more(place, given)


def drop(place: Path, given: Given) -> None:
    import holotype

    holotype.drop(place / "c", source="more")


def check_and_mend(place: Path, given: Given) -> None:
    import holotype
    from holotype.collection.quality.check import Fix

    holotype.check(place / "c", fix=Fix.SAFE)


def with_doubles(place: Path, given: Given) -> None:
    import holotype

    import_new(place, given)
    holotype.import_("image-folder", [given["crops"]], into=place / "c", source="again")


def names_to_review(place: Path, given: Given) -> None:
    import holotype

    table = place / "net.csv"
    with table.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "label"])
        for number, label in enumerate(("Calanus finmarchicus", "Ctenophora", "Copepoda", "mud")):
            writer.writerow([f"r{number}", label])
    columns = {"written_label": "label", "specimen_id": "id"}
    holotype.import_("table", [table], into=place / "c", source="net", columns=columns)
    match_names(place, given)


def match_names(place: Path, given: Given) -> None:
    import holotype

    holotype.match_names(place / "c", backbone=given["backbone"], out=place / "review.csv")


def apply_names(place: Path, given: Given) -> None:
    import holotype

    holotype.apply_names(place / "c", place / "review.csv", backbone=given["backbone"])


def placed_records(place: Path, given: Given) -> None:
    import holotype

    table = place / "net.csv"
    table.write_text(PLACED, encoding="utf-8")
    holotype.import_("table", [table], into=place / "c", source="net")


def join_environment(place: Path, given: Given) -> None:
    import holotype

    variables = {"temperature": "thetao"}
    holotype.environment(place / "c", grids=[given["grid"]], variables=variables)


def set_aside(place: Path, given: Given) -> None:
    import holotype

    holotype.licences(place / "c", allow=["open"], attribution=place / "credits.md")


def backbone(place: Path, given: Given) -> None:
    import holotype

    holotype.build_backbone(
        "lineages", given["collection"], out=place / "b.parquet", version="2026-01"
    )


def split(place: Path, given: Given) -> None:
    import holotype

    holotype.split(given["collection"], out=place / "s.parquet")


def export(form: str, place: Path, given: Given) -> None:
    import holotype

    holotype.export(given["kept"], out=place / "out", form=form)


def references(form: str, place: Path, given: Given) -> None:
    import holotype

    holotype.write_references(given["collection"], out=place / "out", form=form)


# models and answers


def train(place: Path, given: Given) -> None:
    import holotype

    holotype.train(
        given["recipe"], collection=given["collection"], split=given["split"], out=place / "run",
        overrides=SMALL, accelerator="cpu",
    )  # fmt: skip


def adapt(place: Path, given: Given) -> None:
    import holotype

    holotype.adapt(given["run"], [given["shapes"]], out=place / "run", method="prototypes")


def shrink(place: Path, given: Given) -> None:
    import holotype

    holotype.shrink(given["run"], out=place / "run")


def export_model(form: str, place: Path, given: Given) -> None:
    import holotype

    precision = "float32"
    holotype.export_model(given["run"], out=place / "run", form=form, precision=precision)


def a_run(place: Path, given: Given) -> None:
    import shutil

    shutil.copytree(given["run"], place / "run")


def calibrate(place: Path, given: Given) -> None:
    import holotype

    holotype.calibrate(place / "run", collection=given["collection"], split=given["split"], seed=1)


def thresholds(place: Path, given: Given) -> None:
    import holotype

    holotype.thresholds(given["run"], out=place / "t.csv")


def predict(name: str, place: Path, given: Given) -> None:
    import holotype
    from holotype.identify import stream

    stream.PART_ROWS = PARTS
    beside = {}
    if name.endswith(".parquet"):
        beside = {"scores": place / "scores.parquet", "embeddings": place / "z.parquet"}
    holotype.predict(given["run"], [given["crops"]], out=place / name, **beside)


def embed(place: Path, given: Given) -> None:
    import holotype

    holotype.embed(given["run"], collection=given["kept"], out=place / "z.parquet")


def evaluate(place: Path, given: Given) -> None:
    import holotype

    holotype.evaluate(
        given["run"], collection=given["collection"], split=given["split"], out=place / "report"
    )


def build_index(place: Path, given: Given) -> None:
    import holotype
    from holotype.index import embedding

    embedding.RECORDS_AT_A_TIME = PARTS
    holotype.build_index(given["run"], [given["kept"]], out=place / "i")


def add_to_index(place: Path, given: Given) -> None:
    import holotype
    from holotype.index import embedding

    embedding.RECORDS_AT_A_TIME = PARTS
    holotype.add_to_index(place / "i", [given["kept-more"]], model=given["run"])


def search_index(place: Path, given: Given) -> None:
    import holotype
    from holotype.index.search import Request

    holotype.search_index(given["index"], Request(text="Calanus"), out=place / "hits.csv")


def count(place: Path, given: Given) -> None:
    import holotype

    holotype.count(given["answers"], out=place / "counts.csv")


def queue(place: Path, given: Given) -> None:
    import holotype

    holotype.queue(given["answers"], out=place / "queue.csv", n=5)


def suspects(place: Path, given: Given) -> None:
    import holotype

    holotype.suspects(given["run"], collection=given["collection"], out=place / "suspects.csv")


def draw(place: Path, given: Given) -> None:
    from holotype.assessing.assess import draw_from

    draw_from(given["run"], [given["crops"]], out=place / "own", n=5, answers=given["answers"])


def drawn(place: Path, given: Given) -> None:
    draw(place, given)
    sheet = place / "own" / "to-label.csv"
    with sheet.open(newline="", encoding="utf-8-sig") as handle:
        rows = list(csv.DictReader(handle))
    with sheet.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "label": given["label"].read_text()} for row in rows)


def assess(place: Path, given: Given) -> None:
    import holotype

    holotype.assess(given["run"], place / "own" / "to-label.csv", out=place / "own")


def summary(place: Path, given: Given) -> None:
    import holotype

    holotype.summary(given["kept"], out=place / "summary")


def evidence(place: Path, given: Given) -> None:
    import holotype

    holotype.evidence(given["answers"], out=place / "e.html")


def publish(to: str, name: str, place: Path, given: Given) -> None:
    from faults_published import rows_for

    from holotype.exchange.answers.publish import publish_table

    table, more = rows_for(to, given)
    publish_table(table, to=to, out=place / name, dated="2026-05-01T12:30:00+00:00", **more)


# reviews


def a_session(place: Path, given: Given) -> None:
    import shutil

    shutil.copytree(given["kept"], place / "c")
    new_session(place, given)


def new_session(place: Path, given: Given) -> None:
    import holotype

    where = place / "c" if (place / "c").is_dir() else given["kept"]
    holotype.new_session(
        given["kept-answers"], collection=where, embeddings=given["kept-z"], out=place / "session",
        page_size=4,
    )  # fmt: skip


def a_reviewed_session(place: Path, given: Given) -> None:
    from holotype.reviewing.events import Asked, Kind
    from holotype.reviewing.log import ReviewLog
    from holotype.reviewing.session import open_session

    a_session(place, given)
    log = ReviewLog(place / "session")
    ids = tuple(open_session(place / "session").record_ids[:5])
    log.append("Ada", Asked(Kind.RELABEL, ids, ("Calanus",) * len(ids), new_labels=("Calanus",)))


def apply_review(place: Path, given: Given) -> None:
    import holotype

    holotype.apply_review(place / "session", collection=place / "c")


def export_review(place: Path, given: Given) -> None:
    import holotype

    holotype.export_review(place / "session", to="csv", out=place / "r.csv", collection=place / "c")


def review_page(place: Path, given: Given) -> None:
    import holotype

    holotype.review_page(place / "session", out=place / "review.html", collection=place / "c")


_RUN_TIMES = r"tensorboard|metrics\.csv$"
_KEPT_TIMES = r"\.run\.json$"

OPERATIONS: dict[str, Operation] = {
    "import-new": Operation(import_new, reads(collection_of, "c"), quick=5),
    "import-more": Operation(import_more, reads(collection_of, "c"), import_new),
    "drop": Operation(drop, reads(collection_of, "c"), two_sources, quick=8),
    "check-and-mend": Operation(check_and_mend, reads(collection_of, "c"), with_doubles),
    "names-match": Operation(match_names, reads(whole_at, "review.csv"), names_to_review),
    "names-apply": Operation(apply_names, reads(collection_of, "c"), names_to_review, quick=3),
    "environment": Operation(
        join_environment, reads(collection_of, "c"), placed_records, differs_twice=True, quick=4
    ),
    "licences": Operation(set_aside, reads(collection_of, "c"), placed_records),
    "backbone": Operation(
        backbone, reads(backbone_of, "b.parquet"), volatile=r"b\.parquet$"),
    "split": Operation(split, reads(split_of, "s.parquet"), quick=4),
    "export-huggingface": Operation(
        partial(export, "huggingface"), reads(partial(json_of, "export.json"), "out")
    ),
    "export-webdataset": Operation(
        partial(export, "webdataset"), reads(partial(json_of, "export.json"), "out"), quick=4),
    "references-qiime": Operation(partial(references, "qiime"), reads(whole_at, "out")),
    "summary": Operation(summary, reads(whole_at, "summary/summary.json")),
    "train": Operation(train, reads(bundle_of, "run"), volatile=_RUN_TIMES, most=10),
    "adapt": Operation(adapt, reads(decided_bundle_of, "run"), most=10),
    "shrink": Operation(shrink, reads(decided_bundle_of, "run"), most=12),
    "export-openvino": Operation(
        partial(export_model, "openvino"), reads(decided_bundle_of, "run"), most=2
    ),
    "export-onnx": Operation(
        partial(export_model, "onnx"), reads(whole_at, "run"), most=2
    ),
    "calibrate": Operation(
        calibrate, reads(decisions_of, "run"), a_run, differs_twice=True, most=12
    ),
    "thresholds": Operation(thresholds, reads(whole_at, "t.csv")),
    "predict-csv": Operation(
        partial(predict, "a.csv"), reads(whole_at, "a.csv"), volatile=_KEPT_TIMES, quick=5),
    "predict-parquet": Operation(
        partial(predict, "a.parquet"), reads(whole_at, "a.parquet"), volatile=_KEPT_TIMES, most=15,
    ),
    "predict-json": Operation(
        partial(predict, "a.json"), reads(whole_at, "a.json"), volatile=_KEPT_TIMES, most=15,
    ),
    "embed": Operation(embed, reads(whole_at, "z.parquet")),
    "evaluate": Operation(evaluate, reads(partial(json_of, "report.json"), "report"), most=4),
    "index-build": Operation(build_index, reads(index_of, "i"), quick=4, most=25),
    "index-add": Operation(add_to_index, reads(index_of, "i"), build_index, most=25),
    "count": Operation(count, reads(whole_at, "counts.csv")),
    "queue": Operation(queue, reads(whole_at, "queue.csv")),
    "suspects": Operation(suspects, reads(whole_at, "suspects.csv"), most=6),
    "assess-draw": Operation(draw, reads(partial(json_of, "sample.json"), "own")),
    "assess": Operation(assess, reads(partial(json_of, "report.json"), "own"), drawn),
    "evidence": Operation(evidence, reads(whole_at, "e.html")),
    "review-new": Operation(
        new_session, reads(session_of, "session"), volatile=r"session/session\.json$"
    ),
    "review-apply": Operation(apply_review, reads(collection_of, "c"), a_reviewed_session, quick=4),
    "review-export": Operation(export_review, reads(whole_at, "r.csv"), a_reviewed_session),
    "review-page": Operation(review_page, reads(whole_at, "review.html"), a_reviewed_session),
    **{
        f"publish-{to}": Operation(partial(publish, to, name), reads(whole_at, name))
        for to, name in (
            ("ecotaxa", "out.zip"), ("ecotaxa-update", "out.zip"), ("darwin-core", "out.zip"),
            ("ifcb", "out"), ("syke", "out"), ("speciesnet", "out.json"),
            ("megadetector", "out.json"), ("camtrap-dp", "out"), ("sintax", "out.tsv"),
            ("qiime", "out.tsv"), ("rdp", "out.tsv"), ("boldigger", "out.csv"),
            ("pybioclip", "out.csv"),
        )
    },
    "publish-ecotaxa-folder": Operation(
        partial(publish, "ecotaxa", "out"), reads(whole_at, "out"), quick=4
    ),
}  # fmt: skip
"""By name; one is killed at every write, and must be there whole or not at all."""
