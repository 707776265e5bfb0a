"""What an audit found, line by line: each with its count, whether it is a leak, and what it means."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Weight(StrEnum):
    """How much a line of an audit matters."""

    LEAK = "leak"
    NOTICE = "notice"


@dataclass(frozen=True)
class Finding:
    """One line of an audit.

    Attributes:
        line: its name in the audit.
        weight: a leak makes the split unclean; a notice is for a person to judge.
        count: how many.
        text: what is counted.
        examples: ids of records, two on different sides of the line where there are two.
    """

    line: str
    weight: Weight
    count: int
    text: str
    examples: tuple[tuple[str, ...], ...] = ()


CROSSING: dict[str, str] = {
    "specimen_id": "specimens in more than one role",
    "image_sha256": "identical image files in more than one role",
    "haplotype": "identical barcodes in more than one role",
    "near_duplicates": "val, test and key records whose image looks like one in another role",
    "acquisition_id": "acquisitions (runs, bins, scans, profiles) in more than one role",
    "sample_id": "samples in more than one role",
    "site": "sites in more than one role",
    "cruise": "cruises in more than one role",
    "date": "days in more than one role",
    "year": "years in more than one role",
    "instrument": "instruments in more than one role",
    "country": "countries in more than one role",
    "source": "sources in more than one role",
}
"""What a value that crosses is called; in a leave-out, train and val are one side and test is the other."""

LEAKS: dict[str, str] = {
    "unseen_in_train": "taxa called unseen that training names",
    "listed_twice": "records that the split names in more than one role",
}
NOTICES: dict[str, str] = {
    "may_be_unseen_in_train": "training records that might be of an unseen taxon: their label does not say",
    "conflicting_labels": "identical images in more than one role under different labels",
    "tested_upstream_in_train": "training records that the source published to validate or test on",
    "seen_not_in_train": "species called seen that training lacks",
    "classes_not_in_train": "classes asked for, but not called unseen, that training lacks",
    "without_key": "queries whose species has no key",
    "on_one_instrument": "classes asked for that one instrument alone shows: learnt from its background?",
}


def findings(audit: dict[str, Any], *, method: str | None = None) -> list[Finding]:
    """Returns the lines of an audit, leaks first, in one order; lines that do not apply are absent.

    Args:
        audit: ``Split.audit``.
        method: how the split was made; training on published test records is a leak of ``upstream``.
    """
    counted: list[tuple[str, Weight, int, str]] = [
        (line, weight, int(count), CROSSING[line])
        for weight, key in ((Weight.LEAK, "crossing"), (Weight.NOTICE, "shared"))
        for line, count in audit.get(key, {}).items()
    ]
    for weight, table in ((Weight.LEAK, LEAKS), (Weight.NOTICE, NOTICES)):
        for line, text in table.items():
            count = audit.get(line)
            if count is not None:
                counted.append(
                    (line, weight, len(count) if isinstance(count, list) else count, text)
                )
    examples = audit.get("examples", {})
    found = [
        Finding(
            line,
            Weight.LEAK if (line, method) == ("tested_upstream_in_train", "upstream") else weight,
            count,
            text,
            tuple(map(tuple, examples.get(line, []))),
        )
        for line, weight, count, text in counted
    ]
    return sorted(found, key=lambda finding: finding.weight is not Weight.LEAK)


def told(audit: dict[str, Any], *, method: str | None = None) -> str:
    """Returns an audit as lines for a person: the verdict, then every count that is not 0, with examples."""
    lines = ["audit: nothing crosses" if audit["clean"] else "audit: LEAKS"]
    for finding in findings(audit, method=method):
        if finding.count:
            ids = "; ".join(" = ".join(pair) for pair in finding.examples)
            lines.append(
                f"  {finding.weight:6} {finding.count:8,}  {finding.text}"
                + (f" (e.g. {ids})" if ids else "")
            )
    return "\n".join(lines)
