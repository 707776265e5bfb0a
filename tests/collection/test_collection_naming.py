"""Names of a collection: matched, reviewed in a spreadsheet, applied; what goes wrong on the way."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.names_review import (
    COLUMNS,
    plain_cell,
    read_review,
    row_key,
    safe_cell,
)
from holotype.collection.naming import apply_names, match_names, review_names
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, TaxonomyError
from holotype.taxonomy.backbone.build import write_rows
from holotype.taxonomy.backbone.lineages import rows_of_lineages
from holotype.taxonomy.lineage import Lineage

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
TAXA = [
    (("Animalia", "Arthropoda", "Copepoda", "Calanoida", "Calanidae", "Calanus", "Calanus finmarchicus"),
     "104464"),
    (("Animalia", "Arthropoda", "Copepoda", "Harpacticoida", "", "", ""), "1102"),
    (("Animalia", "Ctenophora", "", "", "", "", ""), "1248"),
    (("Chromista", "Heterokontophyta", "Bacillariophyceae", "", "", "Ctenophora", ""), "163344"),
]  # fmt: skip
LABELS = {
    "Calanus finmarchicus": 3,
    "Calanus finmarhicus": 1,
    "Ctenophora": 4,
    "copepod_harpacticoid": 2,
    "detritus": 2,
    "Gymnodinium": 1,
    "=cmd|' /C calc'!A0": 1,
    'O\'Brien; "quoted", 🦐 \u202e': 1,
    "-like_Copepoda": 1,
}


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    rows = [
        (Lineage.from_names(dict(zip(RANKS, names, strict=True))), (("aphia_id", aphia),))
        for names, aphia in TAXA
    ]
    raw, problems = rows_of_lineages(rows)
    out = tmp_path_factory.mktemp("names") / "backbone.parquet"
    write_rows(raw, problems, kind="lineages", out=out, sha256="", snapshot="1", name="hand")
    return out


@pytest.fixture
def collection(tmp_path):
    table = tmp_path / "net.csv"
    with table.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "label"])
        number = 0
        for label, count in LABELS.items():
            for _ in range(count):
                number += 1
                writer.writerow([f"r{number}", label])
    place = tmp_path / "collection"
    holotype.import_(
        "table",
        [table],
        into=place,
        source="net",
        columns={"written_label": "label", "specimen_id": "id"},
    )
    assert len(open_collection(place)) == sum(LABELS.values())
    return place


@pytest.fixture
def review(collection, backbone, tmp_path):
    out = tmp_path / "review.csv"
    match_names(collection, backbone=backbone, out=out)
    return out


def cells(path):
    with path.open(newline="", encoding="utf-8-sig") as handle:
        return list(csv.DictReader(handle))


def edited(path, changes, *, delimiter=",", encoding="utf-8", drop=()):
    """Writes the review as a spreadsheet would after a person filled in cells: {label: {column: text}}."""
    rows = cells(path)
    for row in rows:
        row.update(changes.get(plain_cell(row["written_label"]), {}))
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [c for c in COLUMNS if c not in drop], delimiter=delimiter, extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def record_names(place):
    columns = [
        "written_label",
        "name_status",
        "name_match",
        "backbone",
        "aphia_id",
        "group",
        "qualifier",
        *RANKS,
    ]
    return {
        row["written_label"]: row for row in open_collection(place).columns(columns).to_pylist()
    }


def test_matching_counts_add_up(collection, backbone, tmp_path):
    report = match_names(collection, backbone=backbone, out=tmp_path / "r.csv")
    assert report.names == len(LABELS)
    assert sum(report.statuses.values()) == report.names
    assert sum(report.records_by_status.values()) == report.records == sum(LABELS.values())
    assert report.to_decide == 1
    assert dict(report.hows) == {"exact": 2, "fuzzy": 1, "word": 1}
    rows = cells(tmp_path / "r.csv")
    assert rows[0]["written_label"] == "Ctenophora", "what a person has to decide comes first"
    assert rows[0]["records"] == "4"
    assert "phylum; Animalia" in rows[0]["candidates"]
    assert "genus; Chromista" in rows[0]["candidates"]


def test_matching_changes_no_record(collection, backbone, tmp_path):
    before = open_collection(collection).fingerprint
    match_names(collection, backbone=backbone, out=tmp_path / "r.csv")
    assert open_collection(collection).fingerprint == before


def test_a_kingdom_hint_decides(collection, backbone, tmp_path):
    report = match_names(
        collection, backbone=backbone, out=tmp_path / "r.csv", kingdoms=["Animalia"]
    )
    assert report.to_decide == 0


def test_no_cell_begins_a_formula(review):
    for row in cells(review):
        for column, text in row.items():
            assert not text.startswith(("=", "+", "-", "@", "\t", "\r")), column
    assert {row.written_label for row in read_review(review)} == set(LABELS)


@pytest.mark.parametrize("text", ["=1+1", "-2", "'quoted", "''", "@x", "plain", "", "＝x", "\tx"])  # noqa: RUF001
def test_safe_cells_turn_back(text):
    assert plain_cell(safe_cell(text)) == text


def test_the_way_there_and_back(collection, backbone, review):
    report = apply_names(collection, review, backbone=backbone)
    assert dict(report.outcomes) == {"matched": 7, "no_match": 5, "undecided": 4}
    assert report.undecided_names == 1
    rows = record_names(collection)
    assert rows["Ctenophora"]["name_status"] is None
    assert rows["Ctenophora"]["kingdom"] is None
    species = rows["Calanus finmarchicus"]
    assert [species[rank] for rank in RANKS] == list(TAXA[0][0])
    assert (species["name_status"], species["name_match"], species["backbone"]) == (
        "matched",
        "exact",
        "hand 1",
    )
    assert species["aphia_id"] == "104464"
    assert rows["Calanus finmarhicus"]["name_match"] == "fuzzy"
    assert rows["copepod_harpacticoid"]["order"] == "Harpacticoida"
    assert rows["copepod_harpacticoid"]["group"] is None
    assert rows["Gymnodinium"]["name_status"] == rows["detritus"]["name_status"] == "no_match"
    steps = open_collection(collection).manifest["steps"]
    assert steps[-1]["step"] == "names"
    assert steps[-1]["backbone"] == "hand 1"


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-8-sig")]
)
def test_decisions_of_a_person(collection, backbone, review, delimiter, encoding):
    phylum = next(c for c in cells(review)[0]["candidates"].split("; T") if "phylum" in c)
    taxon_id = "T" + phylum.split(" = ")[0].removeprefix("T")
    edited(review, {
        "Ctenophora": {"decision": taxon_id, "reviewer": "A. Person"},
        "Calanus finmarhicus": {"decision": "Accept"},
        "Gymnodinium": {"decision": "harpacticoida"},
        "detritus": {"decision": "not a taxon"},
        "copepod_harpacticoid": {"decision": "reject"},
    }, delimiter=delimiter, encoding=encoding)  # fmt: skip
    standing = review_names(review, backbone=backbone)
    assert standing.open_rows == ()
    assert standing.decisions["taxon"] == 2
    report = apply_names(collection, review, backbone=backbone)
    assert dict(report.outcomes) == {
        "matched": 4,
        "no_match": 2,
        "not_a_taxon": 2,
        "rejected": 2,
        "reviewed": 6,
    }
    rows = record_names(collection)
    assert (rows["Ctenophora"]["phylum"], rows["Ctenophora"]["genus"]) == ("Ctenophora", None)
    assert rows["Ctenophora"]["name_match"] == "reviewed"
    assert rows["Ctenophora"]["aphia_id"] == "1248"
    assert rows["Gymnodinium"]["order"] == "Harpacticoida"
    assert rows["detritus"]["group"] == "detritus"
    assert rows["copepod_harpacticoid"]["order"] is None


def test_what_is_left_is_told(review):
    report = review_names(review)
    assert [(label, records) for _, label, records, _ in report.open_rows] == [("Ctenophora", 4)]
    assert report.open_records == 4
    assert sum(report.decisions.values()) == report.rows == len(LABELS)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"Ctenophora": {"decision": "accept"}},
            "row 2, column decision: accept, but no taxon is proposed",
        ),
        (
            {"Ctenophora": {"status": "ambigous"}},
            "row 2, column status: 'ambigous'. Did you mean 'ambiguous'?",
        ),
        ({"Ctenophora": {"row_key": "1.2E+15"}}, "row 2, column row_key: '1.2E+15' is no key"),
    ],
)
def test_wrong_edits_are_named(review, changes, said):
    edited(review, changes)
    with pytest.raises(TaxonomyError) as caught:
        review_names(review)
    assert said in str(caught.value)
    assert review.name in str(caught.value)


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ("Ctenophora", "'Ctenophora' may be T"),
        ("Calanos finmarchicus", "is no taxon of the backbone"),
        ("acccept", "Did you mean 'accept'?"),
    ],
)
def test_wrong_taxa_are_named(collection, review, backbone, decision, said):
    edited(review, {"Ctenophora": {"decision": decision}})
    before = open_collection(collection).fingerprint
    for act in (
        lambda: review_names(review, backbone=backbone),
        lambda: apply_names(collection, review, backbone=backbone),
    ):
        with pytest.raises(TaxonomyError, match="row 2, column decision") as caught:
            act()
        assert said in str(caught.value)
    assert open_collection(collection).fingerprint == before


def test_files_that_a_spreadsheet_spoils(review):
    content = review.read_bytes()
    with pytest.raises(TaxonomyError, match=r"no column decision"):
        review_names(edited(review, {}, drop=("decision",)))
    for spoilt, said in (
        (content.decode("utf-8-sig").replace("🦐", "é").encode("latin-1", "replace"), "not UTF-8"),
        (content.decode("utf-8-sig").encode("utf-16"), "UTF-16. Save it as CSV UTF-8"),
        (b"PK\x03\x04rest", "a workbook"),
        (b"", "empty"),
        (content + content.split(b"\n")[1] + b"\n", "column row_key"),
        (content + b"a,b\n", "2 columns, not 19"),
    ):
        review.write_bytes(spoilt)
        with pytest.raises(TaxonomyError, match=r"review\.csv") as caught:
            review_names(review)
        assert said in str(caught.value)


def test_a_review_of_something_else_is_refused(collection, review, backbone, tmp_path):
    rows = cells(review)
    assert rows[0]["row_key"] == row_key("net", "Ctenophora", "")
    edited(review, {label: {"row_key": row_key("other", label, "")} for label in LABELS})
    with pytest.raises(CollectionError, match="none of its names is in"):
        apply_names(collection, review, backbone=backbone)
    match_names(collection, backbone=backbone, out=review)
    edited(review, {"Calanus finmarchicus": {"backbone": "worms 2020"}})
    with pytest.raises(
        TaxonomyError,
        match=r"column backbone: made with 'worms 2020', but the backbone is 'hand 1'",
    ):
        apply_names(collection, review, backbone=backbone)


def test_a_failed_part_is_no_unknown_name(collection, backbone, tmp_path):
    class Broken:
        name = "far away"

        def match(self, query):
            raise OSError("no answer")

    report = match_names(collection, backbone=backbone, out=tmp_path / "r.csv", more=[Broken()])
    assert "no_match" not in report.statuses
    assert report.statuses["service_failed"] == 4
    applied = apply_names(collection, tmp_path / "r.csv", backbone=backbone)
    assert applied.outcomes["service_failed"] >= 5
    rows = record_names(collection)
    assert rows["Gymnodinium"]["name_status"] == "service_failed"


def test_names_can_be_matched_again(collection, backbone, review, tmp_path):
    apply_names(collection, review, backbone=backbone)
    again = tmp_path / "again.csv"
    report = match_names(collection, backbone=backbone, out=again)
    assert dict(report.statuses)["matched"] == 4
    applied = apply_names(collection, again, backbone=backbone)
    assert dict(applied.outcomes) == {"matched": 7, "no_match": 5, "undecided": 4}


def test_an_id_of_another_taxon_goes(collection, backbone, review):
    shard = open_collection(collection).shard_paths()[0]
    table = pq.read_table(shard)
    labels = table["written_label"].to_pylist()
    genus = pa.array(["Calanus" if label == "Calanus finmarchicus" else None for label in labels])
    wikidata = pa.array(["Q1"] * len(labels))
    assert table.num_rows == sum(LABELS.values())
    from holotype.collection.names_apply import _changed, _named, _Outcome
    from holotype.taxonomy.backbone.store import open_backbone
    from holotype.taxonomy.matching.outcome import How

    opened = open_backbone(backbone)
    taxon = opened.taxon(opened.rows_of("calanoida")[0])
    before = table.set_column(table.schema.get_field_index("genus"), "genus", genus)
    before = before.set_column(before.schema.get_field_index("gbif_id"), "gbif_id", wikidata)
    outcome = _named(taxon, How.EXACT, opened, "matched")
    after = _changed(
        before,
        [outcome if label == "Calanus finmarchicus" else _Outcome("x", None) for label in labels],
    )
    for old, row in zip(before.to_pylist(), after.to_pylist(), strict=True):
        if old["written_label"] == "Calanus finmarchicus":
            assert (row["order"], row["genus"], row["gbif_id"]) == ("Calanoida", None, None)
        else:
            assert row == old


def test_the_command_line(collection, backbone, tmp_path, holotype_command):
    out = tmp_path / "r.csv"
    done = holotype_command(
        "names",
        "match",
        collection,
        "--backbone",
        backbone,
        "--out",
        out,
        "--kingdom-hint",
        "Animalia",
    )
    assert done.returncode == 0, done.stderr
    assert "0 names wait for a decision" in done.stdout
    done = holotype_command("names", "apply", collection, out, "--backbone", backbone)
    assert done.returncode == 0, done.stderr
    assert "matched" in done.stdout
    out.write_text("nothing")
    done = holotype_command("names", "review", out)
    assert done.returncode == 2
    assert "row 1: no column" in done.stderr


def test_narrower_names_of_the_source_stay(backbone, tmp_path):
    table = tmp_path / "given.csv"
    table.write_text(
        "id,label,genus,species\n1,a,Calanus,Calanus novus\n2,b,Calanus,\n", encoding="utf-8"
    )
    place = tmp_path / "collection"
    columns = {
        "written_label": "label",
        "specimen_id": "id",
        "genus": "genus",
        "species": "species",
    }
    holotype.import_("table", [table], into=place, source="net", columns=columns)
    match_names(place, backbone=backbone, out=tmp_path / "r.csv")
    assert dict(apply_names(place, tmp_path / "r.csv", backbone=backbone).outcomes) == {
        "matched": 2
    }
    rows = record_names(place)
    assert (rows["a"]["species"], rows["a"]["name_match"], rows["a"]["class"]) == (
        "Calanus novus",
        "higher",
        "Copepoda",
    )
    assert (rows["b"]["species"], rows["b"]["family"]) == (None, "Calanidae")


GIVEN = """id,label,kingdom,phylum,class,order,genus,species
1,Ctenophora,Animalia,Ctenophora,,,,
2,copepod,Animalia,Arthropoda,Copepoda,Calanoida,Acartia,
3,Calanus finmarhicus,,,,,,
4,Gymnodinium,Chromista,Myzozoa,Dinophyceae,,,
5,detritus,Animalia,Arthropoda,Copepoda,,,
"""


@pytest.fixture
def classified(tmp_path):
    table = tmp_path / "given.csv"
    table.write_text(GIVEN, encoding="utf-8")
    place = tmp_path / "classified"
    columns = {"written_label": "label", "specimen_id": "id"} | {
        rank: rank for rank in RANKS if rank != "family"
    }
    holotype.import_("table", [table], into=place, source="net", columns=columns)
    return place


def lineages(place):
    columns = ["written_label", "given_lineage", "name_status", "name_match", "aphia_id", *RANKS]
    rows = open_collection(place).columns(columns).to_pylist()
    return {row["written_label"]: row for row in rows}


def given(row):
    return None if row["given_lineage"] is None else json.loads(row["given_lineage"])


def test_what_the_source_gave_is_kept(classified, backbone, tmp_path):
    review = tmp_path / "r.csv"
    match_names(classified, backbone=backbone, out=review)
    apply_names(classified, review, backbone=backbone)
    rows = lineages(classified)
    assert given(rows["Ctenophora"]) == {"kingdom": "Animalia", "phylum": "Ctenophora"}
    assert given(rows["Calanus finmarhicus"]) == {}
    assert rows["Calanus finmarhicus"]["genus"] == "Calanus"
    assert rows["Gymnodinium"]["name_status"] == "no_match"
    assert given(rows["Gymnodinium"]) is None, "only a status was written"
    first = open_collection(classified).fingerprint
    apply_names(classified, review, backbone=backbone)
    assert lineages(classified) == rows
    assert open_collection(classified).fingerprint == first


def test_the_keys_of_names_do_not_change_when_they_are_applied(classified, backbone, tmp_path):
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    match_names(classified, backbone=backbone, out=before)
    apply_names(classified, before, backbone=backbone)
    match_names(classified, backbone=backbone, out=after)
    assert cells(before) == cells(after), (
        "the source's lineage is the context, not what was applied"
    )
    shown = {row["written_label"]: row for row in cells(after)}
    assert shown["Ctenophora"]["rank"] == "phylum"
    assert (
        shown["Gymnodinium"]["given_lineage"]
        == "kingdom: Chromista > phylum: Myzozoa > class: Dinophyceae"
    )


def test_a_review_can_be_corrected_and_applied_again(classified, backbone, tmp_path):
    review = tmp_path / "r.csv"
    match_names(classified, backbone=backbone, out=review)
    source = lineages(classified)
    apply_names(classified, review, backbone=backbone)
    edited(review, {
        "Calanus finmarhicus": {"decision": "Harpacticoida"},
        "Ctenophora": {"decision": "reject"},
        "detritus": {"decision": "not a taxon"},
    })  # fmt: skip
    report = apply_names(classified, review, backbone=backbone)
    assert report.outcomes["reviewed"] == report.outcomes["rejected"] == 1
    rows = lineages(classified)
    assert (rows["Calanus finmarhicus"]["order"], rows["Calanus finmarhicus"]["aphia_id"]) == (
        "Harpacticoida",
        "1102",
    )
    assert given(rows["Calanus finmarhicus"]) == {}
    assert rows["detritus"]["class"] is None
    assert given(rows["detritus"])["class"] == "Copepoda"
    edited(
        review, {"detritus": {"decision": "reject"}, "Calanus finmarhicus": {"decision": "reject"}}
    )
    apply_names(classified, review, backbone=backbone)
    for label in ("Ctenophora", "detritus", "Calanus finmarhicus"):
        row = lineages(classified)[label]
        assert {rank: row[rank] for rank in RANKS} == {rank: source[label][rank] for rank in RANKS}
        assert row["given_lineage"] is None
    assert lineages(classified)["Calanus finmarhicus"]["aphia_id"] is None, (
        "the id of a rejected taxon"
    )


def test_a_decision_without_records_is_told(collection, review, backbone):
    edited(review, {"Gymnodinium": {"decision": "Calanoida", "row_key": "k" + "0" * 16}})
    report = apply_names(collection, review, backbone=backbone)
    assert [(source, label) for _, source, label in report.decisions_without_records] == [
        ("net", "Gymnodinium")
    ]
    assert report.outcomes["not_in_review"] == 1
    assert open_collection(collection).manifest["steps"][-1]["decisions_without_records"] == 1


@pytest.mark.parametrize("line", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n', "sep=,\n", "sep=\t\n"])
def test_the_separator_line_of_a_spreadsheet_is_skipped(review, line):
    delimiter = line.strip('\r\n"')[-1]
    edited(review, {"Ctenophora": {"decision": "acept"}}, delimiter=delimiter)
    whole = len(read_review(review))
    review.write_bytes(b"\xef\xbb\xbf" + line.encode() + review.read_bytes())
    rows = read_review(review)
    assert len(rows) == whole == len(LABELS)
    assert next(row for row in rows if row.decision).number == 3, "counted as the file has it"


def test_a_count_that_a_spreadsheet_spoilt_is_no_failure(review):
    edited(review, {"Ctenophora": {"records": "4²"}})
    assert review_names(review).open_records == 4
