"""The catalogue: every shipped source is sound, own ones are read strictly, nothing is filled in."""

import csv
import json
import re
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from holotype.catalogue.fetched import FORMAT, VERSION, FetchedFile
from holotype.catalogue.instruments import find_instrument, instruments
from holotype.catalogue.listing import list_sources, show_source
from holotype.catalogue.public_source import (
    Expected,
    How,
    Hub,
    Kind,
    Layout,
    OnDemand,
    PublicFile,
    Source,
    StatedLicence,
    Subject,
    Where,
)
from holotype.catalogue.sizes import parse_bytes, told_bytes
from holotype.catalogue.sources import catalogue, read_source, shipped_sources
from holotype.errors import SourceError

SOURCES = shipped_sources()
PLANKTONZILLA = {
    "global_uvp5", "whoi", "jedioceans", "zooscan", "zoocamnet", "uvp6net", "isiisnet", "flowcamnet",
    "planktoscope", "medplanktonset", "syke_ifcb_2022", "planktonset1.0", "sykezooscan2024", "zoolake",
    "lensless",
}  # fmt: skip
ADDED_LATER = {
    "frepj", "daplankton", "tara_pacific_bongo", "tara_pacific_decknet", "tara_pacific_hsn",
    "tara_pacific_manta",
}  # fmt: skip
OTHERS = {
    "bioscan-1m", "bioscan-5m", "inat21", "rare-species", "pr2", "silva-ssu", "midori2", "metazoogene",
    "bold-public",
}  # fmt: skip

OWN = """
name = "my-lab"
title = "Crops of my laboratory"
kind = "images"
how = "direct"
page = "http://localhost/my"
citation = "My laboratory, 2026"
[[licences]]
of = "images"
written = "CC BY 4.0"
stated_at = "README"
[[files]]
name = "crops.zip"
urls = ["http://localhost:9/crops.zip"]
[layout]
reads_as = "image-folder"
"""


def test_the_sources_that_were_asked_for_are_there():
    assert set(SOURCES) == PLANKTONZILLA | ADDED_LATER | OTHERS
    assert list(SOURCES) == sorted(SOURCES)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_source_says_whose_it_is_and_what_may_be_done(source):
    assert source.citation
    assert source.page.startswith("https://")
    assert re.fullmatch(r"10\.\d{4,}/\S+", source.doi or "10.1234/x")
    content = Subject.BARCODES if source.kind is Kind.BARCODES else Subject.IMAGES
    assert content in {row.of for row in source.licences}, "say that it is not stated, if it is not"
    for row in source.licences:
        # What is written is understood, but for the one source that writes "other".
        assert row.written in {None, "other"} or row.licence.id is not None
        assert row.written is not None or row.note, "say why there is none"
    assert source.content_licence.id != "MIT"


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_addresses_are_secure_and_numbers_agree(source):
    for file in source.files:
        assert all(url.startswith("https://") for url in file.urls)
        assert not (file.bytes and file.about_bytes)
    expected = source.expected
    assert (expected.living_images or 0) <= (expected.images or 10**12)
    if source.how is How.MANUAL:
        assert not any(file.urls for file in source.files)


def test_the_conflicts_that_are_known_are_noted():
    assert SOURCES["whoi"].content_licence.id is None
    assert "mit" in SOURCES["whoi"].licence_conflict
    assert SOURCES["zoolake"].content_licence.id == "CC0-1.0"
    assert SOURCES["planktonset1.0"].content_licence.id is None
    assert "NC" in SOURCES["planktonset1.0"].licence_conflict
    assert SOURCES["rare-species"].content_licence.id is None
    assert SOURCES["rare-species"].licence_of(Subject.COMPILATION).id == "CC0-1.0"


def test_places_are_given_only_where_one_holds_for_all():
    fixed = {name for name, source in SOURCES.items() if source.where and source.where.latitude_deg}
    assert fixed == {"jedioceans"}
    where = SOURCES["jedioceans"].where
    assert (where.latitude_deg, where.longitude_deg, where.depth_m) == (34.682718, 139.444779, 20)


@pytest.mark.real
def test_expected_classes_are_those_of_the_taxonomy(real_data):
    path = real_data / "taxonomy" / "planktonzilla_taxonomy.csv"
    with path.open(encoding="utf-8-sig", newline="") as rows:
        counted = Counter(row["Dataset"] for row in csv.DictReader(rows))
    assert {name: SOURCES[name].expected.classes for name in PLANKTONZILLA} == dict(counted)


def test_the_images_of_the_fifteen_add_up_to_the_published_total():
    assert sum(SOURCES[name].expected.images for name in PLANKTONZILLA) == 17_404_047
    living = sum(SOURCES[name].expected.living_images for name in PLANKTONZILLA)
    assert living == 3_825_388


def test_instruments_have_terms_where_there_are_any():
    assert (
        find_instrument("IFCB").uri == "https://vocab.nerc.ac.uk/collection/L22/current/TOOL1588/"
    )
    assert find_instrument("ISIIS-2").uri is None
    assert all(re.fullmatch(r"TOOL\d{4}", row.l22 or "TOOL0000") for row in instruments().values())
    terms = [row.l22 for row in instruments().values() if row.l22]
    assert len(terms) == len(set(terms))
    with pytest.raises(SourceError, match="Did you mean 'ZooScan'"):
        find_instrument("ZoScan")


def test_an_own_source_is_read_and_wins(tmp_path):
    (tmp_path / "a.toml").write_text(OWN)
    (tmp_path / "b.toml").write_text(OWN.replace('"my-lab"', '"zoolake"'), encoding="utf-8-sig")
    found = catalogue([tmp_path])
    assert found["my-lab"].files[0].urls == ("http://localhost:9/crops.zip",)
    assert found["zoolake"].title == "Crops of my laboratory"
    assert set(found) == {*SOURCES, "my-lab"}
    with pytest.raises(SourceError, match="another source 'my-lab'"):
        catalogue([tmp_path, tmp_path / "a.toml"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title =", "titel =", "unknown key 'titel'. Did you mean 'title'"),
        ("stated_at", "stated_on", "unknown key 'licences.0.stated_on'"),
        ('kind = "images"', 'kind = "pictures"', "kind: Input should be 'images'"),
        ('urls = ["http', 'urls = ["ftp', "is no http(s) address"),
        ('name = "crops.zip"', 'name = "../crops.zip"', "is no path below a folder"),
        ('name = "crops.zip"', 'name = "crops.zip"\nsha256 = "12"', "sha256: String should match"),
        ('name = "crops.zip"', 'name = "crops.zip"\nbytes = 0', "bytes: Input should be greater"),
        ('how = "direct"', 'how = "manual"', 'how = "manual" needs instructions'),
        ('how = "direct"', 'how = "hub"', 'how = "hub" needs [hub]'),
        ('citation = "', 'instruments = ["ICFB"]\ncitation = "', "no instrument 'ICFB'"),
        ('reads_as = "image-folder"', 'reads_as = "x"\ninputs = ["y"]', "layout.inputs names no file"),
        ('name = "my-lab"', 'name = "My Lab"', "name: String should match"),
        ("kind", "kind kind", "not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_source_is_told_what_is_wrong(tmp_path, old, new, told):
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(SourceError, match=re.escape(told)) as caught:
        read_source(path)
    assert str(caught.value).startswith(str(path))


def test_a_name_that_is_not_there_is_told_the_nearest():
    with pytest.raises(SourceError, match=r"no public source 'zoscan'\. Did you mean 'zooscan'"):
        show_source("zoscan")
    with pytest.raises(SourceError, match="no such file"):
        read_source(Path("nowhere") / "none.toml")


def test_the_list_and_one_source_are_plain_values():
    rows = {row.name: row for row in list_sources().sources}
    assert rows["whoi"].licence == "not stated"
    assert rows["bioscan-1m"].bytes == 1_227_580_325 + 7_171_212_982
    assert rows["zooscan"].bytes is None
    json.dumps(asdict(list_sources()))
    for name in SOURCES:
        shown = json.loads(json.dumps(asdict(show_source(name))))
        assert shown["source"]["name"] == name
    zoolake = show_source("zoolake")
    assert zoolake.licences[0]["id"] == "CC0-1.0"
    assert "sha256" not in zoolake.source["files"][0]


@pytest.mark.parametrize(
    ("written", "count"),
    [("5GB", 5 * 10**9), ("1.5 GiB", 3 << 29), ("12", 12), ("0,5 mb", 500_000)],
)
def test_sizes_are_read(written, count):
    assert parse_bytes(written) == count


@pytest.mark.parametrize("written", ["", "5 apples", "-1GB", "GB"])
def test_what_is_no_size_is_told(written):
    with pytest.raises(SourceError, match="is no size"):
        parse_bytes(written)


def test_sizes_are_told():
    told = [told_bytes(n) for n in (None, 999, 1000, 492_000_000, 7_171_212_982)]
    assert told == ["?", "999 B", "1.0 kB", "492.0 MB", "7.2 GB"]


def test_the_format_page_names_every_key():
    page = Path(__file__).parents[2] / "docs" / "formats" / "public-source.md"
    text = page.read_text(encoding="utf-8")
    models = (Source, StatedLicence, PublicFile, Layout, Expected, Where, OnDemand, Hub)
    keys = {key for model in models for key in model.model_fields}
    keys |= {field.name for field in fields(FetchedFile)}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
    assert f"Format `{FORMAT}`, version {VERSION}." in text
