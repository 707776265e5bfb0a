"""Class and feature files of IFCB bins: who called which region what, by hand or by machine.

Read are manual ``<bin>.mat`` (classlist; MATLAB 5 and 7.3), automatic ``<bin>_class_v1.mat``,
``_class_v2.h5``, ``_class_v3.h5`` / ``_class.h5``, ``<bin>.csv`` and ``<bin>.prob.csv`` with a file of
thresholds, and the tables of ``<bin>_features_v4.csv`` / ``_fea_v2.csv``. What a file is, its content says.
"""

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from holotype.collection.sources.ifcb.class_tables import read_class_table
from holotype.collection.sources.ifcb.content import (
    UNCLASSIFIED,
    Automatic,
    ClassFile,
    Room,
    clearing,
)
from holotype.collection.sources.ifcb.matlab import read_matlab_5
from holotype.errors import MediaError, SourceError
from holotype.media.members import Member

_MATLAB_VARIABLES = (
    "classlist", "class2use_manual", "class2use_auto", "class2use", "default_class_original",
    "roinum", "TBclass", "TBclass_above_threshold", "TBscores", "classifierName",
)  # fmt: skip
_UNREADABLE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, EOFError, struct.error,
    zlib.error, MemoryError, RuntimeError, ArithmeticError, AssertionError,
)  # fmt: skip


def read_class_file(member: Member, thresholds: Mapping[str, float]) -> ClassFile:
    """Returns the content of a class or feature file.

    Args:
        member: the file.
        thresholds: score by class, for the ``.prob.csv`` of SYKE.

    Raises:
        SourceError: when it is none, or damaged; says what to do.
    """
    if member.size == 0:
        raise SourceError(f"{member.name}: empty (0 bytes). Copy it again, or remove it.")
    if member.suffix == ".csv":
        return read_class_table(member, thresholds)
    try:
        content = member.read()
        if member.suffix == ".h5" or content[:10] == b"MATLAB 7.3":
            return _read_hdf(content)
        return _of_matlab(read_matlab_5(content, _MATLAB_VARIABLES))
    except (MediaError, *_UNREADABLE) as reason:
        said = " ".join(str(reason).split()) or type(reason).__name__
        raise SourceError(
            f"{member.name}: no class file that can be read ({said}). Copy it again, or remove it."
        ) from reason


def read_thresholds(member: Member) -> dict[str, float]:
    """Returns score by class of a text file with one class and one number a line.

    Raises:
        SourceError: names the line that is none.
    """
    found: dict[str, float] = {}
    for line, text in enumerate(member.read().decode("utf-8-sig", "replace").splitlines(), start=1):
        if text.strip():
            name, _, number = text.replace(",", " ").strip().rpartition(" ")
            try:
                found[name.strip()] = float(number)
            except ValueError:
                raise SourceError(
                    f"{member.name}, line {line}: '{text[:60]}' is no class and threshold. Write "
                    "'Aphanizomenon_flosaquae 0.7'."
                ) from None
    return found


def _texts(value: Any) -> list[str]:
    return [str(text).strip() for text in np.atleast_1d(value)] if np.size(value) else []


def _of_matlab(found: Mapping[str, Any]) -> ClassFile:
    if "classlist" in found:
        return _manual(found)
    if "roinum" in found and "TBclass" in found:
        return _first_version(found)
    names = sorted(name for name in found if not name.startswith("__"))
    raise ValueError(f"neither classlist nor roinum and TBclass, but {', '.join(names)[:120]}")


def _manual(found: Mapping[str, Any]) -> ClassFile:
    rows = np.atleast_2d(np.asarray(found["classlist"], dtype=float))
    manual_names = _texts(found.get("class2use_manual", found.get("class2use", [])))
    auto_names = _texts(found.get("class2use_auto", [])) or manual_names
    manual: dict[int, str] = {}
    automatic: dict[int, Automatic] = {}
    for row in rows:
        if len(row) > 1 and np.isfinite(row[1]) and row[1] >= 1:
            manual[int(row[0])] = manual_names[int(row[1]) - 1]
        if len(row) > 2 and np.isfinite(row[2]) and row[2] >= 1:
            label = auto_names[int(row[2]) - 1]
            automatic[int(row[0])] = Automatic(label, label, "")
    untouched = found.get("default_class_original", UNCLASSIFIED)
    return ClassFile(manual, str(untouched) if np.size(untouched) else "", earlier=automatic)


def _first_version(found: Mapping[str, Any]) -> ClassFile:
    regions = np.atleast_1d(found["roinum"])
    winners = _texts(found["TBclass"])
    labels = _texts(found.get("TBclass_above_threshold", [])) or winners
    scores = np.asarray(found["TBscores"], dtype=float).reshape(len(regions), -1).max(axis=1)
    classifier = str(found.get("classifierName", "")).replace("\\", "/").rpartition("/")[2]
    return _automatic(regions, labels, winners, scores, classifier.removesuffix(".mat"))


def _automatic(
    regions: Any, labels: list[str], winners: list[str], scores: Any, classifier: str
) -> ClassFile:
    if not len(regions) == len(labels) == len(winners) == len(scores):
        counts = f"{len(regions)} regions, {len(labels)} classes, {len(scores)} rows of scores"
        raise ValueError(f"{counts} do not fit together")
    rows = zip(regions, labels, winners, scores, strict=True)
    by_region = {
        int(n): Automatic(label, won, f"{s:.6g}" if np.isfinite(s) else "")
        for n, label, won, s in rows
    }
    return ClassFile(automatic=by_region, classifier=classifier)


def _read_hdf(content: bytes) -> ClassFile:
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        if "classlist" in file or "roinum" in file:
            room = Room()
            wanted = [name for name in _MATLAB_VARIABLES if name in file]
            return _of_matlab({name: _matlab_7(file, file[name], room) for name in wanted})
        return _later_version(file)


def _matlab_7(file: Any, dataset: Any, room: Room) -> Any:
    """Returns a variable of a MATLAB 7.3 file: text, a list of texts, or numbers with rows first."""
    kind = dataset.attrs.get("MATLAB_class", b"")
    if dataset.attrs.get("MATLAB_empty", 0):
        return []
    if kind == b"cell":
        return [_matlab_7(file, file[place], room) for place in room.read(dataset).ravel()]
    values = np.asarray(room.read(dataset))
    if kind == b"char":
        return "".join(chr(letter) for letter in values.T.ravel())
    return values.T.squeeze() if min(values.shape, default=0) == 1 else values.T


def _later_version(file: Any) -> ClassFile:
    scores_of = file["output_scores"] if "output_scores" in file else file["scores"]
    room = Room()
    regions = room.read(file["roi_numbers"])
    names = (
        room.read(file["class_labels"])
        if "class_labels" in file
        else scores_of.attrs["class_labels"]
    )
    if scores_of.shape != (len(regions), len(names)):
        shape = " x ".join(f"{size:,}" for size in scores_of.shape)
        raise ValueError(f"{shape} scores for {len(regions):,} regions and {len(names):,} classes")
    scores = np.asarray(room.read(scores_of), dtype=float)
    classes = [_decoded(name) for name in names]
    best = scores.argmax(axis=1)
    winners = [classes[place] for place in best]
    labels = winners
    if "class_name" in file:
        labels = [_decoded(name) for name in room.read(file["class_name"])]
    elif "thresholds" in file:
        limits = room.read(file["thresholds"])
        labels = [
            clearing(
                {c: float(s) for c, s in zip(classes, row, strict=True)},
                dict(zip(classes, limits, strict=True)),
            )
            for row in scores
        ]
    stated = room.read(file["classifier_name"]) if "classifier_name" in file else None
    classifier = _decoded(np.atleast_1d(stated)[0]) if stated is not None else ""
    classifier = classifier or _decoded(
        file.attrs.get("model_id", scores_of.attrs.get("model_id", ""))
    )
    return _automatic(regions, labels, winners, scores.max(axis=1), classifier)


def _decoded(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
