"""The card of an exported data set: what is in it, whose it is, and what it must not be used for."""

from collections.abc import Mapping
from typing import Any

from holotype.catalogue.licences import common_licence
from holotype.collection.licensing import licence_of, markdown_line, what_may_be_done
from holotype.collection.store import Collection

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(described: Mapping[str, Any], collection: Collection) -> str:
    """Returns the README of a data set, with the YAML header that the Hugging Face hub reads."""
    parts: Mapping[str, int] = described["parts"]
    total = sum(parts.values())
    return (
        "\n".join(
            [
                *_header(described, total),
                f"# {markdown_line(described['name'])}",
                "",
                f"{total:,} records from {len(described['sources'])} sources, made with Holotype.",
                "",
                "| part | records |",
                "| --- | --- |",
                *(f"| {part} | {count:,} |" for part, count in parts.items()),
                "",
                "## Licences",
                "",
                "Each record has its own (column `licence`); credits are in `ATTRIBUTION.md`.",
                "",
                "| licence | records |",
                "| --- | --- |",
                *(
                    f"| {markdown_line(name)} | {count:,} |"
                    for name, count in described["licences"].items()
                ),
                "",
                "What may be done with all of it together (a reading of licences, not legal advice):",
                "",
                *_uses(described["licences"]),
                "",
                "## Where it comes from",
                "",
                *(f"- {markdown_line(source)}" for source in described["sources"]),
                "",
                *(
                    [f"Cite: {markdown_line('; '.join(described['citations']))}", ""]
                    if described["citations"]
                    else []
                ),
                "## Limits",
                "",
                (
                    "Labels are those of the sources; classes that one instrument alone has are confounded "
                    "it. `holotype check` and `holotype summary` show duplicates, conflicts and such classes."
                ),
                "",
                f"Collection fingerprint: `{collection.fingerprint}`.",
            ]
        )
        + "\n"
    )


def _header(described: Mapping[str, Any], total: int) -> list[str]:
    size = next((words for limit, words in _SIZES if total < limit), "n>1M")
    lines = ["---", f"license: {_slug(described['licences'])}", f"size_categories: [{size}]"]
    lines += ["tags: [biology, biodiversity, taxonomy]"]
    if described["form"] == "huggingface":
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for part in described["parts"]:
            lines += [f"  - split: {part}", f'    path: "data/{part}-*.parquet"']
    return [*lines, "---", ""]


def _slug(licences: Mapping[str, int]) -> str:
    held = [licence_of(None if name == "not stated" else name) for name in licences]
    common = common_licence(held)
    return common.id.lower() if common is not None and common.id else "other"


def _uses(licences: Mapping[str, int]) -> list[str]:
    lines = []
    for use, verdict in what_may_be_done(licences).items():
        said = [markdown_line(str(words)).rstrip(".") for words in _both(verdict)]
        lines.append(f"- {use}: **{verdict['answer']}**{': ' + '; '.join(said) if said else ''}")
    return lines


def _both(verdict: Mapping[str, object]) -> list[object]:
    parts = (verdict["reasons"], verdict["conditions"])
    return [words for part in parts if isinstance(part, list) for words in part]
