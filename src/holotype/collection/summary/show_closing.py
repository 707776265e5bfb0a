"""What may be done with the records, what is doubtful in them, and how the collection was made."""

import json
from collections.abc import Mapping
from typing import Any

from holotype.collection.quality.finding import ADVICE, Check, Severity
from holotype.collection.summary.show_opening import share
from holotype.collection.summary.state import NOT_STATED
from holotype.page.layout import Section, bars, definitions, heading, paragraph
from holotype.page.tables import table
from holotype.page.words import capital, count, plain, some

_USES = {
    "share": "Give the records on as they are",
    "adapt": "Change them, or train a model and give it on",
    "commercial": "Use either in a product or a paid service",
}
_ANSWERS = {"yes": ("✓ yes", "good"), "no": ("✗ no", "bad"), "unknown": ("? not known", "bad")}
_AT_IMPORT = {
    "identical_images": "sets of images with the same bytes",
    "conflicting_images": "of them under different labels",
    "shared_barcodes": "barcodes that several records share",
    "conflicting_barcodes": "of them under several species",
}
_CHECKED = {
    "never": "These records have not been checked: run “holotype check COLLECTION”, then this page again. "
    "Until then the page has what the import itself found.",
    "before": "The collection has changed since it was checked: run “holotype check COLLECTION” again.",
    "now": "All findings are rows of findings.parquet; “holotype check COLLECTION --out FOLDER” shows some.",
}


def licences(content: Mapping[str, Any]) -> Section | None:
    """Returns the licences of the records, and what they allow together; None without records."""
    found = content["licences"]
    if not found["records"]:
        return None
    total = content["totals"]["records"]
    silent = found["records"].get(NOT_STATED, 0)
    first = next(iter(found["records"]))
    if silent:
        title = f"{share(silent, total)} of the records state no licence"
    elif len(found["records"]) == 1:
        title = f"All records are under {first}"
    else:
        title = (
            f"{len(found['records'])} licences; {first} on {share(found['records'][first], total)}"
        )
    rows = "".join(_use(use, found["may"][use]) for use in _USES if use in found["may"])
    uses = (
        '<div class="scroll" tabindex="0" role="region" aria-label="What may be done"><table><thead><tr>'
        '<th scope="col">With all records together</th><th scope="col" class="word">Allowed</th>'
        f'<th scope="col" class="word">Why, and on what condition</th></tr></thead><tbody>{rows}</tbody>'
        "</table></div>"
    )
    by_source = [(r["source"], r["records"], r["licence"]) for r in found["by_source"]]
    blocks = bars("Licences", found["records"]) + bars("Stated by", found["stated_by"])
    lead = (
        "Each record has its own licence, and all of them together allow what the strictest allows; where "
        "none is stated, nothing is. “holotype licences” sets aside what is not allowed. This is no legal "
        "advice."
    )
    body = (
        f'{uses}{heading("Licences and who stated them")}<div class="blocks">{blocks}</div>'
        + heading("Licences by source")
        + table(
            ("Source", "Records", "Licence"), by_source, says="Licences by source", words=(2,),
            kind="tall" if len(by_source) > 20 else "",
        )
    )  # fmt: skip
    return Section("licences", title, lead, body)


def _use(use: str, verdict: Mapping[str, Any]) -> str:
    word, kind = _ANSWERS.get(str(verdict["answer"]), (str(verdict["answer"]), ""))
    said = "".join(
        f"<li>{plain(capital(str(text)))}</li>"
        for text in (*verdict["reasons"], *verdict["conditions"])
    )
    return (
        f'<tr><th scope="row">{plain(_USES[use])}</th><td class="word">'
        f'<span class="{kind}">{plain(word)}</span></td><td class="word">'
        f'<ul class="plainly">{said or "<li>No condition</li>"}</ul></td></tr>'
    )


def problems(content: Mapping[str, Any]) -> Section:
    """Returns what a check found, or what the import knows where there was none."""
    found = content["problems"]
    counts: dict[tuple[str, str], int] = {}
    for one in found["checks"]:
        key = (one["check"], one["severity"])
        counts[key] = counts.get(key, 0) + one["findings"]
    errors = sum(n for (_, severity), n in counts.items() if severity == Severity.ERROR.value)
    total = sum(counts.values())
    if found["checked"] == "never":
        title = "Not checked yet"
    elif not total:
        title = "The check found nothing doubtful"
    else:
        title = f"{some(total, 'finding')}, {some(errors, 'error')} among them"
    parts = []
    if counts:
        by_severity = {
            s.value: sum(n for (_, k), n in counts.items() if k == s.value) for s in Severity
        }
        parts.append(definitions([(f"{name}s", count(n)) for name, n in by_severity.items()]))
        rows = []
        for check in Check:
            for severity in Severity:
                if number := counts.get((check.value, severity.value)):
                    advice = ADVICE[check]
                    rows.append((advice.title, severity.value, number, advice.remedy))
        parts.append(
            table(
                ("Finding", "Severity", "How many", "What to do"), rows, says="Findings by check",
                words=(1, 3),
            )
        )  # fmt: skip
    parts.append(paragraph(_CHECKED[found["checked"]], kind="note"))
    blocks = []
    if found["image_flags"]:
        flags = {name.replace("_", " "): n for name, n in found["image_flags"].items()}
        blocks.append(bars("Marks set on images when they were read", flags))
    at_import = {
        _AT_IMPORT.get(n, n.replace("_", " ")): c for n, c in found["at_import"].items() if c
    }
    if at_import:
        blocks.append(bars("Found at the import", at_import))
    if blocks:
        parts.append(f'{heading("What the import saw")}<div class="blocks">{"".join(blocks)}</div>')
    lead = (
        "Copies, contradictions and faults. Errors spoil training or names, warnings may, remarks are worth "
        "knowing; a person decides, the collection never chooses between two labels."
    )
    return Section("problems", title, lead, "".join(parts))


def built(content: Mapping[str, Any]) -> Section:
    """Returns the imports and the steps that made the collection."""
    found = content["built"]
    imports, steps = found["imports"], found["steps"]
    rows = [
        (
            one["source"], one["kind"], one["input"], one["preset"], one["labels"],
            ", ".join(f"{name}={value}" for name, value in one["constants"].items()) or None,
            (one["sha256"] or "")[:12] or None, one["items"], one["records"],
        )
        for one in imports
    ]  # fmt: skip
    columns = (
        "Source", "Kind", "Input", "Preset", "Label table", "Constants", "SHA-256", "Items", "Records",
    )  # fmt: skip
    title = f"Made of {some(len(imports), 'import')}"
    title += f" and {some(len(steps), 'step')} after them" if steps else ""
    lead = (
        "Every input with its kind and checksum (of files; a folder has none), in the order of the records, "
        "and what was changed afterwards."
    )
    body = table(columns, rows, says="Imports", words=(1, 2, 3, 4, 5, 6))
    if steps:
        done = [
            (at, capital(str(step.get("step", "step"))), _written(step))
            for at, step in enumerate(steps, start=1)
        ]
        body += heading("Steps") + table(("No.", "Step", "How"), done, says="Steps", words=(1, 2))
    name = content["collection"]
    body += paragraph(
        f"Collection {name['name']}, fingerprint {name['fingerprint']}; made with Holotype "
        f"{found['holotype']}, summed up with {content['holotype']}.",
        kind="note",
    )
    return Section("built", title, lead, body)


def _written(step: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in step.items() if name != "step"}
    return "; ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in rest.items()
    )
