"""What programmes ask the API for, and get."""

import csv
import io
import json
import threading
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from api_asking import Asking, api, problem
from PIL import Image

import holotype
from holotype.app.api.forms import OFFERED
from holotype.app.api.guard import json_reply
from holotype.app.settings import ServeSettings
from holotype.app.workbench import Workbench
from holotype.collection.store import open_collection
from holotype.identify.answers import AnswerSettings
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.index.build import build_index


@pytest.fixture(scope="module")
def brought(tiny_collection) -> list[tuple[str, bytes, str]]:
    """Sixty specimens with image and barcode: name, image, barcode."""
    opened = open_collection(tiny_collection)
    written = opened.columns(["source_item", "barcode"]).to_pylist()
    found = [
        (row["source_item"], content, row["barcode"])
        for row, (_, content) in zip(written, opened.images(), strict=True)
        if content is not None and row["barcode"]
    ]
    return found[:60]


@pytest.fixture(scope="module")
def index(tiny_run, tiny_collection, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("index") / "index"
    build_index(tiny_run, [tiny_collection], out=out)
    return out


@pytest.fixture(scope="module")
def ask(tiny_run, index, tmp_path_factory):
    settings = ServeSettings(requests_per_minute=1_000_000)
    workspace = tmp_path_factory.mktemp("workspace")
    workbench = Workbench.open(str(tiny_run), settings=settings, workspace=workspace, index=index)
    yield Asking(api(workbench))
    assert not list((workspace / "uploads").iterdir())  # nothing of a request is left
    workbench.close()


def as_files(brought, field="files"):
    return [(field, (f"{name}.png", image)) for name, image, _ in brought]


def test_images_get_one_row_each_in_order(ask, brought):
    reply = ask("POST", "/identify/images", files=as_files(brought[:9]))
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    said = reply.json()
    assert [row["input"] for row in said["answers"]] == [
        f"{name}.png" for name, _, _ in brought[:9]
    ]
    assert list(said["answers"][0]) == ANSWER_SCHEMA.names
    assert said["refused"] == []
    assert [len(row["nearest"]) for row in said["answers"]] == [5] * 9
    assert {row["model"] for row in said["answers"]} == {said["model"]}


def test_rows_are_those_of_predict(ask, brought, tiny_run, index, tmp_path):
    for name, image, _ in brought[:20]:
        (tmp_path / f"{name}.png").write_bytes(image)
    out = tmp_path / "answers.json"
    inputs = [tmp_path / f"{name}.png" for name, _, _ in brought[:20]]
    settings = AnswerSettings(index=str(index))
    holotype.predict(tiny_run, inputs, out=out, settings=settings)
    found = ask("POST", "/identify/images", files=as_files(brought[:20])).json()["answers"]
    for row, expected in zip(found, json.loads(out.read_text()), strict=True):
        for name, value in expected.items():
            if isinstance(value, float):
                assert row[name] == pytest.approx(value, abs=2e-6), name
            elif name not in {"input", "nearest", "top_k"}:
                assert row[name] == value, name


def test_fifty_requests_at_a_time_are_answered_as_one_by_one(ask, brought):
    requests = [("POST", "/identify/images", {"files": as_files([one])}) for one in brought[:50]]
    together = [reply.json()["answers"][0] for reply in ask.all(requests)]
    alone = ask("POST", "/identify/images", files=as_files(brought[:50])).json()["answers"]
    for row, expected in zip(together, alone, strict=True):
        assert row["input"] == expected["input"]
        assert row["label"] == expected["label"]
        assert row["decision"] == expected["decision"]
        assert row["score"] == pytest.approx(expected["score"], abs=2e-6)


def test_an_archive_and_a_fasta_beside_images(ask, brought):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/a.png", brought[0][1])
    fasta = "".join(f">{name}\n{barcode}\n" for name, _, barcode in brought[:3])
    files = [
        ("files", ("crops.zip", packed.getvalue())),
        ("files", ("b.fasta", fasta)),
        ("files", ("c.png", brought[1][1])),
        ("files", ("d.docx", b"words")),
    ]
    said = ask("POST", "/identify/images", files=files).json()
    expected = ["crops.zip/in/a.png", *(f"b.fasta/{name}" for name, _, _ in brought[:3]), "c.png"]
    assert [row["input"] for row in said["answers"]] == expected
    assert [one["name"] for one in said["refused"]] == ["d.docx"]


def test_barcodes_are_named_and_aligned(ask, brought):
    sent = [{"id": name, "sequence": barcode} for name, _, barcode in brought[:4]]
    sent.append({"id": "protein", "sequence": "MKVLAAGIVPLQE"})
    said = ask("POST", "/identify/barcodes", json={"barcodes": sent}).json()["answers"]
    assert [row["input"] for row in said] == [one["id"] for one in sent]
    assert [row["identity_pct"] for row in said[:4]] == [100] * 4
    assert said[4]["decision"] == "failed"
    assert "amino-acid" in said[4]["failure"]


def test_image_and_barcode_of_a_specimen_get_one_joint_answer(ask, brought):
    barcode, other = brought[0][2], brought[-1][2]
    said = ask(
        "POST",
        "/identify/specimens",
        files=as_files([brought[0]] * 3, "image"),
        data={"barcode": [barcode, other, ""], "id": ["same", "mixed", "image alone"]},
    ).json()["answers"]
    assert [row["input"] for row in said] == ["same", "mixed", "image alone"]
    assert [row["conflict"] is not None for row in said] == [True, True, False]
    assert [row["barcode"] is not None for row in said] == [True, True, False]
    usual = ask("POST", "/identify/images", files=as_files([brought[0]])).json()["answers"][0]
    assert said[2]["score"] == pytest.approx(usual["score"], abs=2e-6)


def test_ids_come_back_as_they_were_sent(ask, brought):
    ids = ["site1/otter:1", "site2/otter:1", "../up", "Ø 7 ", "site1/otter:1"]
    parts = [
        part for one in ids for part in (("id", (None, one)), ("barcode", (None, brought[0][2])))
    ]
    said = ask("POST", "/identify/specimens", files=parts).json()["answers"]
    assert [row["input"] for row in said] == ids
    assert [row["record_id"] for row in said] == ids
    blank = [("id", (None, "")), ("barcode", (None, brought[0][2]))]
    said = ask("POST", "/identify/specimens", files=blank).json()["answers"]
    assert [row["input"] for row in said] == ["specimen 1"]
    long = [("id", (None, "x" * 201)), ("barcode", (None, brought[0][2]))]
    reply = ask("POST", "/identify/specimens", files=long)
    assert reply.status_code == 422
    assert "201 letters" in problem(reply)["what"]


def test_barcodes_and_ids_after_many_images_are_kept(ask, brought):
    pixels = np.random.default_rng(0).integers(0, 255, (970, 970), dtype=np.uint8)
    noisy = io.BytesIO()
    Image.fromarray(pixels).save(noisy, "PNG", compress_level=1)
    assert (
        900_000 < len(noisy.getvalue()) < 1 << 20
    )  # small each, more than is held in memory together
    count = 20
    parts = [("image", f"{number}.png", noisy.getvalue()) for number in range(count)]
    parts += [("barcode", None, brought[number][2].encode()) for number in range(count)]
    parts += [("id", None, f"s{number}".encode()) for number in range(count)]
    body = b""
    for field, file_name, content in parts:
        named = f'; filename="{file_name}"' if file_name else ""
        head = f'--xXx\r\nContent-Disposition: form-data; name="{field}"{named}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    reply = ask(
        "POST",
        "/identify/specimens",
        content=body + b"--xXx--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=xXx"},
    )
    said = reply.json()["answers"]
    assert [row["input"] for row in said] == [f"s{number}" for number in range(count)]
    assert [row["barcode"] for row in said] == [brought[number][2] for number in range(count)]
    assert {row["image_width_px"] for row in said} == {970}


@pytest.mark.parametrize("name", ["a.fasta", "a.zip", "a.csv"])
def test_what_is_no_image_is_refused_beside_a_barcode_and_nothing_is_written(
    ask, brought, name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    said = ask(
        "POST",
        "/identify/specimens",
        files=[("image", (name, f">x\n{brought[0][2]}\n".encode()))] * 2,
        data={"barcode": [brought[0][2], ""]},
    ).json()
    assert [row["identity_pct"] for row in said["answers"]] == [100]
    assert "not an image" in said["answers"][0]["failure"]
    assert len(said["refused"]) == 1
    assert not list(tmp_path.iterdir())


def test_what_belongs_together_must_be_said(ask, brought):
    reply = ask(
        "POST",
        "/identify/specimens",
        files=as_files(brought[:2], "image"),
        data={"barcode": "ACGT"},
    )
    assert reply.status_code == 422
    assert "2 images, 1 barcodes" in problem(reply)["what"]


def test_a_bad_image_beside_a_good_barcode_is_told(ask, brought):
    said = ask(
        "POST",
        "/identify/specimens",
        files=[("image", ("a.png", b"")), ("image", ("b.png", b""))],
        data={"barcode": [brought[0][2], ""]},
    ).json()
    assert [row["identity_pct"] for row in said["answers"]] == [100]
    assert "0 bytes" in said["answers"][0]["failure"]
    assert [one["name"] for one in said["refused"]] == ["b.png"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_answers_as_tables(ask, brought, form):
    reply = ask("POST", f"/identify/images?format={form}", files=as_files(brought[:3]))
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["holotype-refused"] == "0"
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(reply.text)))
    else:
        rows = pq.read_table(io.BytesIO(reply.content)).to_pylist()
    assert [row["input"] for row in rows] == [f"{name}.png" for name, _, _ in brought[:3]]


@pytest.mark.parametrize("form", sorted(set(OFFERED) - {"json", "csv", "parquet"}))
def test_every_exchange_format_is_a_file_or_a_reason(ask, brought, form):
    sent = [{"id": name, "sequence": barcode} for name, _, barcode in brought[:2]]
    reply = ask("POST", f"/identify/barcodes?format={form}", json={"barcodes": sent})
    if reply.status_code == 200:
        assert reply.content
        if reply.headers["content-type"] == "application/zip":
            assert zipfile.ZipFile(io.BytesIO(reply.content)).namelist()
    else:
        assert reply.status_code == 422
        assert problem(reply)["what"]


def test_a_request_may_set_error_and_nearest(ask, brought):
    reply = ask("POST", "/identify/images?nearest=2", files=as_files(brought[:2]))
    assert [len(row["nearest"]) for row in reply.json()["answers"]] == [2, 2]
    for wrong in ("nearest=-1", "nearest=101", "max_error=0", "max_error=nan", "format=docx"):
        reply = ask("POST", f"/identify/images?{wrong}", files=as_files(brought[:1]))
        assert reply.status_code == 422, wrong
        assert wrong.split("=")[0] in problem(reply)["where"]


def test_an_error_that_cannot_be_promised_is_refused(ask, brought):
    reply = ask("POST", "/identify/images?max_error=0.0001", files=as_files(brought[:1]))
    assert reply.status_code == 422
    assert "cannot be promised" in problem(reply)["what"]
    assert "leave max_error out" in problem(reply)["remedy"]  # of a model that promises nothing


def test_a_model_that_can_promise_more_says_so(tmp_path):
    workbench = Workbench.open("starter", settings=ServeSettings(), workspace=tmp_path)
    try:
        sent = {"barcodes": [{"id": "a", "sequence": "ACGT" * 50}]}
        reply = Asking(api(workbench))("POST", "/identify/barcodes?max_error=0.0001", json=sent)
        assert problem(reply)["remedy"] == "Allow more."
    finally:
        workbench.close()


def test_embeddings_are_unit_vectors(ask, brought):
    said = ask(
        "POST", "/embed/images", files=[*as_files(brought[:3]), ("files", ("x.png", b"noise"))]
    ).json()
    assert [len(one["embedding"]) for one in said["embeddings"][:3]] == [said["dim"]] * 3
    assert np.linalg.norm(said["embeddings"][0]["embedding"]) == pytest.approx(1, abs=1e-4)
    assert said["embeddings"][3]["embedding"] is None
    assert "not an image" in said["embeddings"][3]["failure"]
    sent = {"barcodes": [{"id": "a", "sequence": brought[0][2]}]}
    assert ask("POST", "/embed/barcodes", json=sent).json()["embeddings"][0]["failure"] is None
    texts = ask("POST", "/embed/texts", json={"texts": ["a copepod", "a beetle"]}).json()
    assert [len(one["embedding"]) for one in texts["embeddings"]] == [said["dim"]] * 2


def test_many_embeddings_are_written_apart_from_the_event_loop(ask, monkeypatch):
    threads = set()

    class Seen(np.ndarray):
        def astype(self, *given, **named):
            threads.add(threading.get_ident())
            return np.asarray(self).astype(*given, **named)

    vector = np.full(64, 0.125, np.float32).view(Seen)

    async def embedded(_, specimens):
        return [(vector, None) for _ in specimens]

    monkeypatch.setattr("holotype.app.identifying.Identifier.embedded", embedded)
    sent = {"barcodes": [{"id": f"é{n}", "sequence": "ACGT" * 50} for n in range(1_000)]}
    said = ask("POST", "/embed/barcodes", json=sent).json()["embeddings"]
    assert threads
    assert threading.get_ident() not in threads
    assert [one["input"] for one in said] == [f"é{n}" for n in range(1_000)]
    assert {tuple(one["embedding"]) for one in said} == {(0.125,) * 64}


def test_a_reply_is_written_entry_by_entry_as_json_writes_it():
    content = {
        "a": [{"b": 1.5, "c": None}, "\ud800é"],
        "d": [],
        "e": {"f": [1, True]},
        "g": 'say "x"',
    }
    usual = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    assert json_reply(content).body == usual.encode("utf-8", "replace")
    assert json_reply({**content, "a": iter(content["a"])}).body == usual.encode("utf-8", "replace")
    assert json_reply({}).body == b"{}"
    with pytest.raises(ValueError, match="JSON"):
        json_reply({"a": [float("nan")]})


def test_search_by_image_finds_the_image_itself(ask, brought):
    said = ask("POST", "/search/images?k=3", files=as_files(brought[:2])).json()
    assert [hit["hit"] for hit in said["hits"]] == [1, 2, 3, 1, 2, 3]
    assert [hit["similarity"] for hit in said["hits"] if hit["hit"] == 1] == pytest.approx(
        [1, 1], abs=2e-3
    )


@pytest.mark.parametrize("searched", [None, "identity", "barcode", "image"])
def test_search_by_barcode(ask, brought, searched):
    asked = {
        "by": "barcode",
        "values": [brought[0][2], "not a barcode"],
        "k": 2,
        "searched": searched,
    }
    reply = ask("POST", "/search", json=asked)
    assert reply.status_code == 200, reply.text
    hits = reply.json()["hits"]
    assert [hit["hit"] for hit in hits] == [1, 2, None]
    assert "no nucleotide" in hits[2]["failure"]
    if searched == "identity":
        assert hits[0]["identity_pct"] == 100


@pytest.mark.parametrize("searched", [None, "identity"])
def test_a_hit_says_which_value_it_is_of(ask, brought, searched):
    barcode = brought[0][2]
    values = [barcode, barcode[:40] + "ACGT" * 60, barcode[:40] + "junk!", *(
        barcode + "ACGT" * 600 + end for end in ("A", "C")
    )]  # fmt: skip
    asked = {"by": "barcode", "values": values, "k": 1, "searched": searched}
    hits = ask("POST", "/search", json=asked).json()["hits"]
    long = [f"{barcode[:21]}... (value {number})" for number in (4, 5)]
    assert [hit["query"] for hit in hits] == [*values[:3], *long]


def test_search_by_words_and_lineage_with_filters(ask):
    kingdoms = ask("GET", "/taxa?rank=kingdom").json()["taxa"]
    name = kingdoms[0]["name"]
    by_name = ask("POST", "/search", json={"by": "lineage", "values": [name], "k": 5}).json()[
        "hits"
    ]
    assert {hit["kingdom"] for hit in by_name} == {name}
    asked = {
        "by": "text",
        "values": [f"a photo of {name}"],
        "filters": {"taxon": name, "rank": "kingdom"},
    }
    by_words = ask("POST", "/search", json=asked).json()["hits"]
    assert {hit["kingdom"] for hit in by_words} == {name}
    asked["filters"]["taxon"] = "Nobody"
    assert "no kingdom record" in problem(ask("POST", "/search", json=asked))["what"]


def test_a_search_never_reads_a_file_of_the_server(ask, tmp_path):
    secret = tmp_path / "ACGT"
    secret.write_text(">secret\nACGT\n")
    for searched in (None, "identity"):
        for value in (str(secret), "/etc/passwd"):
            asked = {"by": "barcode", "values": [value], "searched": searched}
            reply = ask("POST", "/search", json=asked)
            assert "secret\n" not in reply.text
            assert "no nucleotide" in reply.json()["hits"][0]["failure"]


def test_taxa_are_paged_and_searched(ask):
    everything = ask("GET", "/taxa?limit=500").json()
    assert everything["total"] == len(everything["taxa"])
    paged = [
        one
        for offset in range(0, everything["total"], 7)
        for one in ask("GET", f"/taxa?limit=7&offset={offset}").json()["taxa"]
    ]
    assert paged == everything["taxa"]
    assert Counter(one["is_label"] for one in paged)[True] > 0
    genera = ask("GET", "/taxa?rank=genus&limit=500").json()["taxa"]
    assert {one["rank"] for one in genera} == {"genus"}
    found = ask("GET", "/taxa", params={"q": genera[0]["name"].upper()}).json()["taxa"]
    assert genera[0] in found
    inside = ask(
        "GET", "/taxa", params={"within": genera[0]["lineage"]["kingdom"], "limit": 500}
    ).json()
    assert all(genera[0]["lineage"]["kingdom"] in one["lineage"].values() for one in inside["taxa"])


def test_health_says_what_answers(ask):
    said = ask("GET", "/health").json()
    assert said["ready"] is True
    assert said["reads"] == ["image", "barcode", "caption"]
    assert said["index"] is True
    assert set(said["channels"]) == {"image", "barcode", "both"}


def test_metrics_count_requests_and_specimens(ask, brought):
    def figure(line):
        text = ask("GET", "/metrics").text
        return sum(
            float(one.rpartition(" ")[2]) for one in text.splitlines() if one.startswith(line)
        )

    before = figure("holotype_specimens_total")
    batches = figure("holotype_batch_specimens_sum")
    ask("POST", "/identify/images", files=as_files(brought[:7]))
    assert figure("holotype_specimens_total") == before + 7
    assert figure("holotype_batch_specimens_sum") >= batches + 7
    assert figure("holotype_queued_specimens") == 0
    assert (
        figure(
            'holotype_requests_total{method="POST",route="/api/v1/identify/images",status="200"}'
        )
        > 0
    )


def test_a_server_without_an_index_says_so(tiny_run, tmp_path):
    workbench = Workbench.open(str(tiny_run), settings=ServeSettings(), workspace=tmp_path)
    try:
        reply = Asking(api(workbench))(
            "POST", "/search", json={"by": "lineage", "values": ["Animalia"]}
        )
        assert reply.status_code == 422
        assert "--index" in problem(reply)["remedy"]
    finally:
        workbench.close()
