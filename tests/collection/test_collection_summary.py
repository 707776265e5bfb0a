"""The page of a collection: figures counted by hand, parts left out, hostile words, the same bytes."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import holotype
from holotype.collection.quality.check import check
from holotype.collection.rewrite import rewrite_records
from holotype.collection.store import open_collection
from holotype.collection.summary import classes, flows, measures
from holotype.collection.summary.keys import TALLIES
from holotype.collection.summary.make import summary
from holotype.collection.summary.tally import Tally, added_up, tallied
from page_reader import Reader

HEADER = (
    "id,image,label,kingdom,phylum,class,order,family,genus,species,kind,instrument,lat,lon,depth,date,"
    "licence,pixel,marker,barcode,qualifier"
)
COPEPOD = "Animalia,Arthropoda,Copepoda,Calanoida,Calanidae,Calanus,Calanus finmarchicus"
GLACIALIS = COPEPOD.replace("finmarchicus", "glacialis")
COLUMNS = {
    "record_id": "id", "image": "image", "written_label": "label", "kind": "kind",
    "instrument": "instrument", "latitude_deg": "lat", "longitude_deg": "lon", "depth_min_m": "depth",
    "collected_on": "date", "licence": "licence", "pixel_size_um": "pixel", "marker": "marker",
    "barcode": "barcode", "qualifier": "qualifier",
    **{rank: rank for rank in ("kingdom", "phylum", "class", "order", "family", "genus", "species")},
}  # fmt: skip
HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>'


def picture(path: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    pixels = rng.integers(190, 210, (40, 50), dtype=np.uint8)
    pixels[10:30, 10 + number : 30 + number] = 20
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def import_table(folder: Path, rows: list[str], *, source: str, images: int = 0) -> Path:
    for number in range(images):
        picture(folder / "images" / f"{number}.png", number)
    (folder / f"{source}.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    holotype.import_(
        "table", [folder / f"{source}.csv"], into=folder / "collection", source=source,
        columns=COLUMNS, images=folder / "images" if images else None,
    )  # fmt: skip
    return folder / "collection"


BASES = "ACGTTGCA" * 20
ROWS = {
    "net": [
        f"a,0.png,cal,{COPEPOD},living,UVP6,60.01,5.01,3,2019-05-01,CC-BY-4.0,100,,,",
        f"b,1.png,cal,{COPEPOD},living,UVP6,60.01,5.01,7,2019-06-01,CC-BY-4.0,100,,,",
        f"c,2.png,cal,{COPEPOD},living,ISIIS,,,,2020,CC-BY-4.0,,,,",
        "d,3.png,egg,Animalia,Arthropoda,Copepoda,,,,,living,ISIIS,,,,,CC0-1.0,,,,egg",
        "e,4.png,snow,,,,,,,,detritus,UVP6,,,150,,,,,,",
        "f,4.png,snow,,,,,,,,detritus,UVP6,,,150,,,,,,",
        "g,missing.png,,,,,,,,,,,,,,,,,,,",
    ],
    "tubes": [
        f"p,,,{COPEPOD},living,,,,,,,,COI-5P,{BASES},",
        f"q,,,{COPEPOD},living,,,,,,,,COI-5P,{BASES}A,",
        f"r,,,{GLACIALIS},living,,,,,,,,COI-5P,{BASES},",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources: images of three classes by two instruments, and barcodes of two species."""
    folder = tmp_path_factory.mktemp("known")
    import_table(folder, ROWS["net"], source="net", images=5)
    return import_table(folder, ROWS["tubes"], source="tubes")


def made(collection: Path, out: Path) -> tuple[dict[str, Any], Reader]:
    summary(collection, out=out)
    figures = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return figures, Reader((out / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shown(known: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Reader]:
    return made(known, tmp_path_factory.mktemp("out"))


def test_totals_are_those_counted_by_hand(shown: tuple[dict[str, Any], Reader]) -> None:
    figures, page = shown
    assert figures["totals"] == {
        "records": 9, "images": 6, "barcodes": 3, "sources": 2, "instruments": 2, "classes": 4,
        "taxa": {"kingdom": 1, "phylum": 1, "class": 1, "order": 1, "family": 1, "genus": 1, "species": 2},
    }  # fmt: skip
    assert "9 records from 2 sources, every item accounted for" in page.text


def test_the_ledger_adds_up_and_says_why(shown: tuple[dict[str, Any], Reader]) -> None:
    ledger = shown[0]["ledger"]
    assert (ledger["items"], ledger["records"], ledger["adds_up"]) == (10, 9, True)
    assert sum(row["items"] for row in ledger["rows"]) == 10
    assert {(r["source"], r["outcome"]): r["items"] for r in ledger["rows"]}["net", "rejected"] == 1


def test_a_ledger_that_does_not_add_up_is_said(known: Path, tmp_path: Path) -> None:
    copy = tmp_path / "collection"
    for path in known.rglob("*"):
        if path.is_file() and ".intake" not in path.parts:
            (copy / path.relative_to(known)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(known)).write_bytes(path.read_bytes())
    ledger = next((copy / "ledger").glob("*.parquet"))
    table = pq.read_table(ledger)
    pq.write_table(table.slice(1), ledger)
    figures, page = made(copy, tmp_path / "out")
    assert not figures["ledger"]["adds_up"]
    assert "a ledger that does not add up" in page.text


def test_classes_on_one_instrument_are_counted_and_marked(
    shown: tuple[dict[str, Any], Reader],
) -> None:
    found, page = shown[0]["classes"], shown[1]
    rows = {row["label"]: row for row in found["rows"]}
    assert list(rows) == ["Calanus finmarchicus", "snow", "Calanus glacialis", "Copepoda (egg)"]
    assert rows["Calanus finmarchicus"]["instruments"] == {"UVP6": 2, "ISIIS": 1}
    assert rows["Copepoda (egg)"] == {
        "label": "Copepoda (egg)", "rank": "class", "kind": "living", "records": 1, "images": 1,
        "barcodes": 0, "sources": {"net": 1}, "instruments": {"ISIIS": 1},
    }  # fmt: skip
    assert (rows["snow"]["rank"], rows["snow"]["kind"]) == (None, "detritus")
    assert (found["on_one_instrument"], found["with_instrument"]) == (2, 3)
    assert (found["on_one_instrument_records"], found["with_instrument_records"]) == (3, 6)
    assert "2 of 3 classes exist on one instrument only" in page.text
    assert "50.0 % of the records are of such a class" in page.text
    assert page.text.count("● one only") == 4  # of the commonest, and of those on one instrument


def test_flows_end_where_the_records_end(shown: tuple[dict[str, Any], Reader]) -> None:
    of = {(flow["source"], flow["rank"]): flow for flow in shown[0]["flows"]}
    assert of[None, "class"]["levels"] == ["source", "kind", "class"]
    assert of[None, "class"]["paths"] == [
        ["net", "living", "Copepoda", 4],
        ["tubes", "living", "Copepoda", 3],
        ["net", "detritus", "no taxon: detritus", 2],
    ]
    assert of["net", "order"]["levels"] == ["written label", "order"]
    assert of["net", "order"]["paths"] == [
        ["cal", "Calanoida", 3], ["snow", "no taxon: detritus", 2], ["egg", "no order named", 1],
    ]  # fmt: skip
    assert of["tubes", "order"]["levels"] == ["kind", "order"]


def test_many_names_are_added_up_under_one() -> None:
    number = 60
    names = [f"n{at:02}" for at in range(number)]
    table = pa.table(
        {
            "source": ["s"] * number, "kind": ["living"] * number, "written_label": names,
            "class": names, "label": names, "records": pa.array(range(1, number + 1), pa.int64()),
            **dict.fromkeys(("phylum", "order", "family"), names),
        }
    )  # fmt: skip
    (flow,) = (one for one in flows.flows(table) if one["rank"] == "class")
    assert sum(path[-1] for path in flow["paths"]) == number * (number + 1) // 2
    assert len({path[0] for path in flow["paths"]}) == flows.MOST_LABELS + 1
    assert len({path[1] for path in flow["paths"]}) == flows.MOST_TAXA + 1
    assert f"{number - flows.MOST_LABELS} other labels" in {path[0] for path in flow["paths"]}


def test_places_depths_times_and_why_they_are_missing(
    shown: tuple[dict[str, Any], Reader],
) -> None:
    figures, page = shown
    assert figures["places"]["records"] == 2
    assert [cell[2] for cell in figures["places"]["maps"][0]["cells"]] == [2]
    assert [(d["from_m"], d["to_m"], sum(d["records"].values())) for d in figures["depths"]] == [
        (2, 5, 1), (5, 10, 1), (10, 20, 0), (20, 50, 0), (50, 100, 0), (100, 200, 2),
    ]  # fmt: skip
    assert figures["times"] == {"years": {"2019": 2, "2020": 1}, "months": {"05": 1, "06": 1}}
    assert figures["origins"]["place_from"]["net"] == {"not_given": 4, "record": 2}
    assert "Place known of 22.2 % of the records, depth of 44.4 %, time of 33.3 %" in page.text


def test_sizes_are_in_micrometres_where_the_pixel_is_known(
    shown: tuple[dict[str, Any], Reader],
) -> None:
    sizes = shown[0]["sizes"]
    assert sum(n for _, n in sizes["um"]["UVP6"]) == 2
    assert {name: sum(n for _, n in curve) for name, curve in sizes["px"].items()} == {
        "UVP6": 2,
        "ISIIS": 2,
    }
    (middle,) = {point[0] for point in sizes["um"]["UVP6"] if point[1]}
    # a square of 20 px has the area of a disc of 22.6 px, here 2,257 um: in 1,778 to 2,371 um
    assert 1_778 < middle < 2_371
    (side,) = shown[0]["sides"]
    assert (side["least"], side["q50"], side["greatest"], side["images"]) == (50, 50, 50, 6)


def test_barcodes_sequences_and_species(shown: tuple[dict[str, Any], Reader]) -> None:
    found = shown[0]["barcodes"]
    assert found["markers"] == [
        {
            "marker": "COI-5P", "records": 3, "haplotypes": 2, "species": 2,
            "species_with_one_haplotype": 1, "median_haplotypes_per_species": 1.5,
            "haplotypes_of_several_species": 1, "lengths_bp": {"160": 2, "161": 1},
        }
    ]  # fmt: skip
    assert "3 barcodes, 2 different sequences, 1 of them under several species" in shown[1].text


def test_licences_and_ranks(shown: tuple[dict[str, Any], Reader]) -> None:
    figures, page = shown
    assert figures["licences"]["records"] == {"not stated": 5, "CC-BY-4.0": 3, "CC0-1.0": 1}
    assert "55.6 % of the records state no licence" in page.text
    assert figures["ranks"]["living"] == {"net": 4, "tubes": 3}
    assert figures["ranks"]["named"]["species"] == {"net": 3, "tubes": 3}
    assert "85.7 % of the living records are named to species" in page.text


def test_the_tail(shown: tuple[dict[str, Any], Reader]) -> None:
    tail = shown[0]["tail"]
    assert [point[1] for point in tail["curve"]] == [5, 2, 1, 1]
    assert (tail["half_of_records_in"], tail["one_record"], tail["below_10_records"]) == (1, 2, 4)


def test_pictures_are_of_their_class_and_described(shown: tuple[dict[str, Any], Reader]) -> None:
    figures, page = shown
    pictured = {
        one["label"]: [p["record_id"] for p in one["pictures"]] for one in figures["gallery"]
    }
    assert {label: sorted(ids) for label, ids in pictured.items()} == {
        "Calanus finmarchicus": ["net/a", "net/b", "net/c"],
        "snow": ["net/e", "net/f"],
        "Copepoda (egg)": ["net/d"],
    }
    images = [attrs for tag, attrs in page.elements if tag == "img"]
    assert len(images) == 6
    assert all(str(one["src"]).startswith("data:image/") for one in images)
    assert {one["alt"] for one in images} >= {"Copepoda (egg), ISIIS", "snow, UVP6"}


def test_findings_of_a_check_and_their_age(known: Path, tmp_path: Path) -> None:
    figures, page = made(known, tmp_path / "before")
    assert (figures["problems"]["checked"], figures["problems"]["checks"]) == ("never", [])
    assert figures["problems"]["at_import"]["identical_images"] == 1
    assert "Not checked yet" in page.text
    report = check(known)
    try:
        figures, page = made(known, tmp_path / "after")
    finally:
        (known / "findings.parquet").unlink()
    assert figures["problems"]["checked"] == "now"
    assert sum(one["findings"] for one in figures["problems"]["checks"]) == sum(
        report.findings.values()
    )


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    rows = [f"p,,,{COPEPOD},living,,,,,,,,COI-5P,{BASES},"]
    figures, page = made(import_table(tmp_path, rows, source="tubes"), tmp_path / "out")
    assert page.sections == [
        "collection", "names", "tree", "tail", "barcodes", "known", "licences", "problems", "built",
    ]  # fmt: skip
    assert (figures["places"], figures["times"], figures["depths"], figures["gallery"]) == (
        None,
        None,
        [],
        [],
    )
    links = {attrs["href"] for tag, attrs in page.elements if tag == "a"}
    assert links == {"#content", *(f"#{name}" for name in page.sections)}


def test_a_collection_of_nothing_is_still_a_page(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,image\na,none.png\n")
    holotype.import_(
        "table", [tmp_path / "t.csv"], into=tmp_path / "c", source="t",
        columns={"record_id": "id", "image": "image"},
    )  # fmt: skip
    figures, page = made(tmp_path / "c", tmp_path / "out")
    assert (figures["totals"]["records"], figures["ledger"]["items"]) == (0, 1)
    assert page.sections == ["collection", "problems", "built"]


def test_one_instrument_is_said_and_nothing_is_called_confounded(tmp_path: Path) -> None:
    rows = [f"a,0.png,cal,{COPEPOD},living,UVP6,,,,,,,,,"]
    figures, page = made(import_table(tmp_path, rows, source="net", images=1), tmp_path / "out")
    assert figures["classes"]["on_one_instrument"] is None
    assert "One instrument only: UVP6" in page.text
    assert "barcodes" not in page.sections


def test_nothing_is_loaded_from_outside_and_the_page_is_sound(
    shown: tuple[dict[str, Any], Reader],
) -> None:
    page = shown[1]
    for tag, attrs in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "action", "srcset", "data"):
            assert attrs.get(name) is None or str(attrs[name]).startswith(("#", "data:image/"))
    policy = next(a for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert str(policy["content"]).startswith("default-src 'none'")
    ids = [str(attrs["id"]) for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_hostile_words_are_inert(tmp_path: Path) -> None:
    said = HOSTILE.replace('"', '""')
    rows = [
        f'a,0.png,"{said}",Animalia,"{said}",,,,,"{said}",living,"{said}",60,5,3,2019,"{said}",,,,',
        f'b,1.png,"{said}",Animalia,"{said}",,,,,"{said}",living,UVP6,60,5,3,2019,"{said}",,"{said}",{BASES},',
    ]
    figures, page = made(import_table(tmp_path, rows, source="net", images=2), tmp_path / "out")
    assert any(HOSTILE in str(row["label"]) for row in figures["classes"]["rows"])
    scripts = [attrs.get("type") for tag, attrs in page.elements if tag == "script"]
    assert scripts.count(None) == 3
    assert not [a for _, a in page.elements if "onerror" in a or a.get("src") == "x"]
    assert "<img" not in json.dumps(page.json)


def test_the_same_collection_gives_the_same_bytes(known: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        summary(known, out=tmp_path / name)
    for name in ("index.html", "summary.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_no_missing_word_and_no_path_of_this_machine_is_written(
    shown: tuple[dict[str, Any], Reader], known: Path
) -> None:
    figures, page = shown
    for wrong in ("None", "nan", "NaN", "null"):
        assert not re.search(rf"\b{wrong}\b", page.text)
    assert str(known.parent) not in json.dumps(figures)


def test_counting_in_parts_is_counting_at_once(tiny_collection: Path) -> None:
    collection = open_collection(tiny_collection)
    whole = tallied(collection, TALLIES)
    assert all(table["records"].to_pylist() for table in whole.values() if table.num_rows)
    assert sum(whole["taxa"]["records"].to_pylist()) == len(collection)
    rows = pa.table({"key": ["b", "a", "b", None], "n": [1, 2, 3, 4], "records": [1, 1, 1, 1]})
    tally = Tally(("key",), lambda table: table, sums=("n",))
    halves = pa.concat_tables([added_up(rows.slice(0, 2), tally), added_up(rows.slice(2), tally)])
    for found in (added_up(rows, tally), added_up(halves, tally)):
        got = {row["key"]: (row["n"], row["records"]) for row in found.to_pylist()}
        assert got == {"b": (4, 2), "a": (2, 1), None: (4, 1)}


def test_a_further_rank_narrower_than_the_linnaean_ones_is_the_class(tmp_path: Path) -> None:
    lines = [
        "id,subfamily,family,genus", "a,Chironominae,Chironomidae,", "b,,Chironomidae,",
        "c,Chironominae,Chironomidae,Chironomus",
    ]  # fmt: skip
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    holotype.import_(
        "table", [tmp_path / "t.csv"], into=tmp_path / "c", source="t",
        columns={"record_id": "id", "family": "family", "genus": "genus", "rank:subfamily": "subfamily"},
    )  # fmt: skip
    taxa = tallied(open_collection(tmp_path / "c"), {"taxa": TALLIES["taxa"]})["taxa"]
    found = {(row["label"], row["rank"]) for row in classes.classes(taxa)["rows"]}
    assert found == {
        ("Chironominae", "subfamily"),
        ("Chironomidae", "family"),
        ("Chironomus", "genus"),
    }


def test_quantiles_are_values_that_occur() -> None:
    table = pa.table({"source": ["s"] * 4, "side_px": [10, 20, 30, 40], "records": [5, 45, 45, 5]})
    (row,) = measures.sides(table)
    assert (row["q05"], row["q50"], row["q95"]) == (10, 20, 30)


def test_the_map_coarsens_until_it_can_be_drawn() -> None:
    rng = np.random.default_rng(0)
    number = 5_000
    table = pa.table(
        {
            "source": ["s"] * number,
            "latitude": pa.array(rng.integers(-9_000, 9_000, number), pa.int32()),
            "longitude": pa.array(rng.integers(-18_000, 18_000, number), pa.int32()),
            "records": pa.array([1] * number, pa.int64()),
        }
    )
    found = measures.places(table)
    assert found is not None
    cells = found["maps"][0]["cells"]
    assert sum(cell[2] for cell in cells) == number
    assert all(-90 <= cell[0] <= 90 and -180 <= cell[1] <= 180 for cell in cells)
    assert found["cell_deg"] >= 2


def test_poles_and_the_date_line_are_on_the_map() -> None:
    ends = {"latitude_deg": [90.0, -90.0, None], "longitude_deg": [180.0, -180.0, 3.0]}
    found = TALLIES["places"].keys(pa.table({"source": ["s"] * 3, **ends}))
    assert found.to_pylist() == [
        {"source": "s", "latitude": 8_999, "longitude": 17_999},
        {"source": "s", "latitude": -9_000, "longitude": -18_000},
    ]


def test_what_was_joined_from_grids_is_said_with_its_range(tmp_path: Path) -> None:
    rows = [f"{name},,cal,{COPEPOD},living,,60,5,3,2019-05-01,,,,," for name in "abc"]
    place = import_table(tmp_path, rows, source="net")

    def joined(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index("environment")
        value = {
            "variable": "temperature",
            "unit": "degC",
            "grid": "g.nc",
            "depth_difference_m": None,
        }
        values = [
            [{**value, "value": 4.5, "distance_km": 2.0}],
            [{**value, "value": 9.0, "distance_km": 7.0}],
            None,
        ]
        return table.set_column(
            at, table.schema.field(at), pa.array(values, table.schema.field(at).type)
        )

    rewrite_records(
        place, joined, step={"step": "environment", "variables": {"temperature": ["g.nc", "to"]}}
    )
    figures, page = made(place, tmp_path / "out")
    assert figures["environment"] == [
        {
            "variable": "temperature", "unit": "degC", "grid": "g.nc", "records": 2, "of": 3,
            "value_min": 4.5, "value_max": 9.0, "distance_km_min": 2.0, "distance_km_max": 7.0,
        }
    ]  # fmt: skip
    assert "temperature degC g.nc 2 66.7 % 4.5 to 9 7.0" in page.text
    assert "Made of 1 import and 1 step after them" in page.text


@pytest.mark.real
def test_the_isiis_images_are_all_on_one_instrument(real_data: Path, tmp_path: Path) -> None:
    holotype.import_(
        "image-folder", [real_data / "plankton" / "uvp6" / "images"], into=tmp_path / "c", source="uvp6net",
        labels=real_data / "taxonomy" / "planktonzilla_taxonomy.csv", constants={"instrument": "UVP6"},
    )  # fmt: skip
    holotype.import_(
        "table", [real_data / "plankton" / "ifcb" / "labels.csv"], into=tmp_path / "c", source="ifcb",
        preset="crops", images=real_data / "plankton" / "ifcb",
    )  # fmt: skip
    report = summary(tmp_path / "c", out=tmp_path / "out")
    assert (report.records, report.sources, report.adds_up) == (1_290, 2, True)
    assert (tmp_path / "out" / "index.html").stat().st_size < 8e6
