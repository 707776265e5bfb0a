"""Counting answers: rows add up, counts are corrected where that can be done, and it says where not."""

import csv
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from five_labels import LABELS, answer, table_of

from holotype.counting.columns import (
    COUNT_COLUMNS,
    COUNTS_SCHEMA,
    FORMAT,
    VERSION,
    Level,
    Per,
)
from holotype.counting.count import count, count_answers
from holotype.errors import BundleError, SourceError
from holotype.identify.columns import RANKS

OTHER = (60, 240, 30, 10, 60)
"""A sample of other shares than the held-out records."""


def by_taxon(table):
    found = {}
    for row in table.to_pylist():
        key = row["taxon"] or row["status"]
        assert key not in found
        found[key] = row
    return found


def given(paths, model):
    return {"scores": paths["scores"], "embeddings": paths["embeddings"], "evidence": model}


def test_raw_counts_by_safe_answer():
    rows = [
        *(answer("Calanus finmarchicus") for _ in range(3)),
        *(answer("Calanus finmarchicus", 6) for _ in range(2)),
        answer("Oithona", 3),
        answer("detritus"),
        answer("Oithona", 0),
        answer(None),
    ]
    found = by_taxon(count_answers(table_of(rows))[0])
    assert {name: row["count_raw"] for name, row in found.items()} == {
        "Copepoda": 1, "Calanus": 2, "Calanus finmarchicus": 3, "detritus": 1, "unplaced": 1, "failed": 1,
    }  # fmt: skip
    assert found["Calanus"]["taxon_rank"] == "genus"
    assert found["detritus"]["taxon_rank"] is None
    assert {row["n_images"] for row in found.values()} == {9}
    assert {row["method"] for row in found.values()} == {"raw"}
    assert {row["count_adjusted"] for row in found.values()} == {None}
    assert list(found)[:3] == ["Copepoda", "Calanus", "Calanus finmarchicus"]


def test_raw_counts_at_a_rank_and_by_label():
    rows = [
        answer("Calanus finmarchicus"),
        answer("Calanus hyperboreus", 6),
        answer("Oithona", 3),
        answer("detritus"),
        answer(None),
    ]
    table = table_of(rows)
    family = by_taxon(count_answers(table, level=Level.FAMILY)[0])
    counted = {name: row["count_raw"] for name, row in family.items()}
    assert counted == {"Calanidae": 2, "unplaced": 2, "failed": 1}
    label = by_taxon(count_answers(table, level=Level.LABEL)[0])
    assert {name: row["count_raw"] for name, row in label.items()} == {
        "Calanus finmarchicus": 1, "Calanus hyperboreus": 1, "Oithona": 1, "detritus": 1, "failed": 1,
    }  # fmt: skip


def test_homonyms_stay_apart():
    jelly = answer("Sagitta", 2) | {"phylum": "Ctenophora", "taxon": "Ctenophora"}
    alga = {**jelly, "kingdom": "Chromista"}
    table = count_answers(table_of([jelly, alga, alga]))[0]
    assert [(row["taxon"], row["count_raw"]) for row in table.to_pylist()] == [
        ("Ctenophora", 1),
        ("Ctenophora", 2),
    ]


def test_per_acquisition_and_without_a_sample():
    rows = [answer("Oithona", sample_id="a", acquisition_id="1"), answer("Oithona", sample_id="a")]
    table = table_of(rows)
    assert count_answers(table)[0]["sample_id"].to_pylist() == ["a"]
    per_run = count_answers(table, per=Per.ACQUISITION)[0]
    assert per_run["sample_id"].to_pylist() == ["1", None]


def test_concentration_and_biovolume_by_hand():
    # 500 litres. Two specimens of a quarter of the haul, one of the whole: 9 in 0.5 m3.
    size = {"sampled_volume_l": 500.0, "object_esd_px": 100.0, "pixel_size_um": 10.0}
    rows = [
        answer("Oithona", subsample_fraction=0.25, **size),
        answer("Oithona", subsample_fraction=0.25, **{**size, "object_esd_px": None}),
        answer("Oithona", subsample_fraction=1.0, **{**size, "object_esd_px": 200.0}),
        answer(None, subsample_fraction=1.0, **size),
    ]
    found = by_taxon(count_answers(table_of(rows))[0])
    row = found["Oithona"]
    assert (row["count_raw"], row["volume_l"]) == (3, 500.0)
    assert row["concentration_per_m3"] == pytest.approx(18.0)
    # The sized ones stand for 4 of 1 mm and 1 of 2 mm; the unsized 4 are as these on average.
    mean = (4 * np.pi / 6 + 8 * np.pi / 6) / 5
    assert row["biovolume_mm3_per_m3"] == pytest.approx(18.0 * mean)
    assert "33% of the specimens without a size" in row["note"]
    assert row["concentration_low"] is None
    assert found["failed"]["concentration_per_m3"] is None


@pytest.mark.parametrize(
    ("volumes", "fractions", "concentration", "said"),
    [
        ((200.0, 200.0), (None, None), 10.0, "given nowhere: taken as 1"),
        ((200.0, None), (0.5, 0.5), 20.0, None),
        ((None, None), (0.5, 0.5), None, "sampled_volume_l not given"),
        ((200.0, 300.0), (0.5, 0.5), None, "several sampled_volume_l"),
        ((200.0, 200.0), (0.5, None), 20.0, "taken as that of the others"),
        ((200.0, 200.0, 200.0), (0.5, 0.25, None), None, "several of others"),
    ],
)
def test_what_is_not_known_costs_no_count(volumes, fractions, concentration, said):
    rows = [
        answer("Oithona", sampled_volume_l=volume, subsample_fraction=fraction)
        for volume, fraction in zip(volumes, fractions, strict=True)
    ]
    (row,) = count_answers(table_of(rows))[0].to_pylist()
    assert row["count_raw"] == len(volumes)
    assert row["concentration_per_m3"] == (
        None if concentration is None else pytest.approx(concentration)
    )
    assert row["biovolume_mm3_per_m3"] is None
    assert said in row["note"] if said else row["note"] is None


def test_counts_are_corrected_and_rows_add_up(predicted, model, tmp_path):
    paths = predicted(
        {"natural": (160, 120, 60, 40, 20), "other": OTHER}, failed=3, sampled_volume_l=100.0
    )
    out = tmp_path / "counts.parquet"
    report = count(paths["answers"], out=out, level="label", **given(paths, model))
    assert (report.samples, report.corrected, report.refused, report.failures) == (2, 2, 0, 6)
    table = pq.read_table(out)
    assert table.schema.equals(COUNTS_SCHEMA)
    for name, true in (("natural", (160, 120, 60, 40, 20)), ("other", OTHER)):
        rows = [row for row in table.to_pylist() if row["sample_id"] == name]
        assert sum(row["count_raw"] for row in rows) == 403 == rows[0]["n_images"]
        adjusted = {row["taxon"]: row["count_adjusted"] for row in rows if row["taxon"]}
        assert sum(adjusted.values()) == pytest.approx(400, abs=0.05)
        assert [row["count_raw"] for row in rows if row["status"] == "failed"] == [3]
        raw_error = sum(
            abs(row["count_raw"] - true[LABELS.index(row["taxon"])]) for row in rows if row["taxon"]
        )
        error = sum(abs(adjusted[label] - n) for label, n in zip(LABELS, true, strict=True))
        assert error < (raw_error / 2 if name == "other" else raw_error)
        for row in rows:
            if row["taxon"]:
                assert row["count_low"] <= row["count_adjusted"] <= row["count_high"]
                assert row["concentration_per_m3"] == pytest.approx(10 * row["count_adjusted"])
                assert row["concentration_high"] == pytest.approx(10 * row["count_high"])
    again = tmp_path / "again.parquet"
    count(paths["answers"], out=again, level="label", **given(paths, model))
    assert pq.read_table(again).equals(table)


def test_corrected_labels_go_to_the_narrowest_row_that_holds_them(predicted, model, tmp_path):
    paths = predicted({"other": OTHER})
    answers = pq.read_table(paths["answers"]).to_pylist()
    wide = answer("Oithona", 3)
    taken = {name: wide[name] for name in (*RANKS, "answer", "answer_level", "taxon", "taxon_rank")}
    for place, row in enumerate(answers):  # no answer is safe to Oithona, and some others are not
        if row["answer"] == "Oithona" or place < 40:
            row.update(taken)
    pq.write_table(table_of(answers), paths["answers"])
    count(paths["answers"], out=tmp_path / "c.parquet", **given(paths, model))
    found = by_taxon(pq.read_table(tmp_path / "c.parquet"))
    assert found["Copepoda"]["count_raw"] >= 40
    assert abs(found["Copepoda"]["count_adjusted"] - 30) < 12  # the Oithona alone
    assert abs(found["Calanus hyperboreus"]["count_adjusted"] - 240) < 40
    assert sum(row["count_adjusted"] for row in found.values()) == pytest.approx(400, abs=0.05)
    count(paths["answers"], out=tmp_path / "k.parquet", level="kingdom", **given(paths, model))
    kingdom = by_taxon(pq.read_table(tmp_path / "k.parquet"))
    assert kingdom["Animalia"]["count_adjusted"] == pytest.approx(340, abs=15)
    assert kingdom["unplaced"]["count_adjusted"] == pytest.approx(60, abs=15)


def test_another_domain_is_refused(predicted, model, tmp_path):
    paths = predicted({"elsewhere": (100, 100, 100, 50, 50)}, moved=6.0)
    report = count(paths["answers"], out=tmp_path / "c.csv", **given(paths, model))
    assert (report.corrected, report.refused) == (0, 1)
    with (tmp_path / "c.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["method"] for row in rows} == {"raw"}
    assert {row["count_adjusted"] for row in rows} == {""}
    assert all("do not look like the held-out records" in row["note"] for row in rows)


def test_few_specimens_are_not_corrected(predicted, model, tmp_path):
    paths = predicted({"small": (10, 5, 4, 5, 5)})
    report = count(paths["answers"], out=tmp_path / "c.parquet", **given(paths, model))
    assert (report.corrected, report.too_small) == (0, 1)
    (note,) = set(pq.read_table(tmp_path / "c.parquet")["note"].to_pylist())
    assert "fewer than 30 specimens" in note


def test_files_of_one_run_are_joined_by_name(predicted, model, tmp_path):
    paths = predicted({"other": OTHER})
    count(paths["answers"], out=tmp_path / "a.parquet", **given(paths, model))
    for name in ("scores", "embeddings"):
        table = pq.read_table(paths[name])
        pq.write_table(table.take(np.arange(table.num_rows)[::-1].copy()), paths[name])
    count(paths["answers"], out=tmp_path / "b.parquet", **given(paths, model))
    assert pq.read_table(tmp_path / "a.parquet").equals(pq.read_table(tmp_path / "b.parquet"))
    pq.write_table(pq.read_table(paths["scores"]).slice(5), paths["scores"])
    with pytest.raises(SourceError, match=r"scores\.parquet: no row for 39\d\.png"):
        count(paths["answers"], out=tmp_path / "c.parquet", **given(paths, model))


def test_what_cannot_be_used_is_said(predicted, model, tmp_path):
    paths, out = predicted({"a": (20, 20, 20, 20, 20)}), tmp_path / "c.parquet"
    with pytest.raises(SourceError, match="--scores, --embeddings is needed"):
        count(paths["answers"], out=out, evidence=model)
    with pytest.raises(SourceError, match=r"--level famly: not known\. Did you mean 'family'"):
        count(paths["answers"], out=out, level="famly")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "bundle.json").write_text((model / "bundle.json").read_text())
    with pytest.raises(BundleError, match="Run holotype calibrate"):
        count(paths["answers"], out=out, **given(paths, tmp_path / "bare"))
    wrong = {**given(paths, model), "scores": paths["embeddings"]}
    with pytest.raises(SourceError, match="no column Calanus"):
        count(paths["answers"], out=out, **wrong)
    table = pq.read_table(paths["answers"]).to_pylist()
    pq.write_table(table_of([{**row, "model": "other"} for row in table]), paths["answers"])
    with pytest.raises(SourceError, match="answers of the model other, not of"):
        count(paths["answers"], out=out, **given(paths, model))
    assert not out.exists()


@pytest.mark.real
def test_volumes_and_ellipses_come_from_a_collection(real_data, tmp_path):
    """Four vignettes of a haul of 400 m3 in four runs; the fractions of two of these cannot be read."""
    import holotype
    from holotype.collection.store import open_collection

    made = tmp_path / "c"
    folder = real_data / "formats" / "ecotaxa_qa" / "import_test_weird"
    holotype.import_("ecotaxa", [folder], into=made, source="zooscan")
    ids = open_collection(made).columns(["record_id"])["record_id"].to_pylist()
    answers = table_of([answer("Oithona", record_id=name) for name in ids])
    pq.write_table(answers, tmp_path / "answers.parquet")
    bare = count(tmp_path / "answers.parquet", out=tmp_path / "bare.csv")
    assert (bare.images, bare.rows) == (4, 1)
    out = tmp_path / "n.parquet"
    count(tmp_path / "answers.parquet", out=out, collection=made)
    (row,) = pq.read_table(out).to_pylist()
    assert (row["sample_id"], row["count_raw"]) == ("m106_mn01_n4_sml", 4)
    assert row["concentration_per_m3"] is None
    assert "several of others" in row["note"]
    count(tmp_path / "answers.parquet", out=out, collection=made, per="acquisition_id")
    quarter, eighth, unknown, _ = pq.read_table(out).to_pylist()
    assert quarter["concentration_per_m3"] == pytest.approx(1 / 0.25 / 400)
    assert eighth["concentration_per_m3"] == pytest.approx(1 / 0.125 / 400)
    assert (unknown["count_raw"], unknown["concentration_per_m3"]) == (1, None)
    ellipse = np.pi / 6 * 24.7000007629395 * 21.2999992370605**2 * 10.6**3 * 1e-9
    assert quarter["biovolume_mm3_per_m3"] == pytest.approx(ellipse / 0.25 / 400, rel=1e-6)
    other = table_of([answer("Oithona", record_id="x")])
    pq.write_table(other, tmp_path / "other.parquet")
    with pytest.raises(SourceError, match="has none of the records"):
        count(tmp_path / "other.parquet", out=tmp_path / "n.csv", collection=made)


def test_the_format_page_has_every_column():
    page = (Path(__file__).parents[2] / "docs" / "formats" / "counts.md").read_text("utf-8")
    assert f"Format `{FORMAT}`, version {VERSION}." in page
    written = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    assert [(name, meaning) for name, _, meaning in written] == [
        (column.name, column.meaning.replace("``", "`")) for column in COUNT_COLUMNS
    ]


def test_a_diameter_of_nothing_is_no_size():
    size = {"sampled_volume_l": 1000.0, "subsample_fraction": 1.0, "pixel_size_um": 10.0}
    rows = [answer("Oithona", object_esd_px=esd, **size) for esd in (100.0, 0.0, -5.0, np.inf)]
    (row,) = count_answers(table_of(rows))[0].to_pylist()
    assert row["concentration_per_m3"] == pytest.approx(4.0)
    assert row["biovolume_mm3_per_m3"] == pytest.approx(4 * np.pi / 6)
    assert "75% of the specimens without a size" in row["note"]


def test_a_percentage_is_no_fraction():
    rows = [answer("Oithona", sampled_volume_l=100.0, subsample_fraction=f) for f in (50.0, 0.5)]
    (row,) = count_answers(table_of(rows))[0].to_pylist()
    assert row["concentration_per_m3"] is None
    assert "subsample_fraction above 1" in row["note"]


def test_one_volume_of_several_runs_is_told():
    # Two runs of 5 ml each would be 10 ml: the column is of the sample, and the table says how it was read.
    rows = [answer("Oithona", acquisition_id=run, sampled_volume_l=0.005) for run in ("a", "b")]
    table = table_of(rows)
    (row,) = count_answers(table)[0].to_pylist()
    assert row["concentration_per_m3"] == pytest.approx(400_000.0)
    assert "one sampled_volume_l for several acquisition_id" in row["note"]
    for row in count_answers(table, per=Per.ACQUISITION)[0].to_pylist():
        assert row["concentration_per_m3"] == pytest.approx(200_000.0)
        assert "several acquisition_id" not in (row["note"] or "")


def test_scores_with_priors_are_not_corrected(predicted, model, tmp_path):
    paths = predicted({"other": OTHER}, prior_effect="nothing said of it")
    with pytest.raises(SourceError, match="without --prior"):
        count(paths["answers"], out=tmp_path / "c.csv", **given(paths, model))
    assert count(paths["answers"], out=tmp_path / "c.csv").corrected == 0


def test_barcodes_are_counted_as_answered(predicted, model, tmp_path):
    paths = predicted({"other": OTHER}, strand="+")
    report = count(paths["answers"], out=tmp_path / "c.csv", **given(paths, model))
    assert (report.corrected, report.too_small) == (0, 1)


def test_nothing_to_count_is_an_empty_table(tmp_path):
    pq.write_table(table_of([]), tmp_path / "a.parquet")
    report = count(tmp_path / "a.parquet", out=tmp_path / "c.csv")
    assert (report.images, report.samples, report.rows) == (0, 0, 0)
    assert (tmp_path / "c.csv").read_text(encoding="utf-8-sig").startswith("sample_id,")
