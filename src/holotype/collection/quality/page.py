"""The findings as one page that opens offline: what each check means, what to do, examples to look at."""

import html
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import pyarrow as pa

from holotype import files
from holotype.collection.quality.examples import MOST_EXAMPLES, Example, Marked, Shown, examples
from holotype.collection.quality.finding import ADVICE, Check, Severity
from holotype.collection.store import Collection

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_page(
    collection: Collection, findings: pa.Table, out: Path, *, not_judged: Mapping[str, int]
) -> Path:
    """Writes the page into a folder and returns its path.

    Args:
        collection: what was checked.
        findings: a table of ``FINDINGS_SCHEMA``.
        out: the folder, new or existing.
        not_judged: what could not be judged -> of how many records.
    """
    place = out / "index.html"
    shown = examples(collection, findings)
    text = page(collection.name, len(collection), findings, shown, not_judged=not_judged)
    files.write_text(place, text)
    return place


def page(
    name: str,
    records: int,
    findings: pa.Table,
    shown: Mapping[Check, Sequence[Example]],
    *,
    not_judged: Mapping[str, int],
) -> str:
    """Returns the page as HTML; the same findings give the same bytes."""
    counts = _counts(findings)
    sources = sorted({source for _, source in counts})
    title = f"Check of {name}"
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    parts = [
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{_plain(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>",
        f"<h1>{_plain(title)}</h1>",
        _opening(records, findings),
        _overview(counts, sources),
        *(_section(check, counts, shown[check]) for check in Check if check in shown),
        _closing(not_judged),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _plain(value: object) -> str:
    return html.escape(str(value), quote=True)


def _counts(findings: pa.Table) -> dict[tuple[Check, str], int]:
    counts: dict[tuple[Check, str], int] = {}
    for check, source in zip(
        findings["check"].to_pylist(), findings["source"].to_pylist(), strict=True
    ):
        key = (Check(check), source or "")
        counts[key] = counts.get(key, 0) + 1
    return counts


def _opening(records: int, findings: pa.Table) -> str:
    severities = findings["severity"].to_pylist()
    fixable = findings.num_rows - findings["fix"].null_count
    tiles = "".join(
        f'<div class="tile {severity.value}"><b>{severities.count(severity.value):,}</b> '
        f"{severity.value}s</div>"
        for severity in Severity
    )
    mend = (
        f"<p>{fixable:,} of them are safe to mend: <code>holotype check COLLECTION --fix</code>. "
        "The others are for a person to decide.</p>"
        if fixable
        else ""
    )
    return (
        f'<p class="dim">{records:,} records, {findings.num_rows:,} findings. All of them are in '
        f'<code>findings.parquet</code> beside the manifest.</p><div class="tiles">{tiles}</div>{mend}'
    )


def _overview(counts: Mapping[tuple[Check, str], int], sources: Sequence[str]) -> str:
    if not counts:
        return "<p>Nothing doubtful was found.</p>"
    head = "".join(f'<th scope="col">{_plain(source or "no source")}</th>' for source in sources)
    rows = "".join(
        f'<tr><th scope="row"><a href="#{check.value}">{_plain(ADVICE[check].title)}</a></th>'
        + "".join(_cell(counts.get((check, source))) for source in sources)
        + "</tr>"
        for check in Check
        if any((check, source) in counts for source in sources)
    )
    return (
        '<section aria-labelledby="overview"><h2 id="overview">Findings by source</h2>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Findings by source">'
        f'<table><thead><tr><th scope="col">Check</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></section>"
    )


def _cell(count: int | None) -> str:
    return "<td></td>" if count is None else f"<td>{count:,}</td>"


def _section(
    check: Check, counts: Mapping[tuple[Check, str], int], shown: Sequence[Example]
) -> str:
    advice = ADVICE[check]
    total = sum(count for (kind, _), count in counts.items() if kind is check)
    more = (
        f'<p class="dim">The first {len(shown):,} are shown.</p>' if total > MOST_EXAMPLES else ""
    )
    cards = "".join(_card(example) for example in shown)
    return (
        f'<section id="{check.value}"><h2>{_plain(advice.title)} <span class="count">{total:,}</span></h2>'
        f"<p>{_plain(advice.meaning)}</p><p><b>What to do:</b> {_plain(advice.remedy)}</p>{more}"
        f'<div class="cards">{cards}</div></section>'
    )


def _card(example: Example) -> str:
    inside = "".join(_record(record) for record in example.records)
    sequence = _sequence(example.sequence) if example.sequence else ""
    return (
        f'<article class="card {example.severity}"><div class="records">{inside}</div>'
        f"{sequence}<p>{_plain(example.detail)}</p></article>"
    )


def _record(record: Shown) -> str:
    picture = f'<img src="{record.picture}" alt="{_plain(record.name)}">' if record.picture else ""
    return (
        f"<figure>{picture}<figcaption><b>{_plain(record.name)}</b>"
        f'<span class="id">{_plain(record.record_id)}</span>'
        f'<span class="dim">{_plain(record.lineage)}</span></figcaption></figure>'
    )


def _sequence(part: Marked) -> str:
    return (
        f'<p class="sequence" aria-label="Bases from {part.starts_at}"><span class="dim">'
        f"{part.starts_at}</span> {_plain(part.before)}<mark>{_plain(part.marked)}</mark>"
        f"{_plain(part.after)}</p>"
    )


def _closing(not_judged: Mapping[str, int]) -> str:
    if not not_judged:
        return ""
    rows = "".join(
        f"<li>{_plain(what)}: {count:,} records</li>" for what, count in not_judged.items()
    )
    return f"<section><h2>Not judged</h2><ul>{rows}</ul></section>"
