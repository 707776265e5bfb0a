"""What the model was taught and asked on: the collection, its tree, and the split's audit."""

from typing import Any

from holotype.page.layout import Section, bars, definitions, heading, plot, scrolling
from holotype.page.tree import sunburst
from holotype.page.words import (
    DASH,
    capital,
    count,
    finite,
    plain,
    some,
    sum_of_counts,
)

_COLUMNS = {
    "instrument": "Instruments",
    "source": "Sources",
    "kind": "Kinds",
    "licence": "Licences",
    "qualifier": "Parts of the body",
    "marker": "Markers",
}
_FINDINGS = {
    "identical_images": "images with the same bytes as another",
    "conflicting_images": "same image, different names",
    "shared_barcodes": "barcodes shared by records",
    "conflicting_barcodes": "same barcode, different names",
}
_PLURALS = {
    "kingdom": "kingdoms",
    "phylum": "phyla",
    "class": "classes",
    "order": "orders",
    "family": "families",
    "genus": "genera",
}
_ROLES = ("train", "val", "key", "query", "test", "unused")
_STATUSES = ("seen", "unseen", "unnamed")
_CROSSING = {
    "specimen_id": "specimens",
    "image_sha256": "images",
    "haplotype": "haplotypes",
}


def collection(content: dict[str, Any]) -> Section | None:
    """Returns the collection and its split."""
    made_of = content.get("composition") or {}
    split = content.get("split") or {}
    if not made_of and not split:
        return None
    parts = []
    if made_of:
        parts.append(
            definitions(
                [
                    ("records", count(made_of.get("records"))),
                    ("images", count(made_of.get("images"))),
                    ("barcodes", count(made_of.get("barcodes"))),
                    *(
                        (_PLURALS.get(r, r), count(n))
                        for r, n in (made_of.get("taxa") or {}).items()
                    ),
                ]
            )
        )
    if made_of.get("lineages"):
        parts.append(_tree(made_of["lineages"]))
    blocks = [
        bars(title, made_of["columns"][name])
        for name, title in _COLUMNS.items()
        if (made_of.get("columns") or {}).get(name)
    ]
    if made_of.get("outcomes"):
        blocks.append(bars("What became of the rows read", made_of["outcomes"]))
    if made_of.get("findings"):
        named = {_FINDINGS.get(k, _words(k)): v for k, v in made_of["findings"].items()}
        blocks.append(bars("Duplicates and conflicts found", named))
    if blocks:
        parts.append(heading("What it is made of") + f'<div class="blocks">{"".join(blocks)}</div>')
    if split.get("audit"):
        parts.append(_audit(split["audit"]))
    lead = (
        "What was the model taught, and what was it asked? A figure holds for organisms and instruments "
        "such as these, and only if nothing asked was also taught."
    )
    return Section("collection", "The collection and its split", lead, "".join(parts))


def _tree(lineages: list[list[Any]]) -> str:
    total = sum(int(number) for _, number in lineages)
    without = sum(int(number) for path, number in lineages if not any(path))
    caption = (
        f"Lineages of {some(total, 'record')}, kingdom innermost; the angle is the share of records. "
        "Colours: the six largest phyla. Click a taxon to look inside, the centre to come back."
    )
    if without:
        caption += f" {capital(some(without, 'record'))} without a lineage: no taxon."
    return plot(
        "tree",
        sunburst(lineages),
        says="Sunburst of lineages by number of records.",
        height=640,
        caption=caption,
        kind="square",
    )


def _audit(audit: dict[str, Any]) -> str:
    clean = bool(audit.get("clean"))
    verdict = (
        "✓ Clean: nothing that was asked was also taught."
        if clean
        else "✗ Not clean: read the figures with care."
    )
    crossing = audit.get("crossing") or {}
    unseen = audit.get("unseen_in_train") or []
    rows = [
        (f"{_CROSSING.get(k, _words(k))} in several roles", count(v)) for k, v in crossing.items()
    ]
    rows.append(("unseen species that training names", count(len(unseen))))
    for key, title in (
        ("seen_not_in_train", "seen species that training lacks"),
        ("without_key", "queries whose species has no key"),
    ):
        if audit.get(key) is not None:
            rows.append((title, count(audit[key])))
    checks = "".join(f'<tr><th scope="row">{plain(n)}</th><td>{v}</td></tr>' for n, v in rows)
    left = (
        '<div><h4>What crosses between roles</h4><table class="small"><thead><tr>'
        '<th scope="col">Check</th><th scope="col">Found</th></tr></thead>'
        f"<tbody>{checks}</tbody></table></div>"
    )
    unused = audit.get("unused") or {}
    blocks = [left, _roles(audit.get("counts") or {})]
    if unused:
        blocks.append(bars(f"Unused: {some(sum_of_counts(unused), 'record')}, why", unused))
    return (
        f'{heading("Audit of the split")}<p class="verdict {"good" if clean else "bad"}">'
        f'{verdict}</p><div class="blocks">{"".join(blocks)}</div>'
    )


def _roles(counts: dict[str, Any]) -> str:
    """Returns the records by role and status."""
    if not counts:
        return ""
    cells = {tuple(key.split(" ", 1)): value for key, value in counts.items()}
    roles = [r for r in _ROLES if any(c[0] == r for c in cells)]
    roles += sorted({c[0] for c in cells} - set(roles))
    statuses = [s for s in _STATUSES if any(c[-1] == s for c in cells)]
    head = "".join(f'<th scope="col">{plain(status)}</th>' for status in statuses)
    rows = "".join(
        f'<tr><th scope="row">{plain(role)}</th>'
        + "".join(
            f"<td>{count(v) if finite(v := cells.get((role, status))) is not None else DASH}</td>"
            for status in statuses
        )
        + "</tr>"
        for role in roles
    )
    table = scrolling(
        f'<table class="small"><thead><tr><th scope="col">Role</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>",
        says="Records by role and status",
    )
    return f"<div><h4>Records by role and status</h4>{table}</div>"


def _words(key: str) -> str:
    return key.replace("_", " ")
