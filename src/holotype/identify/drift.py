"""Answers as they go by -> running statistics; at the end, what is not as when the model was made."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.channels import Channel
from holotype.decisions.drift import drift
from holotype.decisions.preparation import preparation_print
from holotype.decisions.store import stored_summary
from holotype.decisions.summary import Finding, Statistics, statistics
from holotype.identify.inputs import Loaded
from holotype.models.bundle import Bundle
from holotype.progress import note


def statistics_of(
    chunk: Sequence[Loaded],
    rows: Sequence[Mapping[str, Any]],
    embedding_BD: NDArray[np.float32] | None,
) -> Statistics:
    """Returns the statistics of some answers; specimens without an embedding are left out.

    Args:
        chunk: the specimens.
        rows: their answers.
        embedding_BD: their embeddings, nan where there is none.
    """
    channel_B = np.asarray([_channel(one) for one in chunk], dtype=np.str_)
    found: dict[str, NDArray[np.float32]] = {}
    if embedding_BD is not None and len(chunk):
        whole_B = np.isfinite(embedding_BD).all(axis=1)
        for channel in Channel:
            found[channel.value] = embedding_BD[whole_B & (channel_B == channel.value)]
    seen = [one for one in chunk if one.square_SSC is not None]
    sides = [
        [one.specimen.context[f"image_{side}_px"] for side in ("width", "height")] for one in seen
    ]
    return statistics(
        found,
        Counter(row["label"] for row in rows if row["label"] is not None),
        [one.grey_mean or 0.0 for one in seen],
        np.sqrt(np.prod(np.asarray(sides, np.float64).reshape(-1, 2), axis=1)),
    )


def _channel(one: Loaded) -> str:
    """Returns what the answer to a specimen rests on; "" where it has nothing that can be read."""
    has = (one.square_SSC is not None, one.specimen.barcode is not None)
    known = {
        (True, True): Channel.BOTH.value,
        (True, False): Channel.IMAGE.value,
        (False, True): Channel.BARCODE.value,
    }
    return known.get(has, "")


def watch(bundle: Bundle, stream: Statistics) -> list[Finding]:
    """Returns how far a stream of answers is from what the bundle was made on, by every measure there is."""
    summary = stored_summary(bundle.path)
    if "embedding" not in summary:
        return []
    return drift(summary, stream, preparation=preparation_print(bundle.pixels))


def tell(findings: Sequence[Finding]) -> None:
    """Prints what differs, a line each, on stderr."""
    for finding in findings:
        if finding.is_drift:
            note(f"drift: {finding.text}")


def findings_as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Returns findings as plain values; the text only of those that differ."""
    told = []
    for finding in findings:
        plain = {**asdict(finding), "kind": finding.kind.value, "drift": finding.is_drift}
        plain["effect"] = round(finding.effect, 6)
        if not finding.is_drift:
            del plain["text"]
        told.append(plain)
    return told
