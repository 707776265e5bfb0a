"""An assessment as plain values, and as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from holotype.assessing.domain import Domain
from holotype.assessing.findings import findings
from holotype.assessing.judging import judge
from holotype.assessing.looks import Look, differences, in_words, known_looks, summary_of
from holotype.assessing.sample import FORMAT, VERSION, Sample
from holotype.assessing.written import JUDGED, How, Written
from holotype.models.bundle import Bundle
from holotype.page.words import interval, percent, some

PROMISE = {
    "kept": "kept",
    "broken": "broken",
    "cannot be told": "neither kept nor broken for sure: label more records",
    "no answers": "no record has a safe answer",
}


def examined(
    bundle: Bundle,
    sample: Sample,
    written: Sequence[Written],
    *,
    max_error: float,
    domain: Domain,
    known_summary: Mapping[str, Any],
) -> dict[str, Any]:
    """Returns the content of ``report.json``; see docs/formats/assessment.md."""
    judged = judge(
        sample.table, written, bundle.labels, weight_S=sample.weight_S, stratum_S=sample.strata
    )
    untaught = [
        written[row].label is None and written[row].how is How.WIDER for row in judged.row_S
    ]
    rows = sample.table.select(["size_px", "grey", "border", "colour"]).to_pylist()
    own = summary_of(Look(**row) for row in rows if row["size_px"] is not None)
    known = known_looks(known_summary)
    misses = Counter(one for one in written if one.how is How.NOTHING)
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": {
            "name": bundle.manifest["training"]["recipe"]["name"],
            "fingerprint": bundle.fingerprint,
            "labels": len(bundle.labels),
        },
        "records": sample.manifest["records"],
        "drawn": len(sample),
        "labelled": len(judged),
        "unsure": sum(one.how is How.UNSURE for one in written),
        "blank": sum(one.how is How.BLANK for one in written),
        "not_understood": [
            {"label": one.text, "records": count, "detail": one.detail}
            for one, count in sorted(misses.items(), key=lambda pair: (-pair[1], pair[0].text))
        ],
        "understood": [
            {"label": one.text, "as": one.detail, "how": one.how.value, "records": count}
            for one, count in sorted(Counter(written).items(), key=lambda pair: pair[0].text)
            if one.how in JUDGED and one.how is not How.LABEL
        ],
        **findings(judged, max_error=max_error, unknown=untaught),
        "instrument": asdict(domain),
        "looks": None if own is None else {
            "own": own, "in_words": in_words(own), "model": known,
            "differences": differences(own, known) if known is not None else [],
        },
        "wrong": [
            {"number": int(sample.table["number"][int(row)].as_py()), "is": truth, "said": said}
            for row, truth, said, verdict in zip(
                judged.row_S, judged.truth_S, judged.said_S, judged.label_S, strict=True
            ) if verdict == 0
        ],
    }  # fmt: skip


def told(content: Mapping[str, Any]) -> str:
    """Returns the assessment as the lines that the command prints."""
    found, promise = content["accuracy"], content["promise"]
    lines = [
        f"{content['labelled']} of {content['drawn']} drawn records judged, for {content['records']:,}",
        f"best label right: {measured_share(found['label'])}",
        f"safe answer given: {measured_share(found['answered'])}",
        f"safe answer right: {measured_share(found['answer'])}",
        f"error of safe answers {measured_share(promise['error'])}",
        f"promise of at most {percent(promise['max_error'])} %: {PROMISE[promise['verdict']]}",
    ]
    score = content["calibration"]["label"]
    if score is not None:
        gap = score["too_sure_by"]
        lines.append(
            f"mean score less share right: {100 * gap['value']:+.1f} points "
            f"({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}), calibration error {score['error']:.3f}"
        )
    lines.append(content["instrument"]["sentence"])
    looks = content["looks"]
    if looks is not None:
        lines.append(f"your images: {looks['in_words']}")
        lines += [f"  {text}" for text in looks["differences"]]
    worst = [one for one in content["classes"] if one["worst"] is not None][:5]
    lines += [
        f"  {one['label']}: found {measured_share(one['recall'])}, "
        f"right when said {measured_share(one['precision'])}"
        for one in worst
    ]
    lines += [
        f"not understood: '{one['label']}' ({some(one['records'], 'record')}). {one['detail']}".rstrip()
        for one in content["not_understood"]
    ]
    return "\n".join(lines)


def measured_share(of: Mapping[str, Any]) -> str:
    """Returns a share in per cent with its interval and number of records."""
    if of["value"] is None:
        return "not measured"
    return f"{percent(of['value'])} % ({interval(of['low'], of['high'])}, n {of['n']})"
