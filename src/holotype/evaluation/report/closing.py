"""Examples to look at, and how everything was measured."""

from collections.abc import Mapping
from typing import Any

from holotype.page.layout import Section, heading, scrolling
from holotype.page.words import DASH, capital, count, finite, plain, with_unit

_BASELINES = {
    "commonest name": "always the commonest names of what was taught or kept as keys.",
    "nearest image by pixels": "the nearest image by a 16 by 16 px thumbnail and its size, nothing learned.",
    "nearest barcode by 5-mers": "the nearest barcode by counts of words of five bases.",
    "nearest barcode by identity": (
        "the barcode of highest identity over the overlap, aligned, among the 20 nearest by 6-mers."
    ),
    "nearest class mean by pixels": "few-shot with thumbnails in the place of embeddings.",
    "nearest class mean by 5-mers": "few-shot with counts of words of five bases in the place of embeddings.",
    "chance": (
        "a key drawn at random: of another taxon for the tree, of another instrument across instruments; "
        "few-shot: one in the number of names."
    ),
    "pixels": "cosines of 16 by 16 px thumbnails in the place of embeddings.",
    "5-mers": "cosines of counts of words of five bases in the place of embeddings.",
    "random vectors": "vectors drawn at random in the place of embeddings.",
    "ceiling": "the most that the correlation can reach, as many pairs share a common ancestor's rank.",
}


def examples(content: dict[str, Any]) -> Section | None:
    """Returns test images with what they were called and their nearest references."""
    found = content.get("examples") or []
    if not found:
        return None
    cards = "".join(_example(one, place) for place, one in enumerate(found))
    lead = (
        "What does it look like? Test images drawn at random, not chosen: what each truly is, what it was "
        "called, how surely, and the references nearest to it with their cosines. The classifier was never "
        "taught the names marked unseen, and cannot give them."
    )
    return Section("examples", "Examples", lead, f'<div class="examples">{cards}</div>')


def _example(one: dict[str, Any], place: int) -> str:
    truth, called = one.get("truth"), one.get("called")
    if called is None:
        verdict, kind = f"{DASH} not called", "none"
    elif called == truth:
        verdict, kind = "✓ right", "good"
    else:
        verdict, kind = "✗ wrong", "bad"
    status = one.get("status")
    references = "".join(
        f"<li>{_image(r.get('thumbnail'), 'Reference: ' + str(r.get('label')))}"
        f'<span class="name">{_match(r.get("label"), truth)}{plain(r.get("label"))} '
        f'<span class="dim">{_cosine(r.get("cosine"))}</span></span></li>'
        for r in one.get("references") or []
    )
    score = with_unit(one.get("score"))
    return (
        f'<article class="example" aria-labelledby="example-{place}">'
        f'<div class="example-top">{_image(one.get("thumbnail"), f"Test image: {truth}")}'
        f'<div><h3 id="example-{place}">{plain(truth)}</h3>'
        f'<p><span class="badge {kind}">{verdict}</span> '
        f'<span class="badge">{plain(status)}</span></p>'
        f"<p>called {plain(called)}, {score}</p>"
        f'<p class="dim record">{plain(one.get("record_id"))}</p></div></div>'
        f'<p class="example-refs">Nearest references, ✓ same name</p>'
        f'<ol class="references">{references}</ol></article>'
    )


def _match(label: object, truth: object) -> str:
    if label is None or label != truth:
        return ""
    return '<span class="same" aria-label="same name">✓</span> '


def _cosine(value: object) -> str:
    number = finite(value)
    return plain(None) if number is None else f"{number:.3f}"


def _image(address: object, says: str) -> str:
    """Returns a thumbnail; only an image inside the page is shown."""
    text = str(address or "")
    if not text.startswith("data:image/"):
        return '<span class="thumbnail" role="img" aria-label="no image"></span>'
    return f'<img class="thumbnail" src="{plain(text)}" alt="{plain(says)}">'


def method(content: dict[str, Any]) -> Section:
    """Returns how intervals and baselines were made, and where everything comes from."""
    used = {str(score.get("method")) for score in content.get("scores") or []}
    notes = [
        (
            "Intervals are 95 %: the 2.5th and 97.5th percentile of 300 bootstrap replicates. Whole groups "
            "are drawn (records of one specimen, image or haplotype together), not single records."
        ),
        (
            "Few-shot: the figure is the mean of five draws of the examples; its interval draws examples and "
            "groups of queries anew."
        ),
        "Per-class recall and shares of confusions have Wilson intervals, which take records as independent.",
        (
            "n is the number of queries asked. Left out are queries that could not be asked, because their "
            "taxon has no key or is not among the names."
        ),
        "A dash stands where nothing was measured.",
    ]
    parts = [f'<ul class="notes">{"".join(f"<li>{plain(note)}</li>" for note in notes)}</ul>']
    known = {name: said for name, said in _BASELINES.items() if name in used}
    if known:
        inside = "".join(f"<li><b>{plain(name)}</b>: {plain(s)}</li>" for name, s in known.items())
        parts.append(f'{heading("Baselines")}<ul class="notes">{inside}</ul>')
    rows = "".join(
        f'<tr><th scope="row">{plain(n)}</th><td class="word">{plain(v)}</td></tr>'
        for n, v in _provenance(content)
    )
    if rows:
        table = scrolling(
            '<table class="small"><thead><tr><th scope="col">What</th><th scope="col" class="word">Value'
            f"</th></tr></thead><tbody>{rows}</tbody></table>",
            says="Provenance",
        )
        parts.append(heading("Provenance") + table)
    lead = (
        "How were the figures made, and from what? With these values the report can be made again."
    )
    return Section("method", "Method and provenance", lead, "".join(parts))


def _provenance(content: Mapping[str, Any]) -> list[tuple[str, object]]:
    model, split = content.get("model") or {}, content.get("split") or {}
    made_of = content.get("composition") or {}
    rows: list[tuple[str, object]] = [
        ("Holotype version", content.get("holotype")),
        ("Report format", _joined(content.get("format"), content.get("version"))),
        ("Model", model.get("name")),
        ("Model fingerprint", model.get("fingerprint")),
        ("Modalities", ", ".join(map(str, model.get("modalities") or [])) or None),
        ("Parameters", count(model["parameters"]) if model.get("parameters") is not None else None),
        ("Names taught", count(model["labels"]) if model.get("labels") is not None else None),
        ("Target", str(model["target"]).replace("_", " ") if model.get("target") else None),
        ("Training records", count(model["records"]) if model.get("records") is not None else None),
    ]
    rows += [
        (f"Calibration temperature, {name}", f"{value:.4g}" if finite(value) is not None else None)
        for name, value in (model.get("calibration") or {}).items()
    ]
    rows.append(("Collection", made_of.get("name")))
    rows.append(("Collection fingerprint", made_of.get("fingerprint")))
    rows += [
        (f"Split: {key.replace('_', ' ')}", _listed(value))
        for key, value in split.items()
        if key != "audit"
    ]
    return [(name, value) for name, value in rows if value is not None or name.startswith("Split")]


def _joined(*words: object) -> str | None:
    found = [str(word) for word in words if word is not None]
    return " ".join(found) or None


def _listed(value: object) -> object:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or None
    if isinstance(value, dict):
        return ", ".join(f"{capital(str(k))}: {v}" for k, v in value.items()) or None
    return value
