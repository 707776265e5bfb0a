"""An assessment as one page that opens offline."""

from collections.abc import Mapping
from typing import Any

from holotype.assessing.findings import LEAST
from holotype.assessing.report import PROMISE, measured_share, told
from holotype.assessing.sample import Sample
from holotype.page.document import document
from holotype.page.layout import Section, definitions, paragraph
from holotype.page.tables import table
from holotype.page.words import interval, plain, some, with_unit

MOST_SHOWN = 24
_STYLE = """
.wrong { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
.wrong img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--band); }
.wrong figure { margin: 0; }
.wrong figcaption { font-size: .75rem; overflow-wrap: anywhere; }
"""


def written_page(content: Mapping[str, Any], sample: Sample) -> str:
    """Returns the page as HTML; the same content gives the same bytes."""
    name = content["model"]["name"]
    top = (
        f"<h1>{plain(name)} on your records</h1>"
        f'<p class="about">{plain(told(content).splitlines()[1])}</p>'
        f'<p class="dim">{plain(told(content).splitlines()[0])}</p>'
    )
    sections = [_accuracy(content), _instrument(content), _classes(content), _calibration(content)]
    sections += [_wrong(content, sample), _labels(content)]
    return document(f"Assessment of {name}", top, sections, style=_STYLE)


def _accuracy(content: Mapping[str, Any]) -> Section:
    promise, found = content["promise"], content["accuracy"]
    rows: list[tuple[str, object]] = [
        ("best label right", measured_share(found["label"])),
        ("safe answer given", measured_share(found["answered"])),
        ("safe answer right", measured_share(found["answer"])),
        ("error of safe answers", measured_share(promise["error"])),
        (f"promise of {with_unit(promise['max_error'])}", PROMISE[promise["verdict"]]),
    ]
    if found["untaught"] is not None:
        rows.append(("of a taxon the model was not taught", measured_share(found["untaught"])))
    ranks = table(
        ["rank", "answered", "95 % interval", "right", "95 % interval", "n"],
        [
            [r["rank"], *_cells(r["answered"]), *_cells(r["right"]), r["right"]["n"]]
            for r in content["ranks"]
        ],
        says="Safe answers by rank",
    )  # fmt: skip
    wide = some(found["judged_as_far_as_the_label_goes"], "record")
    note = (
        f"{wide} judged as far as your label goes: a wider name than the answer's counts as right where the "
        "answer is within it."
    )
    lead = "Figures are of all records, not of the draw: each labelled record stands for several."
    return Section(
        "accuracy", "How often it is right", lead, definitions(rows) + ranks + paragraph(note, kind="note")
    )  # fmt: skip


def _instrument(content: Mapping[str, Any]) -> Section:
    domain, looks = content["instrument"], content["looks"]
    body = paragraph(domain["sentence"])
    if looks is not None:
        body += paragraph(f"Your images: {looks['in_words']}.")
        body += "".join(paragraph(text) for text in looks["differences"])
    rows = [
        [one["instrument"] or "all", f"{one['auroc']:.2f}", f"{one['low']:.2f} to {one['high']:.2f}",
         one["n_known"]]
        for one in [domain["overall"], *domain["by_instrument"]] if one is not None
    ]  # fmt: skip
    if rows:
        body += table(
            ["known records", "AUROC", "95 % interval", "n"], rows, says="Your images against known ones"
        )  # fmt: skip
    lead = "Can a classifier tell your images from those of the validation, with the same labels? 0.5: no."
    return Section("instrument", "Another instrument?", lead, body)


def _classes(content: Mapping[str, Any]) -> Section:
    rows = [
        [one["label"], *_cells(one["recall"]), one["recall"]["n"],
         *_cells(one["precision"]), one["precision"]["n"]]
        for one in content["classes"]
    ]  # fmt: skip
    head = ["class", "found", "95 % interval", "n", "right when said", "95 % interval", "n"]
    body = table(head, rows, says="Classes, those that fail first")
    if content["confusions"]:
        pairs = [
            [c["is"], c["said"], c["n"], round(c["stands_for"])] for c in content["confusions"]
        ]
        body += table(
            ["is", "said", "seen", "stands for"], pairs, says="Confusions", words=(1,),
            caption="Confusions",
        )  # fmt: skip
    lead = f"Worst first; classes with fewer than {LEAST} labelled records come last."
    return Section("classes", "Which classes fail", lead, body)


def _calibration(content: Mapping[str, Any]) -> Section:
    body = ""
    for name, title in (("label", "Best labels"), ("answer", "Safe answers")):
        one = content["calibration"][name]
        if one is not None:
            rows = [
                [f"{b['score']:.2f}", *_cells(b["right"]), b["right"]["n"]] for b in one["bins"]
            ]  # fmt: skip
            head = ["mean score", "right", "95 % interval", "n"]
            caption = f"{title}: calibration error {one['error']:.3f}"
            body += table(head, rows, says=f"Calibration of {title.lower()}", caption=caption)
    return Section(
        "calibration", "Do scores mean what they say?", "A score of 0.8: right 8 of 10.", body
    )


def _wrong(content: Mapping[str, Any], sample: Sample) -> Section:
    pictures = dict(
        zip(sample.table["number"].to_pylist(), sample.table["picture"].to_pylist(), strict=True)
    )
    cards = "".join(
        f'<li><figure><img src="{pictures[one["number"]]}" alt="Record {one["number"]}" loading="lazy">'
        f"<figcaption>{one['number']}: <b>{plain(one['is'])}</b>, said {plain(one['said'])}</figcaption>"
        "</figure></li>"
        for one in [w for w in content["wrong"] if pictures[w["number"]]][:MOST_SHOWN]
    )
    body = f'<ul class="wrong">{cards}</ul>' if cards else paragraph("None that has a picture.")
    return Section("wrong", "Wrong labels", "Is the model wrong, or the person?", body)


def _labels(content: Mapping[str, Any]) -> Section:
    rows: list[list[object]] = [
        [one["label"], "not understood", one["detail"], one["records"]]
        for one in content["not_understood"]
    ]
    rows += [[one["label"], one["how"], one["as"], one["records"]] for one in content["understood"]]
    body = paragraph(
        f"{content['unsure']} records where you could not tell, {content['blank']} blank."
    )
    if rows:
        head = ["written", "how", "taken for", "records"]
        body += table(head, rows, says="Labels as understood", words=(1, 2))
    return Section("labels", "Your labels", "What was written, and what it was taken for.", body)


def _cells(of: Mapping[str, Any]) -> tuple[str, str]:
    return with_unit(of["value"]), interval(of["low"], of["high"])
