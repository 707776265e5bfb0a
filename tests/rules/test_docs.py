"""The documentation: generated parts are fresh, links resolve, versions and names are the code's."""

import ast
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import holotype
from holotype.assessing import sample
from holotype.catalogue import fetched
from holotype.cli.app import COMMANDS, GROUPS, app
from holotype.collection import schema
from holotype.collection.sources import SHIPPED
from holotype.collection.summary import content
from holotype.counting import columns as counts
from holotype.decisions import store as decisions
from holotype.evaluation import embed, evaluate
from holotype.exchange import export
from holotype.identify import sidecar, stream, writers
from holotype.identify.columns import ANSWER, CONTEXT
from holotype.index import store as index
from holotype.index.barcodes import storage
from holotype.jobs import job
from holotype.models import bundle
from holotype.reviewing import session
from holotype.splits import plan
from holotype.splits.settings import Settings
from holotype.taxonomy.backbone import schema as backbone
from holotype.training.recipe import shipped_recipes

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
VERSIONED = {
    (schema.FORMAT, schema.VERSION): "collection",
    (plan.FORMAT, plan.VERSION): "split",
    (bundle.FORMAT, bundle.VERSION): "bundle",
    (decisions.FORMAT, decisions.VERSION): "bundle",
    (evaluate.FORMAT, evaluate.VERSION): "report",
    (backbone.FORMAT, backbone.VERSION): "backbone",
    (content.FORMAT, content.VERSION): "summary",
    (writers.FORMAT, writers.VERSION): "predictions",
    (sidecar.FORMAT, sidecar.VERSION): "sidecar",
    (stream.FORMAT, stream.VERSION): "sidecar",
    (index.FORMAT, index.VERSION): "index",
    (storage.FORMAT, storage.VERSION): "index",
    (sample.FORMAT, sample.VERSION): "assessment",
    (counts.FORMAT, counts.VERSION): "counts",
    (session.FORMAT, session.VERSION): "review",
    (job.FORMAT, job.VERSION): "job",
}
"""Format and version of the code -> the page that describes it."""
NO_MANIFEST = {"predictions", "counts", "job"}
"""Pages of single tables, and of several files: no row of keys has format and version alone."""


def prose(path: Path) -> str:
    return CODE.sub("", path.read_text(encoding="utf-8"))


def linked() -> list[Path]:
    return [path for path in (ROOT / "README.md", *PAGES) if path.is_file()]


def anchors(path: Path) -> Iterator[str]:
    for title in re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import generate

    yield generate
    for name in ("generate", "columns", "meanings", "wording"):
        sys.modules.pop(name, None)


def test_generated_parts_are_up_to_date(generate):
    stale = [str(path.relative_to(ROOT)) for path in generate.stale_pages(DOCS)]
    assert stale == [], "run: python docs/generate.py"


def test_every_generated_part_has_a_page(generate):
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert set(re.findall(r"<!-- generated: (\S+) -->", text)) == set(generate.PARTS)


def test_a_stale_page_is_named_and_mended(generate, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- generated: split-columns -->\nold\n<!-- end of generated: split-columns -->\nafter\n"
    )
    ((found, text),) = generate.stale_pages(tmp_path).items()
    assert found == page
    assert "| `role` |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    page.write_text(text)
    assert generate.stale_pages(tmp_path) == {}


@pytest.mark.parametrize("command", [*COMMANDS, *GROUPS])
def test_every_command_has_a_section(command):
    titles = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8").splitlines()
    assert f"## holotype {command}" in titles


@pytest.mark.parametrize("group", GROUPS)
def test_every_command_of_a_group_has_a_section(group):
    inner = get_command(app).commands[group].commands
    titles = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8").splitlines()
    assert [name for name in inner if f"## holotype {group} {name}" not in titles] == []


@pytest.mark.parametrize("kind", [source.name for source in SHIPPED])
def test_every_kind_of_input_has_a_page(kind):
    listed = (DOCS / "reference" / "sources.md").read_text(encoding="utf-8")
    assert f"| [{kind}](../formats/sources/{kind}.md) |" in listed
    page = (DOCS / "formats" / "sources" / f"{kind}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {kind}: ")
    assert f"holotype import {kind} " in page
    assert re.search(r"\berrors?\b", page, re.IGNORECASE), "say what is an error"


@pytest.mark.parametrize("page", linked(), ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(page):
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        path = page.parent / place if place else page
        assert path.exists(), f"{page.relative_to(ROOT)}: {target}"
        if anchor and path.suffix == ".md":
            assert anchor in set(anchors(path)), f"{page.relative_to(ROOT)}: {target}"


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p != DOCS / "README.md"], ids=lambda path: path.stem
)
def test_every_page_has_a_door(page):
    doors = LINK.findall((DOCS / "README.md").read_text(encoding="utf-8"))
    assert page.relative_to(DOCS).as_posix() in doors


def test_shipped_recipes_are_named():
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert [name for name in shipped_recipes() if f"`{name}`" not in text] == []


@pytest.mark.parametrize(("said", "page"), VERSIONED.items(), ids=str)
def test_format_pages_say_the_version_of_the_code(said, page):
    text = (DOCS / "formats" / f"{page}.md").read_text(encoding="utf-8")
    assert f"Format `{said[0]}`, version {said[1]}." in text


@pytest.mark.parametrize("page", sorted({*VERSIONED.values()} - NO_MANIFEST))
def test_manifests_of_format_pages_say_the_version_of_the_code(page):
    text = (DOCS / "formats" / f"{page}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `format`, `version` \|.* `([\w-]+)`, (\d+) \|", text, re.MULTILINE)
    told = {(name, int(version)) for name, version in rows}
    assert told
    assert told <= {said for said, of in VERSIONED.items() if of == page}


def test_collection_page_has_every_key_of_a_manifest(tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text("num_species = 2\nmedian_specimens_per_species = 2", encoding="utf-8")
    holotype.import_("simulated", [settings], into=tmp_path / "made")
    manifest = json.loads((tmp_path / "made" / "collection.json").read_text(encoding="utf-8"))
    entry = manifest["imports"][0]
    keys = {*manifest, *entry, *entry["shards"][0], *entry["ledger"], *manifest["findings"]}
    text = (DOCS / "formats" / "collection.md").read_text(encoding="utf-8")
    assert sorted(key for key in keys if f"`{key}`" not in text) == []


def test_split_page_has_every_setting():
    text = (DOCS / "formats" / "split.md").read_text(encoding="utf-8")
    names = [field.name for field in dataclasses.fields(Settings)]
    assert [name for name in names if f"| `{name}` |" not in text] == []


def test_embeddings_page_says_the_version_of_the_code():
    written = {}
    for node in ast.walk(ast.parse(inspect.getsource(embed))):
        if isinstance(node, ast.Dict):
            keys = [getattr(key, "value", None) for key in node.keys]
            if {"format", "version"} <= set(keys):
                written = dict(zip(keys, node.values, strict=True))
    said = written["format"].value, written["version"].value
    text = (DOCS / "formats" / "embeddings.md").read_text(encoding="utf-8")
    assert f"Format `{said[0]}`, version {said[1]}." in text


def test_fetched_manifest_has_the_version_of_the_code():
    text = (DOCS / "formats" / "public-source.md").read_text(encoding="utf-8")
    assert f"Format `{fetched.FORMAT}`, version {fetched.VERSION}." in text


def test_export_page_says_the_version_of_the_code():
    written = re.search(r'"format": "([\w-]+)",\s+"version": (\d+)', inspect.getsource(export))
    text = (DOCS / "formats" / "export.md").read_text(encoding="utf-8")
    assert f"Format `{written[1]}`, version {written[2]}." in text


def test_predictions_page_has_the_columns_of_version_3():
    # These are the columns of version 3, which are to stay: another list of answers is version 4.
    ranks = ["kingdom", "phylum", "class", "order", "family", "genus", "species"]
    answer = ["answer", "answer_level", "answer_score", *ranks, "taxon", "taxon_rank"]
    safe = [*answer, *(f"score_{rank}" for rank in ranks), "decision", "decision_reason"]
    best = ["label", "score", "top_k", "novelty", "novelty_rank"]
    found = ["nearest", "identity_pct", "overlap_bp", "strand", "frame", "gap_pct"]
    agreed = ["consensus", "consensus_rank", "image_answer", "barcode_answer", "agreed", "conflict"]
    priors = ["prior_effect", "answer_without_prior"]
    version_3 = ["input", *safe, *best, *found, *agreed, *priors, "status", "model", "failure"]
    assert [column.name for column in ANSWER] == version_3
    assert writers.VERSION == 3
    text = (DOCS / "formats" / "predictions.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \|", text.partition("## Columns")[2], re.MULTILINE)
    assert told == [*version_3, *(column.name for column in CONTEXT)]


def test_format_pages_number_their_sentences():
    for page in sorted((DOCS / "formats").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        numbers = [int(found) for found in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1)), page.name
        assert numbers, page.name
        assert "MUST" in text, page.name


def test_python_in_pages_compiles():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            signature = block.strip().removeprefix("holotype.")
            source = f"def {signature}: ..." if page.name == "python.md" else block
            compile(source, str(page), "exec")
