"""Answers -> the predictions of SpeciesNet, as JSON: ``{"predictions": [{"filepath": ...}, ...]}``.

A class is ``uuid;class;order;family;genus;species;common name`` in lower case, the species without its genus.
SpeciesNet's own ids are used for blank, animal, human, vehicle and "no cv result"; every other id is a
version 5 UUID of the six names. A label whose lineage is not known is a common name alone.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype.errors import SourceError
from holotype.exchange.answers.answered import (
    PERSON,
    Lineages,
    Row,
    answer_rows,
    best_labels,
    epithet_of,
    is_failed,
    known_lineages,
    lineage_of,
    picture_path,
    write_json_list,
    written,
)
from holotype.exchange.answers.camera_labels import Seen, seen_of_label
from holotype.exchange.answers.writing import HUMAN, Written
from holotype.identify.columns import Decision

_RANKS = ("class", "order", "family", "genus", "species")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/google/cameratrapai")
_NO_RESULT = ";".join(["f2efdae9-efb8-48fb-8a91-eccf79ab4ffb", *["no cv result"] * 6])
_SEEN: Mapping[Seen, str] = {
    Seen.BLANK: "f1856211-cfb7-4a5b-9158-c0f72fd09ee6;;;;;;blank",
    Seen.ANIMAL: "1f689929-883d-4dae-958c-3d57ab5b6c16;;;;;;animal",
    Seen.HUMAN: "990ae9dd-7a59-4344-afcb-1b7b21368000;mammalia;primates;hominidae;homo;sapiens;human",
    Seen.VEHICLE: "e2895ed5-780b-48f6-8a11-9e27cb594511;;;;;;vehicle",
}
_HUMAN_RANKS = _SEEN[Seen.HUMAN].split(";")[1:6]
SAME_PICTURE = "several records of one picture: the first stands for it"


def write_speciesnet(answers: pa.Table, out: Path, *, lineages: Lineages | None = None) -> Written:
    """Writes one prediction for each picture.

    ``classifications`` are the five best labels; ``prediction`` is the safe answer, ``prediction_source``
    ``classifier``, ``classifier+rollup_to_<rank>`` above the label, or ``unknown``. What could not be read
    has ``failures`` and no prediction. There is no detector, and so no ``detections``.

    Args:
        answers: of pictures.
        out: the JSON file.
        lineages: of the labels; without it, those that the answers show.
    """
    known = known_lineages(answers) if lineages is None else lineages
    left_out: Counter[str] = Counter()
    count = write_json_list(out, {}, "predictions", _predictions(answers, known, left_out))
    return written(answers, left_out, {"predictions": count})


def class_text(lineage: Mapping[str, str], label: str) -> str:
    """Returns a class as SpeciesNet writes it.

    Raises:
        SourceError: when a name has a semicolon, which parts the names.

    >>> lineage = {"class": "Mammalia", "genus": "Ursus", "species": "Ursus arctos"}
    >>> class_text(lineage, "bear").partition(";")[2]
    'mammalia;;;ursus;arctos;bear'
    """
    seen = None if lineage else seen_of_label(label)
    if seen is not None:
        return _SEEN[seen]
    if [*lineage] == ["kingdom"] and lineage["kingdom"] == "Animalia":
        return _SEEN[Seen.ANIMAL]
    names = {rank: lineage.get(rank, "") for rank in _RANKS}
    names["species"] = epithet_of(names["species"], names["genus"])
    parts = [*(name.lower() for name in names.values()), label.lower()]
    if any(";" in part for part in parts):
        raise SourceError("a name with a semicolon, which SpeciesNet writes between names")
    if parts[:5] == _HUMAN_RANKS:
        return _SEEN[Seen.HUMAN]
    tail = ";".join(parts)
    return f"{uuid.uuid5(_NAMESPACE, tail)};{tail}"


def _predictions(
    answers: pa.Table, lineages: Lineages, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    taken: set[str] = set()
    for row in answer_rows(answers):
        path = picture_path(row)
        if path in taken or row["status"] == HUMAN:
            left_out[SAME_PICTURE if path in taken else PERSON] += 1
            continue
        try:
            said = _prediction(row, path, lineages)
        except SourceError as reason:
            left_out[str(reason)] += 1
            continue
        taken.add(path)
        yield said


def _prediction(row: Row, path: str, lineages: Lineages) -> dict[str, Any]:
    said: dict[str, Any] = {"filepath": path}
    if is_failed(row):
        return {**said, "failures": ["CLASSIFIER"], "model_version": _version(row)}
    country = row["country"]
    if country and len(country) == 3 and country.isascii() and country.isupper():
        said["country"] = country
    if row["latitude_deg"] is not None and row["longitude_deg"] is not None:
        said |= {"latitude": row["latitude_deg"], "longitude": row["longitude_deg"]}
    best = best_labels(row)
    said["classifications"] = {
        "classes": [class_text(lineages.get(label, {}), label) for label, _ in best],
        "scores": [score for _, score in best],
    }
    said |= _answer(row)
    return {**said, "model_version": _version(row)}


def _answer(row: Row) -> dict[str, Any]:
    if row["decision"] == Decision.UNPLACED.value or not row["answer"]:
        text, score, source = _NO_RESULT, row["score"], "unknown"
    else:
        text, score = class_text(lineage_of(row), row["answer"]), row["answer_score"]
        level = row["answer_level"]
        source = "classifier" if level == "label" else f"classifier+rollup_to_{level}"
    return {"prediction": text, "prediction_score": score, "prediction_source": source}


def _version(row: Row) -> str:
    return str(row["model"] or "")
