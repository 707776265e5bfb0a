"""What every source promises, shipped or of another package; and how another package adds one."""

import importlib
import io
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import holotype
from holotype.collection.sources import (
    ENTRY_POINTS,
    SHIPPED,
    camtrap_dp,
    coco_camera_traps,
    darwin_core,
    fasta,
    find_source,
    image_folder,
    simulated,
    sources,
    speciesnet,
    table,
)
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import FileAt
from holotype.testing import check_refusal, check_source

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "add-a-source.md"
SOURCE_TESTS = ROOT / "tests" / "collection" / "sources"


def png(value: int = 7) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


def written(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        stem, _, suffix = name.rpartition("_")
        place = folder / f"{stem.replace('__', '/')}.{suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def darwin_core_archive(folder: Path) -> Path:
    text = "occurrenceID\tscientificName\tassociatedMedia\n1\tApis\ta.png\n2\tBombus\n"
    return written(folder, occurrence_txt=text, a_png=png())


def camtrap_package(folder: Path) -> Path:
    said = (
        '{"resources": [{"name": "media", "path": "media.csv"}, '
        '{"name": "observations", "path": "o.csv"}]}'
    )
    media = "mediaID,deploymentID,timestamp,filePath\nm1,,2020-01-01T00:00:00Z,a.png\nm1,,,a.png\n"
    observed = "observationID,mediaID,observationType,scientificName\no1,m1,animal,Vulpes vulpes\n"
    return written(folder, datapackage_json=said, media_csv=media, o_csv=observed, a_png=png())


def coco_catalogue(folder: Path) -> Path:
    said = (
        '{"images": [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "a.png"}], "categories": '
        '[{"id": 1, "name": "fox"}], "annotations": '
        '[{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4]}]}'
    )
    return written(folder, traps_json=said, a_png=png()) / "traps.json"


def instances(folder: Path) -> Path:
    said = '{"instances": [{"filepath": "a.png", "country": "GBR"}, {"filepath": "b.png"}]}'
    return written(folder, instances_json=said, a_png=png()) / "instances.json"


Sample = tuple[Source, Callable[[Path], Path], tuple[int, int, int]]
SAMPLES: dict[str, Sample] = {
    "image-folder": (
        image_folder.SOURCE,
        lambda at: written(at, egg__1_png=png(1), egg__2_png=png(2), notes_txt="x"),
        (2, 1, 0),
    ),
    "table": (
        table.SOURCE,
        lambda at: (
            written(at, t_csv="record_id,image,species\na,a.png,Apis mellifera\n", a_png=png())
            / "t.csv"
        ),
        (1, 0, 0),
    ),
    "fasta": (
        fasta.SOURCE,
        lambda at: written(at, s_fasta=">a\nACGT\n>b|Apis mellifera|COI-5P\nACGG\n") / "s.fasta",
        (2, 0, 0),
    ),
    "simulated": (
        simulated.SOURCE,
        lambda at: (
            written(at, s_toml="num_species = 3\nmedian_specimens_per_species = 2.0\n") / "s.toml"
        ),
        (9, 0, 0),
    ),
    "darwin-core": (darwin_core.SOURCE, darwin_core_archive, (1, 0, 1)),
    "camtrap-dp": (camtrap_dp.SOURCE, camtrap_package, (1, 0, 1)),
    "coco-camera-traps": (coco_camera_traps.SOURCE, coco_catalogue, (1, 0, 1)),
    "speciesnet": (speciesnet.SOURCE, instances, (1, 0, 1)),
}
"""Source -> itself, a maker of a small input, and how many records, skipped items and errors that gives."""


@pytest.mark.parametrize("name", SAMPLES)
def test_every_source_keeps_the_contract(name: str, tmp_path: Path) -> None:
    source, make, counts = SAMPLES[name]
    assert source.name == name
    found = check_source(source, make(tmp_path / "in"), SourceOptions(spool=tmp_path / "spool"))
    assert (found.records, found.skipped, found.errors) == counts


@pytest.mark.parametrize("name", SAMPLES)
def test_every_source_refuses_what_is_not_there(name: str, tmp_path: Path) -> None:
    check_refusal(SAMPLES[name][0], tmp_path / "nowhere")


@pytest.mark.parametrize("source", SHIPPED, ids=lambda source: source.name)
def test_every_shipped_source_is_checked_somewhere(source: Source) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", source.name)
    assert source.about
    assert source.about == source.about.strip()
    module = source.read.__module__.removeprefix("holotype.collection.sources.").partition(".")[0]
    texts = [path.read_text(encoding="utf-8") for path in SOURCE_TESTS.glob("test_source_*.py")]
    assert source.name in SAMPLES or any("check_source" in t and module in t for t in texts)


def test_names_of_shipped_sources_are_unique() -> None:
    assert len({source.name for source in SHIPPED}) == len(SHIPPED)


# ---------------------------------------------------------------- a source of another package


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path of imports, in which packages may be installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    sources.cache_clear()
    yield folder
    for name in set(sys.modules) - before:
        if (folder / f"{name}.py").is_file():
            del sys.modules[name]
    sources.cache_clear()
    importlib.invalidate_caches()


def install(site: Path, project: str, module: str, content: str, points: dict[str, str]) -> None:
    """Lays down a package as an installer does: its module, and its entry points in a dist-info folder."""
    (site / f"{module}.py").write_text(content, encoding="utf-8")
    told = site / f"{project.replace('-', '_')}-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
    lines = [f"[{ENTRY_POINTS}]", *(f"{name} = {target}" for name, target in points.items())]
    (told / "entry_points.txt").write_text("\n".join(lines) + "\n")
    importlib.invalidate_caches()
    sources.cache_clear()


def blocks(language: str) -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def guide(site: Path) -> str:
    """The package of the guide, installed; gives the text of its test."""
    module, its_test = blocks("python")
    (toml,) = blocks("toml")
    project = tomllib.loads(toml)["project"]
    install(site, project["name"], "catch_log", module, project["entry-points"][ENTRY_POINTS])
    return its_test


def test_the_example_of_the_guide_is_found_and_keeps_the_contract(
    guide: str, tmp_path: Path
) -> None:
    source = find_source("catch-log")
    assert isinstance(source, Source)
    assert list(sources())[-1] == "catch-log"
    names: dict[str, Callable[..., None]] = {}
    exec(compile(guide, str(GUIDE), "exec"), names)
    (tmp_path / "in").mkdir()
    names["test_catch_log"](tmp_path / "in", png())


def test_the_example_of_the_guide_imports(guide: str, tmp_path: Path) -> None:
    assert guide
    rows = "id,taxon,depth,picture\n1,Calanus,5,a.png\n2,Oithona,deep,\n3,Oithona,5,b.png\n"
    written(tmp_path / "in", catch_csv=rows, a_png=png())
    report = holotype.import_("catch-log", [tmp_path / "in"], into=tmp_path / "c")
    assert report.outcomes == {"imported": 1, "imported_with_note": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("odd:NOTHING", r"entry point 'odd' of holotype\.sources \(odd:NOTHING\): not a Source"),
        ("odd:CLASH", r"entry point 'odd' .*: there is a source 'table'"),
    ],
)
def test_wrong_entry_points_are_named(site: Path, target: str, message: str) -> None:
    content = (
        "from holotype.collection.sources.item import Source\n"
        "NOTHING = 'table'\n"
        "CLASH = Source('table', 'another table', lambda path, options: iter(()))\n"
    )
    install(site, "odd", "odd", content, {"odd": target})
    with pytest.raises(SourceError, match=message):
        sources()


def test_an_unknown_kind_names_the_nearest(site: Path) -> None:
    assert site
    with pytest.raises(SourceError, match=r"no kind of input 'image-foldr'\..*'image-folder'"):
        find_source("image-foldr")


# ---------------------------------------------------------------- the contract can fail


def broken(*items: Item) -> Source:
    return Source("broken", "a source that breaks a rule", lambda path, options: iter(items))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ((), "gives no item and no error"),
        ((Item(" "),), "a blank item name"),
        ((Item("a"), Item("a")), r"items of the same name: \['a'\]"),
        ((Item("a", error="x.csv, line 3: bad"),), "must end with a sentence that says what to do"),
        ((Item("a", error="bad."),), "says too little"),
        ((Item("a", error="a b c d.", skip_reason="e"),), "both an error and skipped"),
        ((Item("a", fields={"colour": "red"}),), "a collection has no column 'colour'"),
        ((Item("a", fields={"haplotype": "0"}),), "intake finds 'haplotype'"),
        ((Item("a", fields={"latitude_deg": "91"}),), "latitude_deg 91 out of bounds"),
        ((Item("a", fields={"label_status": "sure"}),), "label_status 'sure' is none of dubious, predicted"),
        ((Item("a", fields={"extra:place_from": "map"}),), "extra:place_from 'map' is none of"),
        ((Item("a", fields={"depth_min_m": 5}),), "not text"),  # type: ignore[dict-item]
        ((Item("a", notes=(("code", " "),)),), "note"),
        ((Item("a", image=FileAt("x.png")),), "an image without a file name"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(items: tuple[Item, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=message):
        check_source(broken(*items), tmp_path)


def test_two_readings_that_differ_are_named(tmp_path: Path) -> None:
    names = iter("ab")
    source = Source("broken", "differs", lambda path, options: iter([Item(next(names))]))
    with pytest.raises(AssertionError, match=r"two readings of .* differ"):
        check_source(source, tmp_path)


def test_an_input_that_should_be_refused_and_is_read(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="was read, 1 items"):
        check_refusal(broken(Item("a")), tmp_path)
