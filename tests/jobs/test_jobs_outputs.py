"""Where a job may write: nothing that is kept is replaced, and what was broken off goes on."""

import json
import shutil
from hashlib import sha256

import pytest

from holotype import files, split
from holotype.jobs import JobError
from holotype.jobs.allowed import Allowed
from holotype.jobs.fields import FieldsError
from holotype.jobs.offers import offer_of, written_by
from holotype.jobs.outputs import Made, artefact, check_file, check_folder


@pytest.fixture
def own(tmp_path, tiny_collection):
    """A folder of the server, with a collection of its own and a workspace."""
    folder = tmp_path / "own"
    shutil.copytree(tiny_collection, folder / "crops")
    (folder / "a.png").write_bytes(b"x")
    for name in ("jobs", "people", "uploads", "selections", "assessments/1", "reviews"):
        (folder / "work" / name).mkdir(parents=True)
    (folder / "work" / "signing-key").write_text("secret")
    return folder


@pytest.fixture
def allowed(own):
    return Allowed.of([own], workspace=own / "work")


def refused(name, values, allowed):
    """Returns why each field is refused."""
    with pytest.raises(FieldsError) as found:
        offer_of(name).command(values, allowed)
    return found.value.reasons


def predicted(out, allowed, **more):
    return offer_of("predict").command(
        {"model": "starter", "inputs": "a.png", "out": out, **more}, allowed
    )


def refused_answers(out, allowed, **more):
    return refused("predict", {"model": "starter", "inputs": "a.png", "out": out, **more}, allowed)


def ran(own, answers, **tables):
    """Writes files and the sidecar of a run that wrote them."""
    outputs = []
    for table, path in {"answers": answers, **tables}.items():
        (own / path).write_bytes(table.encode())
        told = {"bytes": len(table), "sha256": sha256(table.encode()).hexdigest()}
        outputs.append({"table": table, "path": (own / path).name, **told})
    told = {"format": "holotype-run", "version": 1, "outputs": outputs}
    files.write_json(own / f"{answers}.run.json", told)


def test_the_manifest_and_the_records_of_a_collection_are_kept(own, allowed):
    shard = next((own / "crops" / "records").iterdir())
    for out in ("crops/collection.json", "crops/new.csv", "crops/deep/er/new.csv"):
        (reason,) = refused_answers(out, allowed).values()
        assert "lies in a collection, crops" in reason
        assert reason.startswith(out)
    name = str(shard.relative_to(own))
    (reason,) = refused("split", {"collection": "crops", "out": name}, allowed).values()
    assert "lies in a collection" in reason
    reason = refused("summary", {"collection": "crops", "out": "crops/page"}, allowed)["out"]
    assert "lies in a collection" in reason


@pytest.mark.parametrize(
    ("manifest", "told", "kind"),
    [
        ("bundle.json", "holotype-bundle", "a model"),
        ("index.json", "holotype-index", "an index"),
        ("session.json", "holotype-review", "a review"),
        ("export.json", "holotype-export", "an export"),
        ("assessment.json", "holotype-assessment", "an assessment"),
        ("job.json", "holotype-job", "a job"),
        ("decisions.json", "holotype-decisions", "the decisions of a model"),
        ("collection.json", None, "a collection"),
    ],
)
def test_nothing_is_written_into_an_artefact(own, allowed, manifest, told, kind):
    (own / "made" / "inside").mkdir(parents=True)
    torn = '{"format": "holotype-coll'
    text = torn if told is None else json.dumps({"format": told})
    (own / "made" / manifest).write_text(text)
    for out in ("made/x.csv", "made/inside/x.csv"):
        assert f"lies in {kind}, made" in refused_answers(out, allowed)["out"]
    for name in ("made", "made/inside", "made/new"):
        with pytest.raises(JobError, match=f"lies in {kind}"):
            check_folder(own / name, name, Made.PAGE, allowed)


def test_files_of_other_programs_make_no_artefact(own, allowed):
    (own / "site").mkdir()
    (own / "site" / "index.json").write_text('{"format": "of another"}')
    (own / "site" / "collection.json").write_text("[1]")
    assert artefact(own / "site") is None
    assert predicted("site/x.csv", allowed)


@pytest.mark.parametrize(
    "name", ["jobs", "people", "uploads", "selections", "assessments", "reviews"]
)
def test_what_the_server_keeps_is_kept(own, allowed, name):
    for out in (f"work/{name}/x.csv", f"work/{name}/deep/x.csv"):
        assert f"keeps {name}/" in refused_answers(out, allowed)["out"]
    with pytest.raises(JobError, match="keeps"):
        check_folder(own / "work" / name, "x", Made.PAGE, allowed)
    assert predicted("work/answers/x.csv", allowed)
    assert "holds" in refused("summary", {"collection": "crops", "out": "work"}, allowed)["out"]


def test_reviews_and_draws_have_their_place_in_the_workspace(own, allowed):
    """The page Review lists the ones there; the wizard draws into its own folder."""
    work = own / "work"
    check_folder(work / "reviews" / "new", "x", Made.REVIEW, allowed, home="reviews/*")
    draw = {"model": "starter", "inputs": "a.png", "out": "work/assessments/1/draw"}
    assert offer_of("assess").command(draw, allowed)
    for wrong in ("work/assessments/1", "work/assessments/1/draw/deep", "work/jobs/1/draw"):
        assert "keeps" in refused("assess", {**draw, "out": wrong}, allowed)["out"]
    assert written_by(offer_of("assess").command(draw, allowed)) == {
        str(work / "assessments/1/draw")
    }
    (work / "reviews" / "old").mkdir()
    (work / "reviews" / "old" / "session.json").write_text('{"format": "holotype-review"}')
    with pytest.raises(JobError, match="lies in a review"):
        check_folder(work / "reviews" / "old", "x", Made.REVIEW, allowed, home="reviews/*")


def test_a_workspace_within_a_collection_still_works(own):
    work = own / "crops" / "work"
    work.mkdir()
    inside = Allowed.of([own], workspace=work)
    assert predicted("crops/work/x.csv", inside)
    assert "lies in a collection" in refused_answers("crops/x.csv", inside)["out"]


def test_a_file_that_is_there_stays_unless_this_command_wrote_it(own, allowed):
    (own / "table.csv").write_text("my own table")
    reason = refused_answers("table.csv", allowed)["out"]
    assert "table.csv: is there already" in reason
    assert "Name a new file" in reason
    ran(own, "mine.csv")
    assert predicted("mine.csv", allowed)
    (own / "mine.csv").write_text("mended by hand")
    assert "is there already" in refused_answers("mine.csv", allowed)["out"]
    (own / "new.json.run.json").write_text('{"of": "another program"}')
    assert "no Holotype wrote" in refused_answers("new.json", allowed)["out"]


def test_a_sidecar_is_no_place_for_answers(own, allowed):
    ran(own, "mine.csv")
    assert "is there already" in refused_answers("mine.csv.run.json", allowed)["out"]


def test_embeddings_are_known_by_the_sidecar_of_their_answers(own, allowed):
    ran(own, "a.csv", embeddings="a.parquet")
    assert predicted("a.csv", allowed, embeddings="a.parquet")
    reasons = refused_answers("a.parquet", allowed)  # embeddings are no answers
    assert "is there already" in reasons["out"]
    (own / "b.parquet").write_bytes(b"x")
    assert set(refused_answers("new.csv", allowed, embeddings="b.parquet")) == {"embeddings"}


def test_a_run_that_was_broken_off_goes_on(own, allowed):
    partial = own / "x.csv.partial"
    partial.mkdir()
    (partial / "journal.jsonl").write_text('{"format": "holotype-partial", "version": 1}\n')
    assert predicted("x.csv", allowed)
    (own / "x.csv").write_text("moved here just before the end")
    assert predicted("x.csv", allowed)
    assert "not finished" in refused_answers("x.csv.partial/y.csv", allowed)["out"]
    with pytest.raises(JobError, match="is there already"):
        check_file(own / "x.csv", "x.csv", Made.SPLIT, allowed)


def test_a_split_may_be_made_again_and_nothing_else_becomes_one(own, allowed, tmp_path):
    split(own / "crops", out=own / "split.parquet")
    words = {"collection": "crops", "out": "split.parquet"}
    assert offer_of("split").command(words, allowed)
    shutil.copy(next((own / "crops" / "records").iterdir()), own / "shard.parquet")
    (own / "torn.parquet").write_bytes(b"PAR1")
    for name in ("shard.parquet", "torn.parquet"):
        reasons = refused("split", {**words, "out": name}, allowed)
        assert "is there already" in reasons["out"]


def test_a_collection_is_imported_into_and_never_over_other_things(own, allowed):
    values = {"kind": "image-folder", "inputs": "a.png", "existing": "keep"}
    for into in ("crops", "new", "half"):
        (own / "half" / ".intake").mkdir(parents=True, exist_ok=True)
        assert offer_of("import").command({**values, "into": into}, allowed)
    for into, says in (
        ("crops/records", "lies in a collection"),
        (".", "holds"),
        ("work/reviews", "keeps"),
        ("a.png", "is a file"),
        ("a.png/deep", "is a file"),
    ):
        assert says in refused("import", {**values, "into": into}, allowed)["into"]


@pytest.mark.parametrize(
    ("made", "files_of", "is_allowed"),
    [
        (Made.REPORT, {"report.json": "holotype-report", "index.html": None}, True),
        (Made.REPORT, {"index.html": None}, False),
        (Made.REPORT, {"report.json": "holotype-report", "notes.txt": None}, False),
        (Made.SUMMARY, {"summary.json": "holotype-summary"}, True),
        (Made.SUMMARY, {"summary.json": "another"}, False),
        (Made.INDEX, {".building/plan.json": None}, True),
        (Made.INDEX, {"index.json": "holotype-index"}, False),
        (Made.PAGE, {"index.html": None}, False),
        (Made.MODEL, {"recipe.toml": None}, False),
        (Made.MODEL, {".x.1.part": None}, True),
    ],
)
def test_a_folder_is_written_again_by_its_own_command_alone(
    own, allowed, made, files_of, is_allowed
):
    for name, told in files_of.items():
        path = own / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text" if told is None else json.dumps({"format": told}))
    if is_allowed:
        check_folder(own / "out", "out", made, allowed)
    else:
        with pytest.raises(JobError, match=r"^out: (holds|lies in)"):
            check_folder(own / "out", "out", made, allowed)


def test_what_a_command_line_writes_is_known():
    words = ["predict", "--model=starter", "a=b", "--out=/x.csv", "--embeddings=/e.parquet"]
    assert written_by(words) == {"/x.csv", "/e.parquet"}
    words = ["review", "new", "/x.csv", "--embeddings=/e.parquet", "--out=/r"]
    assert written_by(words) == {"/r"}
    assert written_by(["import", "table", "x", "--into=/c"]) == frozenset()
    assert written_by(["sleep", "--out=x"]) == written_by([]) == frozenset()
