"""The fields of a form -> the words of a command line, each checked before anything is started."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype.errors import did_you_mean
from holotype.jobs.allowed import Allowed
from holotype.jobs.job import JobError
from holotype.jobs.outputs import Made, check_file, check_folder
from holotype.models.places import STARTER, is_bundle

MOST_TEXT = 1_000
MOST_PATHS = 1_000


class FieldKind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    WHOLE = "whole"
    MODEL = "model"
    COLLECTION = "collection"
    INPUT = "input"
    INPUTS = "inputs"
    OUT_FOLDER = "out_folder"
    OUT_FILE = "out_file"


WRITTEN = frozenset((FieldKind.OUT_FOLDER, FieldKind.OUT_FILE))
PATHS = frozenset(FieldKind) - {FieldKind.TEXT, FieldKind.CHOICE, FieldKind.NUMBER, FieldKind.WHOLE}


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        name: its key.
        title: what stands beside it.
        kind: what it takes.
        option: the option of the command line; "" for a word without one, in the order of the fields.
        about: what it is for, in one sentence.
        needed: whether the command cannot do without.
        default: what stands in it at first.
        choices: of a choice.
        endings: of a file to write.
        least: of a number.
        most: of a number.
        made: what is written there: of an earlier one of the same kind it is known that it may be replaced.
        home: where in the workspace it may be written, as ``reviews/*``; "" for outside of what the server
            keeps.
    """

    name: str
    title: str
    kind: FieldKind
    option: str = ""
    about: str = ""
    needed: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    least: float = -math.inf
    most: float = math.inf
    made: Made = Made.TABLE
    home: str = ""


class FieldsError(JobError):
    """Fields that cannot be used, each with its reason.

    Attributes:
        reasons: by the name of the field.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        self.reasons = dict(reasons)


def words_of(fields: Sequence[Field], values: Mapping[str, Any], allowed: Allowed) -> list[str]:
    """Returns the words of a command line.

    Values are joined to their options by ``=``, and paths are absolute: none can be read as an option.

    Raises:
        FieldsError: with a reason for each field that is missing, wrong, unknown, or outside of the folders.
    """
    reasons: dict[str, str] = {}
    words: list[str] = []
    known = [field.name for field in fields]
    for name in values.keys() - set(known):
        reasons[str(name)] = f"no such field.{did_you_mean(str(name), known)}"
    for field in fields:
        try:
            found = checked(field, values.get(field.name), allowed)
        except JobError as reason:
            reasons[field.name] = str(reason)
            continue
        words += [f"{field.option}={one}" if field.option else one for one in found]
    if reasons:
        raise FieldsError(reasons)
    return words


def checked(field: Field, value: Any, allowed: Allowed) -> list[str]:
    """Returns the words that a value of a field becomes; none where it is blank and may be.

    Raises:
        JobError: says what is wrong with it.
    """
    texts = [line.strip() for line in str("" if value is None else value).splitlines()]
    texts = [text for text in texts if text]
    if not texts:
        if field.needed:
            raise JobError("is needed.")
        return []
    if field.kind is not FieldKind.INPUTS and len(texts) > 1:
        raise JobError("takes one line.")
    if len(texts) > MOST_PATHS:
        raise JobError(f"{len(texts):,} lines; at most {MOST_PATHS:,}. Name their folder.")
    if any("\0" in text or len(text) > MOST_TEXT for text in texts):
        raise JobError(f"text of at most {MOST_TEXT:,} letters is needed.")
    return [_CHECKS[field.kind](field, text, allowed) for text in texts]


def _text(field: Field, text: str, allowed: Allowed) -> str:
    return text


def _choice(field: Field, text: str, allowed: Allowed) -> str:
    if text not in field.choices:
        raise JobError(f"'{text}' is none of the choices.{did_you_mean(text, field.choices)}")
    return text


def _number(field: Field, text: str, allowed: Allowed) -> str:
    try:
        number = float(text)
    except ValueError:
        raise JobError(f"'{text}' is no number; write it as 0.05.") from None
    if not field.least <= number <= field.most:
        raise JobError(f"{text} is not between {field.least:g} and {field.most:g}.")
    if field.kind is FieldKind.WHOLE:
        if number != int(number):
            raise JobError(f"{text} is no whole number.")
        return str(int(number))
    return f"{number:.12g}"


def _input(field: Field, text: str, allowed: Allowed) -> str:
    path = allowed.path(text)
    if not path.exists():
        raise JobError(f"{text}: no such file or folder. Check the path.")
    return str(path)


def _model(field: Field, text: str, allowed: Allowed) -> str:
    if text == STARTER:
        return text
    path = Path(_input(field, text, allowed))
    if not is_bundle(path):
        raise JobError(f"{text}: no model is in this folder.")
    return str(path)


def _collection(field: Field, text: str, allowed: Allowed) -> str:
    path = Path(_input(field, text, allowed))
    if not (path / "collection.json").is_file():
        raise JobError(f"{text}: no collection is in this folder.")
    return str(path)


def _out_file(field: Field, text: str, allowed: Allowed) -> str:
    path = allowed.path(text)
    if path.is_dir():
        raise JobError(f"{text}: is a folder; name a file.")
    if field.endings and path.suffix.lower() not in field.endings:
        raise JobError(f"{text}: end it in {' or '.join(field.endings)}.")
    check_file(path, text, field.made, allowed)
    return str(path)


def _out_folder(field: Field, text: str, allowed: Allowed) -> str:
    path = allowed.path(text)
    if path.exists() and not path.is_dir():
        raise JobError(f"{text}: is a file; name a folder.")
    check_folder(path, text, field.made, allowed, home=field.home)
    return str(path)


_CHECKS: dict[FieldKind, Callable[[Field, str, Allowed], str]] = {
    FieldKind.TEXT: _text,
    FieldKind.CHOICE: _choice,
    FieldKind.NUMBER: _number,
    FieldKind.WHOLE: _number,
    FieldKind.MODEL: _model,
    FieldKind.COLLECTION: _collection,
    FieldKind.INPUT: _input,
    FieldKind.INPUTS: _input,
    FieldKind.OUT_FOLDER: _out_folder,
    FieldKind.OUT_FILE: _out_file,
}
