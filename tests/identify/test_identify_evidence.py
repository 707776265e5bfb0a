"""The page of evidence: what a card says, whose image it shows, what is left out and counted."""

import base64
import io
import json
import re
import shutil
import zipfile
from dataclasses import asdict
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from plotly.offline import get_plotlyjs

from holotype.cli.evidence import evidence as command
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, SourceError
from holotype.identify import sidecar
from holotype.identify.columns import ANSWER_SCHEMA, DECISIONS, Decision
from holotype.identify.evidence.choosing import Order
from holotype.identify.evidence.finding import SIDE_PX
from holotype.identify.evidence.making import SIDECAR, evidence
from holotype.identify.inputs import Reading, specimens
from holotype.index.vectors import Vectors
from holotype.index.writing import write_index
from page_reader import Reader

SAFE = {
    "answer": "Calanus", "answer_level": "genus", "answer_score": 0.962, "kingdom": "Animalia",
    "phylum": "Arthropoda", "class": "Copepoda", "order": "Calanoida", "family": "Calanidae",
    "genus": "Calanus", "score_kingdom": 0.999, "score_phylum": 0.998, "score_class": 0.99,
    "score_order": 0.98, "score_family": 0.97, "score_genus": 0.962, "score_species": 0.61,
    "decision": "ambiguous", "decision_reason": "genus Calanus is safe; below it no one reaches 0.92",
    "label": "Calanus finmarchicus", "score": 0.6, "novelty": 0.123, "novelty_rank": "genus",
    "model": "0123abcd",
}  # fmt: skip
NEAREST = [
    {"record_id": "ref/1", "label": "Calanus finmarchicus", "modality": "image", "similarity": 0.9756},
    {"record_id": "ref/2", "label": "Calanus helgolandicus", "modality": "image", "similarity": 0.91},
]  # fmt: skip


def picture(grey, *, side=200, form="PNG"):
    handle = io.BytesIO()
    Image.fromarray(np.full((side, side // 2), grey, dtype=np.uint8)).save(handle, form)
    return handle.getvalue()


def greys_of(page):
    """The mean grey and the sides of every image on a page, in order."""
    found = []
    for tag, attrs in page.elements:
        if tag == "img":
            content = base64.b64decode(attrs["src"].removeprefix("data:image/jpeg;base64,"))
            with Image.open(io.BytesIO(content)) as image:
                assert image.format == "JPEG"
                found.append((round(float(np.asarray(image.convert("L")).mean())), image.size))
    return found


@pytest.fixture
def made(tmp_path):
    """Writes rows as answers, makes their page, and returns what was reported and what the page reads."""

    def make(rows, *, reading=None, inputs=(), **given):
        answers = tmp_path / "answers.parquet"
        whole = [{**dict.fromkeys(ANSWER_SCHEMA.names), **row} for row in rows]
        pq.write_table(pa.Table.from_pylist(whole, schema=ANSWER_SCHEMA), answers)
        if inputs:
            told = {
                "reading": asdict(reading or Reading()),
                "inputs": sidecar.inputs_of([str(one) for one in inputs]),
            }
            answers.with_name(answers.name + SIDECAR).write_text(json.dumps(told))
        out = tmp_path / "page.html"
        report = evidence(answers, out=out, **given)
        text = out.read_text(encoding="utf-8")
        assert report.size_bytes == out.stat().st_size
        return report, Reader(text.replace(get_plotlyjs(), "")), text

    return make


def cards(page):
    return [attrs for tag, attrs in page.elements if tag == "article"]


def test_the_sidecar_has_the_name_that_predict_gives_it(tmp_path):
    assert sidecar.sidecar_path(tmp_path / "a.csv").name == f"a.csv{SIDECAR}"


def test_a_card_tells_the_lineage_the_reason_and_the_nearest(made, tmp_path):
    crop = tmp_path / "crop.png"
    crop.write_bytes(picture(40))
    report, page, text = made([{**SAFE, "input": str(crop), "nearest": json.dumps(NEAREST)}])
    assert (report.answers, report.shown, report.images, report.missing) == (1, 1, 1, {})
    assert (report.references, report.without_thumbnail) == (2, 2)
    assert "genus Calanus 96.2 %" in page.text
    assert "species not safe 61.0 %" in page.text
    assert "best label Calanus finmarchicus 60.0 %" in page.text
    assert "novelty fits down to genus 12.3 %" in page.text
    assert "genus Calanus is safe; below it no one reaches 0.92" in page.text
    assert "✓ Calanus finmarchicus similarity 0.976 ref/1" in page.text
    assert "Calanus helgolandicus similarity 0.910 ref/2" in page.text
    assert "2 of 2 references" not in page.text, "no index was named"
    kinds = [attrs["class"] for tag, attrs in page.elements if tag == "li" and "class" in attrs]
    assert kinds == [*["safe"] * 6, "below", "below", "novelty"]
    assert greys_of(page) == [(40, (48, 96))]
    assert "width:96.2%" in text
    assert page.sections == ["answers", "reading"]
    assert [attrs["data-decision"] for attrs in cards(page)] == ["ambiguous"]
    assert len(set(page.ids)) == len(page.ids)


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;\u202egnp.exe \u05d0\u05d1 \ud83d"


def test_what_files_say_stays_text(made):
    hostile = HOSTILE.encode("utf-8", "replace").decode() + "\x00\x1b"
    fields = (
        "input", "answer", "genus", "decision_reason", "label", "novelty_rank", "prior_effect", "model",
        "answer_without_prior", "image_answer", "barcode_answer", "record_id", "strand", "failure",
        "consensus", "consensus_rank",
    )  # fmt: skip
    row = {
        **SAFE, **dict.fromkeys(fields, hostile), "conflict": True, "identity_pct": 99.0,
        "nearest": json.dumps([{"record_id": HOSTILE, "label": HOSTILE, "similarity": "<b>"}]),
        "top_k": json.dumps([{"label": HOSTILE, "score": 0.5}]),
    }  # fmt: skip
    _, page, text = made([row])
    _, calm, _ = made([{**SAFE, "input": "a", "nearest": json.dumps(NEAREST[:1])}])
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == [tag for tag, _ in calm.elements].count("script")
    assert "img" not in tags
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert page.text.count("alert(1)") >= len(fields)
    assert "\x00" not in text
    assert "\x1b" not in text
    # what turns the direction of writing is shut into an element of its own
    assert "\u202e" in text
    assert "\u202e" not in re.sub(r"<bdi>[^<]*</bdi>", "", text)


def test_images_are_read_again_from_wherever_they_lie(made, tmp_path, tiny_collection):
    folder = tmp_path / "crops"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.png").write_bytes(picture(20))
    (folder / "broken.png").write_bytes(b"no image")
    with zipfile.ZipFile(tmp_path / "crops.zip", "w") as archive:
        archive.writestr("in/b.png", picture(60))
    with zipfile.ZipFile(folder / "inner.zip", "w") as archive:
        archive.writestr("c.png", picture(100))
    table = tmp_path / "table.csv"
    table.write_text("record_id,image,latitude_deg\nrow1,d.png,54.3\n")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "d.png").write_bytes(picture(140))
    inputs = [folder, tmp_path / "crops.zip", table]
    reading = Reading(images=str(tmp_path / "there"))
    named = [one.input for one in specimens(list(map(str, inputs)), reading=reading)]
    ids = open_collection(tiny_collection).columns(["record_id", "image_sha256"]).to_pylist()
    with_image = next(one["record_id"] for one in reversed(ids) if one["image_sha256"])
    rows = [
        {**SAFE, "input": one} for one in [*named, f"{tiny_collection}/{with_image}", "gone/e.png"]
    ]
    report, page, _ = made(rows, reading=reading, inputs=[*inputs, tiny_collection])
    assert [grey for grey, _ in greys_of(page)][:4] == [100, 20, 60, 140]
    assert report.images == 5
    assert report.missing == {"image cannot be read": 1, "image not found again": 1}
    assert "image cannot be read: 1, image not found again: 1" in page.text
    assert all(max(size) <= SIDE_PX for _, size in greys_of(page))


def test_a_missing_image_is_not_looked_for_all_over_the_disk(made, tmp_path):
    (tmp_path / "x.png").write_bytes(picture(10))
    report, _, _ = made([{**SAFE, "input": str(tmp_path / "gone" / "x.png")}])
    assert report.missing == {"image not found again": 1}


def test_images_that_were_moved_are_found_by_their_whole_name(made, tmp_path, tiny_collection):
    now = tmp_path / "now"
    for place, grey in (("one", 30), ("two", 90)):
        (now / place).mkdir(parents=True)
        (now / place / "same.png").write_bytes(picture(grey))
    rows = [{**SAFE, "input": f"old/disk/{place}/same.png"} for place in ("two", "one")]
    report, page, _ = made(rows, images=now)
    assert [grey for grey, _ in greys_of(page)] == [90, 30]
    # one of them is gone, and the other bears its file name: it is not shown in its place
    shutil.move(now / "one" / "same.png", now / "same.png")
    shutil.rmtree(now / "one")
    report, page, _ = made(rows, images=now)
    assert [grey for grey, _ in greys_of(page)] == [90]
    assert report.missing == {"image not found again": 1}
    # a collection and an archive may lie elsewhere too
    ids = open_collection(tiny_collection).columns(["record_id", "image_sha256"]).to_pylist()
    moved = [one["record_id"] for one in ids if one["image_sha256"]][:3]
    report, _, _ = made(
        [{**SAFE, "input": f"elsewhere/was/{one}"} for one in moved], images=tiny_collection
    )
    assert report.images == 3
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.write(now / "two" / "same.png", "two/same.png")
    report, _, _ = made(rows[:1], images=tmp_path / "packed.zip")
    assert report.images == 1
    with pytest.raises(SourceError, match="--images"):
        made(rows, images=tmp_path / "nowhere")


def test_references_have_the_thumbnails_of_the_index(made, tmp_path):
    large, small = picture(70, side=400, form="JPEG"), picture(120, side=40, form="JPEG")
    table = pa.table({
        "record_id": ["ref/1", "other", "ref/2", "ref/3"],
        "thumbnail": pa.array([large, small, None, b"damaged"], pa.binary()),
    })  # fmt: skip
    vectors = {"image": Vectors.of(np.eye(4, dtype=np.float32))}
    write_index(tmp_path / "idx", table, vectors, model="m")
    near = [*NEAREST, {"record_id": "ref/3"}, {"record_id": "ref/4"}]
    rows = [{**SAFE, "input": f"gone{n}", "nearest": json.dumps(near)} for n in range(2)]
    report, page, _ = made(rows, index=tmp_path / "idx")
    assert (report.references, report.without_thumbnail) == (8, 6)
    assert greys_of(page) == [(70, (48, 96))] * 2
    assert "6 of 8 references have no thumbnail in the index." in page.text
    with pytest.raises(CollectionError):
        made(rows, index=tmp_path)


def test_a_record_among_its_own_references_is_told(made):
    rows = [
        {**SAFE, "input": name, "record_id": name, "nearest": json.dumps(NEAREST)}
        for name in ("ref/1", "else", "ref/2")
    ]
    _, page, _ = made(rows)
    assert page.text.count("this very record") == 2
    assert "2 answers have their own record among the references" in page.text
    _, page, _ = made([{**SAFE, "input": "n", "nearest": json.dumps([{"label": "no id"}])}])
    assert "own record" not in page.text


def test_a_barcode_has_its_alignment_and_no_image(made):
    row = {
        **SAFE, "input": "reads.fasta/q1", "barcode": "ACGT" * 40, "identity_pct": 98.764,
        "overlap_bp": 640.0, "strand": "-", "gap_pct": 2.5, "consensus": "Calanus", "consensus_rank": "genus",
        "nearest": json.dumps([
            {"record_id": "r9", "label": "Calanus hyperboreus", "modality": "barcode", "similarity": 0.88,
             "identity_pct": 98.764, "overlap_bp": 640}]),
    }  # fmt: skip
    report, page, _ = made([row])
    assert (report.images, report.missing) == (0, {})
    assert (
        "Closest by alignment 98.76 % identical · over 640 bp · strand - (turned round) · "
        "2.50 points above the next species · aligned references agree on genus Calanus"
    ) in page.text.replace("  ", " ")
    assert "Nearest references by barcode" in page.text
    assert "similarity 0.880 98.8 % identical over 640 bp r9" in page.text
    assert "img" not in [tag for tag, _ in page.elements]


def test_image_and_barcode_that_disagree_come_first_and_say_so(made):
    agree = {"image_answer": "Calanus", "barcode_answer": "Calanus", "conflict": False}
    clash = {"image_answer": "Oithona", "barcode_answer": "Calanus finmarchicus", "conflict": True}
    rows = [
        {**SAFE, "input": "sure", "score": 0.1, **agree},
        {**SAFE, "input": "clash", "score": 0.9, **clash},
    ]
    _, page, _ = made(rows)
    assert page.text.index("clash") < page.text.index("sure")
    assert page.text.count("They contradict one another.") == 1
    assert page.text.count("They do not contradict one another.") == 1
    assert "image alone Oithona barcode alone Calanus finmarchicus" in page.text


def test_priors_and_failures_are_told(made):
    prior = {"prior_effect": "best label unchanged", "answer_without_prior": "Calanidae"}
    failed = {"input": "bad.png", "decision": "failed", "failure": "empty file (0 bytes)"}
    _, page, _ = made([failed, {**SAFE, "input": "a", **prior}])
    assert "Priors best label unchanged . Answer without them: Calanidae" in page.text
    assert page.text.index("Calanidae") < page.text.index("empty file (0 bytes)")
    assert "no safe answer" in page.text


def test_cells_that_cannot_be_read_cost_nothing_else(made):
    broken = {**SAFE, "input": "b", "nearest": "[1, {", "top_k": '{"label": 3}', "score_genus": 7.5}
    numbers = {**SAFE, "input": "n", "nearest": "[3]", "top_k": "[3]"}
    report, page, _ = made([broken, numbers])
    assert report.shown == 2
    assert page.text.count("The column cannot be read.") == 2


MANY = [
    {**SAFE, "input": f"r{n}", "answer": name, "score": score, "novelty": novelty, "decision": decision}
    for n, (name, score, novelty, decision) in enumerate([
        ("Calanus", 0.9, 0.1, "named"), ("Acartia", 0.3, 0.8, "novel"), (None, None, None, "failed"),
        ("Calanus", 0.5, None, "ambiguous"), ("Oithona", 0.7, 0.9, "novel"),
    ])
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ({}, ["r1", "r3", "r4", "r0", "r2"]),
        ({"most": 2}, ["r1", "r3"]),
        ({"order": Order.NOVELTY}, ["r4", "r1", "r0", "r3", "r2"]),
        ({"order": "answer"}, ["r1", "r3", "r0", "r4", "r2"]),
        ({"decisions": ["novel"]}, ["r1", "r4"]),
        ({"decisions": [Decision.NAMED, "failed"], "order": "novelty"}, ["r0", "r2"]),
    ],
)
def test_which_answers_are_shown_and_in_which_order(made, given, inputs):
    report, page, _ = made(MANY, **given)
    assert [word for word in page.words if word in {row["input"] for row in MANY}] == inputs
    assert report.shown == len(inputs) == len(cards(page))
    assert report.matching == (len(inputs) if "decisions" in given else 5)
    assert f"{len(inputs)} of {report.matching} answer" in page.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"most": 0}, "--most 0"),
        ({"decisions": ["unplaced"]}, "no answer is unplaced; there are 1 ambiguous, 1 failed"),
        ({"decisions": ["sure"]}, "Decisions are named, ambiguous"),
        ({"order": "size"}, "Orders are doubt, novelty, answer"),
        ({"out": "page.csv"}, "end it in .html"),
    ],
)
def test_what_cannot_be_asked_is_said(made, tmp_path, given, said):
    make = (
        partial(evidence, tmp_path / "answers.parquet") if "out" in given else partial(made, MANY)
    )
    with pytest.raises(SourceError, match=said):
        make(**given)


def test_the_page_explains_every_decision_and_is_the_same_twice(made):
    _, page, first = made(MANY)
    _, _, second = made(MANY)
    assert first == second
    terms = [attrs for tag, attrs in page.elements if tag == "dt"]
    assert len(terms) >= len(DECISIONS)
    boxes = [a["value"] for t, a in page.elements if t == "input" and a.get("type") == "checkbox"]
    assert boxes == ["named", "ambiguous", "novel", "failed"]


def test_the_command_says_what_the_page_shows(made, tmp_path):
    made(MANY)
    result = command(tmp_path / "answers.parquet", tmp_path / "p.html", most=2, decision=["novel"])
    assert "p.html: 2 of 2 answers, 0 with their image; 2 image not found again" in result.text
    assert result.report.answers == 5
