"""A command line of pybioclip with ``holotype`` in the place of ``bioclip``: rows, scores, errors."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import BundleError, SourceError
from holotype.exchange.answers.as_pybioclip import best_names_of
from holotype.exchange.answers.best_names import classes, read_subset, restricted, taxa
from holotype.exchange.answers.names_wanted import Shape, Wanted, names_wanted
from holotype.identify.class_lists import read_bins, read_classes
from holotype.identify.embedding import embed_inputs
from holotype.identify.own_classes import ClassSpace
from holotype.models.bundle import open_bundle
from holotype.taxonomy.lineage import Rank

LABELS = ("Ursus arctos", "Ursus americanus", "Lynx", "rock")
LINEAGES = {
    "Ursus arctos": {"kingdom": "Animalia", "genus": "Ursus", "species": "Ursus arctos"},
    "Ursus americanus": {"kingdom": "Animalia", "genus": "Ursus", "species": "Ursus americanus"},
    "Lynx": {"kingdom": "Animalia", "genus": "Lynx"},
    "rock": {},
}
SCORES = np.asarray([[0.25, 0.5, 0.125, 0.125], [np.nan] * 4, [0.0, 0.0, 0.0, 1.0]], np.float32)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def pictures(tiny_collection, tmp_path_factory):
    """Three pictures, and one that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    found = [content for _, content in open_collection(tiny_collection).images() if content]
    for number, content in enumerate(found[:3]):
        (folder / f"{number}.png").write_bytes(content)
    (folder / "bad.png").write_bytes(b"no picture")
    return [folder / name for name in ("0.png", "1.png", "bad.png", "2.png")]


def best(names, *, k=None):
    return [[(*cells, score) for cells, score in one] for one in names.best(SCORES, k=k)]


def test_scores_of_a_taxon_are_sums_over_its_labels_worked_by_hand():
    bears, failed, stone = best(taxa(LABELS, LINEAGES, Rank.GENUS))
    assert [(row[5], row[-1]) for row in bears] == [("Ursus", 0.75), ("Lynx", 0.125), (None, 0.125)]
    assert failed == []
    assert stone[0] == (None,) * 6 + (1.0,)
    assert [row[-1] for row in best(taxa(LABELS, LINEAGES, Rank.SPECIES), k=2)[0]] == [0.5, 0.25]


def test_of_a_subset_the_scores_add_up_to_one_and_nothing_else_is_named(tmp_path):
    (tmp_path / "s.csv").write_bytes(b"\xef\xbb\xbfGenus,note\r\nUrsus,x\r\n\r\nLynx,\r\n")
    kept = read_subset(tmp_path / "s.csv", LABELS, LINEAGES)
    assert kept.tolist() == [True, True, True, False]
    first, failed, nothing = best(restricted(taxa(LABELS, LINEAGES, Rank.GENUS), kept))
    assert [(row[5], round(row[-1], 12)) for row in first] == [
        ("Ursus", round(6 / 7, 12)), ("Lynx", round(1 / 7, 12)),
    ]  # fmt: skip
    assert (failed, nothing) == ([], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "nothing in it"),
        ("order\n", "no name under 'order'"),
        ("taxon\nUrsus\n", "the first column is 'taxon'"),
        ("genus\nUrsos\n", "no label of this model is of Ursos. Did you mean 'Ursus'?"),
        ("order\nCarnivora\n", "It knows no order"),
    ],
)
def test_a_wrong_subset_is_told_what_to_write(content, said, tmp_path):
    (tmp_path / "s.csv").write_text(content)
    with pytest.raises(SourceError) as caught:
        read_subset(tmp_path / "s.csv", LABELS, LINEAGES)
    assert said in str(caught.value)


def test_classes_come_from_a_list_or_a_file_and_bins_from_a_table(tmp_path):
    (tmp_path / "c.txt").write_bytes(b"cat\r\n\r\n  polar bear \r\n")
    (tmp_path / "b.csv").write_text('cls,bin,why\ncat,one,x\n"bird, small",one\nbear,two\n')
    assert read_classes("E. coli") == ("E. coli",)
    assert read_classes("x" * 400) == ("x" * 400,)
    assert read_classes(str(tmp_path / "c.txt")) == ("cat", "polar bear")
    assert read_bins(tmp_path / "b.csv") == {"cat": "one", "bird, small": "one", "bear": "two"}
    names = classes(("cat", "bird", "bear"), {"cat": "one", "bird": "one", "bear": "two"})
    (binned,) = names.best(np.asarray([[0.25, 0.125, 0.625]]), k=None)
    assert binned == [(("two",), 0.625), (("one",), 0.375)]


@pytest.mark.parametrize(
    ("read", "given", "said"),
    [
        (read_classes, "cat,dog,cat", "cat twice"),
        (read_classes, " , ", "no class"),
        (read_classes, "nowhere/list.txt", "no such file"),
        (read_bins, "cls\ncat\n", "one column"),
        (read_bins, "cls,bin\n\ncat,\n", "line 3"),
        (read_bins, "cls,bin\ncat,a\ncat,b\n", "cat twice"),
    ],
)
def test_wrong_classes_and_bins_are_told(read, given, said, tmp_path):
    if read is read_bins:
        (tmp_path / "b.csv").write_text(given)
        given = tmp_path / "b.csv"
    with pytest.raises(SourceError) as caught:
        read(given)
    assert said in str(caught.value)


def test_options_that_would_do_nothing_or_clash_are_refused(tmp_path):
    nothing = dict.fromkeys(("rank", "k", "cls", "bins", "subset"))

    def asked(form=None, out=None, output=None, **given):
        return names_wanted(nothing | given, form, out=out, output=output)

    assert asked(out=tmp_path) is None
    assert asked() == Wanted()
    assert asked("table", rank="genus") == Wanted(rank="genus", shape=Shape.TABLE)
    assert asked(out=tmp_path, output=tmp_path, k=3) == Wanted(k=3)
    assert asked("pybioclip", out=tmp_path, k=3) == Wanted(k=3)
    assert asked("sintax", out=tmp_path) is None
    for given, said in (
        ({"out": tmp_path, "k": 3}, "--k: of the best names"),
        ({"out": tmp_path, "form": "table"}, "--format table: of the best names"),
        ({"form": "sintax"}, "is written to --out"),
        (
            {"form": "sintax", "out": tmp_path, "rank": "genus"},
            "--rank: nothing for --format sintax",
        ),
        ({"form": "sintex"}, "no such format. Did you mean 'sintax'"),
        ({"k": 0}, "--k 0"),
        ({"rank": "gneus"}, "Did you mean 'genus'"),
        ({"cls": "a,b", "subset": tmp_path}, "give one of them"),
        ({"cls": "a,b", "rank": "genus"}, "have no rank"),
    ):
        with pytest.raises(SourceError) as caught:
            asked(**given)
        assert said in str(caught.value)


def test_the_names_are_those_that_publish_writes_of_the_same_scores(tiny_run, pictures, tmp_path):
    report = best_names_of(tiny_run, pictures, Wanted(rank="genus", k=4), output=tmp_path / "n.csv")
    assert (report.specimens, report.failures, report.rows) == (4, 1, 12)
    with pytest.raises(SourceError, match="an input, which would be lost"):
        best_names_of(tiny_run, pictures, Wanted(), output=pictures[0])
    holotype.predict(tiny_run, pictures, out=tmp_path / "a.parquet", scores=tmp_path / "s.parquet")
    holotype.publish(
        tmp_path / "a.parquet", to="pybioclip", out=tmp_path / "p.csv", scores=tmp_path / "s.parquet",
        model=tiny_run, rank="genus", k=4,
    )  # fmt: skip
    ours, theirs = (rows_of((tmp_path / name).read_text()) for name in ("n.csv", "p.csv"))
    scores = [[float(row.pop("score")) for row in rows] for rows in (ours, theirs)]
    assert ours == theirs
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] in ".n") == [
        "n.csv", "n.csv.run.json",
    ]  # fmt: skip
    told = json.loads((tmp_path / "n.csv.run.json").read_text())
    assert told["names"] == {"rank": "genus", "k": 4, "shape": "csv"}
    assert [one["path"] for one in told["outputs"]] == ["n.csv"]


def test_own_classes_are_a_softmax_of_cosines_and_bins_sum_them(tiny_run, pictures, tmp_path):
    (tmp_path / "bins.csv").write_text("cls,bin\ncat,pets\na rock,things\ndog,pets\n")
    made = holotype.predict(
        tiny_run, pictures, out=tmp_path / "a.csv", embeddings=tmp_path / "e.parquet"
    )
    assert made.failures == 1
    z = np.stack(pq.read_table(tmp_path / "e.parquet")["embedding"].to_pylist())[[0, 1, 3]]
    bundle = open_bundle(tiny_run)
    space = ClassSpace.of(bundle, ["cat", "a rock", "dog"])
    logit = space.scale * z @ space.z_CD.T
    expected = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    report = best_names_of(tiny_run, pictures, Wanted(classes="cat, a rock,dog"), output=None)
    rows = rows_of(report.text)
    assert [*rows[0]] == ["file_name", "classification", "score"]
    assert {row["file_name"] for row in rows} == {str(p) for p in pictures if p.stem != "bad"}
    found = {(row["file_name"], row["classification"]): float(row["score"]) for row in rows}
    kept = [path for path in pictures if path.stem != "bad"]
    for path, shares in zip(kept, expected, strict=True):
        told = [found[str(path), name] for name in ("cat", "a rock", "dog")]
        assert told == pytest.approx(shares.tolist(), rel=1e-4)
    binned = best_names_of(tiny_run, pictures, Wanted(bins=tmp_path / "bins.csv"), output=None)
    for row in rows_of(binned.text):
        at = kept.index(next(path for path in kept if str(path) == row["file_name"]))
        pets, things = expected[at, [0, 2]].sum(), expected[at, 1]
        assert float(row["score"]) == pytest.approx(
            {"pets": pets, "things": things}[row["classification"]], rel=1e-4
        )


def test_without_captions_own_classes_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(BundleError, match="reads no captions"):
        best_names_of("starter", [tmp_path / "none.png"], Wanted(classes="a,b"), output=None)


def test_the_command_line_of_pybioclip_works(tiny_run, pictures, tmp_path, capsys, monkeypatch):
    from holotype.cli.app import main

    def run(*words):
        monkeypatch.setattr("sys.argv", ["holotype", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().out

    code, out = run("predict", "--model", tiny_run, "--k", "2", "--rank=genus", *pictures[:2])
    assert code == 0
    assert [row["file_name"] for row in rows_of(out)] == [
        str(p) for p in pictures[:2] for _ in "12"
    ]
    log = tmp_path / "log.txt"
    words = ["predict", "--model", tiny_run, "--format", "table", "--cls", "cat,dog", "--log", log]
    for _ in "12":
        code, out = run(*words, "--batch-size", "10", "--device", "cpu", pictures[0])
        assert (code, len(out.splitlines())) == (0, 6)
    assert log.read_text().count("** Holotype") == 2
    code, out = run("embed", "--model", tiny_run, *pictures)
    assert code == 3
    vectors = json.loads(out)["embeddings"]
    assert [*vectors] == [str(path) for path in pictures if path.stem != "bad"]
    assert run("embed", "--model", tiny_run, "--output", tmp_path / "e.txt", *pictures)[0] == 3
    assert json.loads((tmp_path / "e.txt").read_text())["embeddings"] == vectors
    report = embed_inputs(tiny_run, pictures, out=tmp_path / "e.parquet")
    assert (report.specimens, [*report.failures]) == (3, [str(pictures[2])])
    stored = pq.read_table(tmp_path / "e.parquet")["embedding"].to_pylist()
    assert np.allclose([*vectors.values()], stored, atol=1e-6)
    assert np.allclose(np.linalg.norm(stored, axis=1), 1, atol=1e-5)
