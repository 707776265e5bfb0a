"""Backbones: what each reader takes from its source, and what is counted where the source is wrong."""

import io
import json
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.assemble import assemble
from holotype.taxonomy.backbone.build import build_backbone
from holotype.taxonomy.backbone.lineages import rows_of_lineages
from holotype.taxonomy.backbone.schema import COLUMNS, RAW_COLUMNS, RAW_SCHEMA
from holotype.taxonomy.backbone.store import open_backbone
from holotype.taxonomy.lineage import Lineage, Rank

ROWS = [
    # taxon_id, accepted, parent, name, rank, status
    ("1", None, None, "Animalia", "kingdom", "accepted"),
    ("2", None, "1", "Arthropoda", "phylum", "accepted"),
    ("3", None, "2", "Crustacea", "Subphylum", "accepted"),
    ("4", None, "3", "Copepoda", "class", "accepted"),
    ("5", None, "4", "Calanus", "genus", "accepted"),
    ("6", None, "5", "Calanus finmarchicus (Gunnerus, 1770)", "species", "accepted"),
    ("7", "6", "5", "Monoculus finmarchicus Gunnerus, 1770", "species", "synonym"),
    ("8", "7", None, "Calanus sanguineus", "species", "junior synonym"),
]


def raw_table(rows):
    dicts = []
    for taxon_id, accepted, parent, name, rank, status in rows:
        row = dict.fromkeys(RAW_COLUMNS)
        row |= {"taxon_id": taxon_id, "accepted_id": accepted, "parent_id": parent, "written_name": name,
                "rank_written": rank, "status_written": status}  # fmt: skip
        dicts.append(row)
    return pa.Table.from_pylist(dicts, schema=RAW_SCHEMA)


def by_id(table):
    return {row["taxon_id"]: row for row in table.to_pylist()}


def test_names_pointers_and_lineages():
    table, problems = assemble(raw_table(ROWS))
    assert problems == {}
    rows = by_id(table)
    assert rows["6"]["name"] == "Calanus finmarchicus"
    assert rows["6"]["authorship"] == "(Gunnerus, 1770)"
    assert rows["6"]["class"] == "Copepoda"
    assert rows["6"]["species"] == "Calanus finmarchicus"
    assert rows["3"]["rank"] == "subphylum"
    assert rows["7"]["status"] == rows["8"]["status"] == "synonym"
    assert rows["8"]["accepted_id"] == "6", (
        "a synonym of a synonym stands for what that one stands for"
    )
    assert rows["8"]["genus"] == "Calanus"
    assert [row["key"] for row in table.to_pylist()] == sorted(
        row["key"] for row in table.to_pylist()
    )
    assert table.schema.names == [column.name for column in COLUMNS]


def test_faults_are_counted_and_kept():
    faults = [
        *ROWS,
        ("6", None, "5", "Calanus glacialis", "species", "accepted"),
        ("9", None, "404", "Metridia", "genus", "accepted"),
        ("10", "405", None, "Metridia longa", "species", "synonym"),
        ("11", None, "12", "Pareuchaeta", "genus", "accepted"),
        ("12", None, "11", "Euchaetidae", "family", "accepted"),
        ("13", None, "4", "Oithona", "wonder", "accepted"),
        ("14", None, "4", None, "genus", "accepted"),
        (None, None, "4", "Temora", "genus", "accepted"),
        ("15", None, None, "Lost", "genus", "synonym"),
        ("16", "17", None, "Round", "genus", "synonym"),
        ("17", "16", None, "Rounder", "genus", "synonym"),
    ]
    table, problems = assemble(raw_table(faults))
    assert problems == {
        "accepted_taxon_missing": 1,
        "cycle": 1,
        "duplicate_id": 1,
        "no_id_or_name": 2,
        "no_lineage": 4,  # what stands for nothing: rows 10, 15, 16 and 17
        "orphan": 1,
        "synonym_cycle": 2,
        "synonym_without_accepted": 1,
        "unknown_rank": 1,
    }
    rows = by_id(table)
    assert table.num_rows == len(faults) - 3
    assert rows["6"]["name"] == "Calanus finmarchicus", "the first of two rows with one id counts"
    assert rows["10"]["accepted_row"] == rows["16"]["accepted_row"] == -1
    assert rows["13"]["rank"] is None
    assert rows["13"]["rank_written"] == "wonder"
    assert (rows["11"]["parent_row"] == -1) != (rows["12"]["parent_row"] == -1), (
        "one pointer is cut"
    )


def test_nothing_usable_is_an_error():
    with pytest.raises(TaxonomyError, match="no row has both an id and a name"):
        assemble(raw_table([(None, None, None, "x", None, None)]))


META = """<archive xmlns="http://rs.tdwg.org/dwc/text/">
 <core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy=""
  ignoreHeaderLines="1"
  rowType="http://rs.tdwg.org/dwc/terms/Taxon"><files><location>taxon.txt</location></files><id index="0"/>
  <field index="0" term="http://rs.tdwg.org/dwc/terms/taxonID"/>
  <field index="1" term="http://rs.tdwg.org/dwc/terms/acceptedNameUsageID"/>
  <field index="2" term="http://rs.tdwg.org/dwc/terms/parentNameUsageID"/>
  <field index="3" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
  <field index="4" term="http://rs.tdwg.org/dwc/terms/scientificNameAuthorship"/>
  <field index="5" term="http://rs.tdwg.org/dwc/terms/taxonRank"/>
  <field index="6" term="http://rs.tdwg.org/dwc/terms/taxonomicStatus"/>
  <field default="Animalia" term="http://rs.tdwg.org/dwc/terms/kingdom"/></core>
 <extension encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy=""
  ignoreHeaderLines="1"
  rowType="http://rs.gbif.org/terms/1.0/SpeciesProfile"><files><location>profile.txt</location></files>
  <coreid index="0"/>
  <field index="1" term="http://rs.gbif.org/terms/1.0/isMarine"/><field index="2" term="http://rs.gbif.org/terms/1.0/isExtinct"/>
  <field index="3" term="http://rs.gbif.org/terms/1.0/isFreshwater"/></extension></archive>"""
LSID = "urn:lsid:marinespecies.org:taxname:"
TAXA = f"""id	acc	parent	name	author	rank	status
{LSID}1080	{LSID}1080		Copepoda	Milne Edwards, 1840	Class	accepted
{LSID}104152	{LSID}104152	{LSID}1080	Calanus	Leach, 1816	Genus	accepted
{LSID}104464	{LSID}104464	{LSID}104152	Calanus finmarchicus	(Gunnerus, 1770)	Species	accepted
{LSID}9	{LSID}104464	{LSID}104152	Calanus septentrionalis	Goodsir, 1843	Species	unaccepted
short row
"""
PROFILE = f"id\tm\te\tf\n{LSID}104464\t1\t0\t0\n{LSID}1080\t1\t\t1\n"


@pytest.fixture
def worms(tmp_path):
    folder = tmp_path / "worms"
    folder.mkdir()
    for name, text in (("meta.xml", META), ("taxon.txt", TAXA), ("profile.txt", PROFILE)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_worms_by_its_meta_file(worms, tmp_path):
    out = tmp_path / "worms.parquet"
    report = build_backbone("worms", worms, out=out, version="2024-05-01")
    assert (report.names, dict(report.statuses)) == (4, {"accepted": 3, "synonym": 1})
    assert dict(report.problems) == {"row_of_other_width": 1}
    rows = by_id(pq.read_table(out))
    species = rows["104464"]
    assert species["aphia_id"] == "104464"
    assert (species["environment"], species["is_extinct"]) == ("marine", False)
    assert rows["1080"]["environment"] == "marine;freshwater"
    assert rows["1080"]["is_extinct"] is None
    assert species["kingdom"] == "Animalia", "a default of meta.xml"
    assert (species["class"], species["authorship"]) == ("Copepoda", "(Gunnerus, 1770)")
    assert (rows["9"]["accepted_id"], rows["9"]["status"]) == ("104464", "synonym")
    origin = json.loads(pq.read_schema(out).metadata[b"holotype"])
    assert (origin["format"], origin["kind"], origin["snapshot"], origin["names"]) == (
        "holotype-backbone", "worms", "2024-05-01", 4,
    )  # fmt: skip
    assert open_backbone(out).name == "worms 2024-05-01"


def test_a_zip_and_a_folder_are_the_same(worms, tmp_path):
    archive = tmp_path / "worms.zip"
    with zipfile.ZipFile(archive, "w") as handle:
        for path in worms.iterdir():
            handle.write(path, f"sub/{path.name}")
    one, other = tmp_path / "1.parquet", tmp_path / "2.parquet"
    build_backbone("worms", worms, out=one)
    build_backbone("worms", archive, out=other)
    assert pq.read_table(one).equals(pq.read_table(other))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "meta.xml").unlink(), "no meta.xml in it. Name the archive"),
        (lambda folder: (folder / "meta.xml").write_text(META.replace("terms/Taxon", "terms/Occurrence")),
         "the core is Occurrence, not Taxon"),
        (lambda folder: (folder / "meta.xml").write_text("<archive><core>"), "meta.xml: "),
        (lambda folder: (folder / "meta.xml").write_text('<!DOCTYPE a [<!ENTITY x "y">]><archive/>'),
         "not a plain"),
        (lambda folder: (folder / "meta.xml").write_bytes("<!ENTITY".encode("utf-16")),
         "not a plain"),
        (lambda folder: (folder / "taxon.txt").unlink(), "names no core file that is there"),
    ],
)  # fmt: skip
def test_archives_that_cannot_be_read(worms, tmp_path, change, said):
    change(worms)
    with pytest.raises(TaxonomyError, match="worms") as caught:
        build_backbone("worms", worms, out=tmp_path / "x.parquet")
    assert said in str(caught.value)
    assert not (tmp_path / "x.parquet").exists()


NODES = [
    (1, 1, "no rank"),
    (33208, 1, "kingdom"),
    (6656, 33208, "phylum"),
    (6833, 6656, "class"),
    (6837, 6833, "genus"),
]
NAMES = [
    (1, "root", "scientific name"), (33208, "Metazoa", "scientific name"),
    (6656, "Arthropoda", "scientific name"), (6833, "Copepoda", "scientific name"),
    (6833, "copepods", "common name"), (6837, "[Calanus]", "scientific name"),
    (6837, "[Calanus] Leach 1816", "authority"), (6837, "Calannus", "misspelling"),
    (99, "Nobody", "scientific name"),
]  # fmt: skip
MERGED = [(100, 6837), (101, 555)]


def dump(rows):
    return "".join("\t|\t".join(str(cell) for cell in row) + "\t|\n" for row in rows)


@pytest.fixture
def taxdump(tmp_path):
    path = tmp_path / "taxdump.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        names = [(taxon, name, "", kind) for taxon, name, kind in NAMES]
        for file, rows in (("nodes.dmp", NODES), ("names.dmp", names), ("merged.dmp", MERGED)):
            content = dump(rows).encode()
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_ncbi_with_merged_ids(taxdump, tmp_path):
    out = tmp_path / "ncbi.parquet"
    report = build_backbone("ncbi", taxdump, out=out)
    rows = by_id(pq.read_table(out))
    assert rows["6837"]["name"] == "Calanus"
    assert rows["6837"]["authorship"] == "Leach 1816"
    assert (rows["100"]["accepted_id"], rows["100"]["name"]) == ("6837", "Calanus")
    assert rows["101"]["accepted_row"] == -1
    assert report.problems["accepted_taxon_missing"] == 1
    assert report.problems["name_without_node"] == 1
    backbone = open_backbone(out)
    assert {backbone.accepted_taxon(row).name for row in backbone.rows_of("calannus")} == {
        "Calanus"
    }
    assert backbone.accepted_taxon(backbone.rows_of_id("100")[0]).taxon_id == "6837"
    assert "copepods" not in pq.read_table(out)["key"].to_pylist()
    assert (
        backbone.taxon(backbone.rows_of("calanus")[0]).lineage.text()
        == "Metazoa Arthropoda Copepoda Calanus"
    )


def test_coldp_name_usages(tmp_path):
    folder = tmp_path / "col"
    folder.mkdir()
    (folder / "NameUsage.tsv").write_text(
        "col:ID\tcol:parentID\tcol:status\tcol:scientificName\tcol:authorship\tcol:rank\tcol:extinct\n"
        "A\t\taccepted\tAnimalia\t\tkingdom\t\nB\tA\taccepted\tInoceramidae\tGiebel, 1852\tfamily\ttrue\n"
        "C\tB\tsynonym\tCladoceramidae\t\tfamily\t\nD\tB\tambiguous synonym\tX-idae\t\tfamily\t\n"
    )
    report = build_backbone("coldp", folder, out=tmp_path / "c.parquet", name="COL", version="24.5")
    rows = by_id(pq.read_table(tmp_path / "c.parquet"))
    assert rows["B"]["is_extinct"] is True
    assert rows["C"]["accepted_id"] == rows["D"]["accepted_id"] == "B"
    assert dict(report.statuses) == {"accepted": 2, "synonym": 2}
    assert open_backbone(tmp_path / "c.parquet").name == "COL 24.5"


def test_two_placements_of_one_taxon_are_one_taxon():
    def lineage(order):
        return Lineage.from_names(
            {"kingdom": "Animalia", "phylum": "Mollusca", "order": order, "genus": "Limacina"}
        )

    raw, problems = rows_of_lineages(
        [(lineage("Pteropoda"), ()), (lineage("Pteropoda"), ()), (lineage("Thecosomata"), ())]
    )
    assert problems == {"two_parents": 1}
    table, _ = assemble(raw)
    genera = [row for row in table.to_pylist() if row["rank"] == "genus"]
    assert [(row["name"], row["order"]) for row in genera] == [("Limacina", "Pteropoda")]


def test_other_files_are_no_backbones(tmp_path):
    path = tmp_path / "x.parquet"
    with pytest.raises(TaxonomyError, match="no such file"):
        open_backbone(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(TaxonomyError, match="not a backbone"):
        open_backbone(path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(TaxonomyError, match="not a backbone"):
        open_backbone(path)
    later = pa.table({"a": [1]}).replace_schema_metadata(
        {"holotype": json.dumps({"format": "holotype-backbone", "version": 99})}
    )
    pq.write_table(later, path)
    with pytest.raises(
        TaxonomyError, match="version 99; this Holotype reads holotype-backbone version 1"
    ):
        open_backbone(path)
    with pytest.raises(TaxonomyError, match="no kind of backbone 'worm'"):
        build_backbone("worm", path, out=tmp_path / "y.parquet")


@pytest.mark.real
def test_the_real_coldp_sample(real_data, tmp_path):
    out = tmp_path / "c.parquet"
    report = build_backbone("coldp", real_data / "formats/coldp/normalised-authors", out=out)
    assert (report.names, dict(report.statuses)) == (23, {"accepted": 20, "synonym": 3})
    backbone = open_backbone(out)
    taxon = (
        backbone.taxon(backbone.rows_of("poa annua")[0]) if backbone.rows_of("poa annua") else None
    )
    genus = backbone.taxon(backbone.rows_of("cleistogenes")[0])
    assert genus.lineage.name_at(Rank.SUBTRIBE) == "Poinae", "ranks between the seven are kept"
    assert taxon is None or taxon.lineage.name_at(Rank.KINGDOM) == "Plantae"


@pytest.mark.real
def test_the_real_bold_samples(real_data, tmp_path):
    report = build_backbone(
        "bold", real_data / "formats/bold/coidb/info.tsv", out=tmp_path / "b.parquet"
    )
    assert report.names == 22
    backbone = open_backbone(tmp_path / "b.parquet")
    human = backbone.taxon(backbone.rows_of("homo sapiens")[0])
    assert dict(human.ids)["bold_id"] == "12439"
    assert human.lineage.name_at(Rank.SUBFAMILY) == "Homininae"
    assert "None" not in pq.read_table(tmp_path / "b.parquet")["name"].to_pylist()


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["dwca-2extensions.zip", "dwca-ids.zip", "dwca-star-test-archive.zip"]
)
def test_real_archives_with_taxa(real_data, tmp_path, name):
    path = real_data / "formats/dwca/python_dwca_reader" / name
    report = build_backbone("dwca", path, out=tmp_path / "d.parquet")
    assert report.problems["no_scientific_name"] == 4
    backbone = open_backbone(tmp_path / "d.parquet")
    assert (
        backbone.taxon(backbone.rows_of("struthio")[0]).lineage.name_at(Rank.ORDER)
        == "Struthioniformes"
    )


@pytest.mark.real
def test_a_label_table_is_a_backbone(real_data, tmp_path):
    build_backbone(
        "lineages", real_data / "taxonomy/planktonzilla_taxonomy.csv", out=tmp_path / "l.parquet"
    )
    backbone = open_backbone(tmp_path / "l.parquet")
    ranks = {backbone.taxon(row).rank for row in backbone.rows_of("ctenophora")}
    assert ranks == {Rank.PHYLUM, Rank.GENUS}, "both taxa of that name are there"


def test_a_collection_is_a_backbone(tiny_collection, tmp_path):
    from holotype.collection.store import open_collection

    report = build_backbone("lineages", tiny_collection, out=tmp_path / "c.parquet")
    species = set(open_collection(tiny_collection).columns(["species"])["species"].to_pylist()) - {
        None
    }
    backbone = open_backbone(tmp_path / "c.parquet")
    assert report.names > len(species) > 5
    for name in species:
        (row,) = backbone.rows_of(name.lower())
        assert backbone.taxon(row).lineage.name_at(Rank.KINGDOM)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'ignoreHeaderLines="1"',
            'ignoreHeaderLines="\u00b2"',
            "ignoreHeaderLines is '\u00b2', no whole number",
        ),
        ('ignoreHeaderLines="1"', 'ignoreHeaderLines="-1"', "ignoreHeaderLines is '-1'"),
        ('<id index="0"', '<id index="\u0663"', "id index is '\u0663', no whole number"),
        ('<id index="0"', '<id index="999999999"', "index 999999999, but the table has"),
        ('<field index="1"', '<field index="\u00b9"', "is '\u00b9', no whole number"),
        ('<field index="1"', '<field index="999999999"', "index 999999999, but the table has"),
        ('<field index="1"', '<field index="99999999999"', "is '99999999999', no whole number"),
    ],
)
def test_numbers_of_a_meta_file_are_checked(worms, tmp_path, old, new, said):
    assert old in META
    (worms / "meta.xml").write_text(META.replace(old, new), encoding="utf-8")
    with pytest.raises(TaxonomyError, match=r"meta\.xml") as caught:
        build_backbone("worms", worms, out=tmp_path / "w.parquet")
    assert said in str(caught.value)
