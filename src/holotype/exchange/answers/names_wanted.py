"""Which names a user of pybioclip's options asks for, and whether the options go together."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype.errors import SourceError, did_you_mean, first_few
from holotype.exchange.answers.best_names import LABEL
from holotype.exchange.answers.forms import FORMS
from holotype.exchange.answers.pybioclip import check_k
from holotype.identify.columns import RANKS

FORM = "pybioclip"


class Shape(StrEnum):
    """How rows are written."""

    CSV = "csv"
    TABLE = "table"


@dataclass(frozen=True)
class Wanted:
    """What names are asked for; at most one of classes, bins and subset.

    Attributes:
        rank: a Linnaean rank, or ``label``; species by default.
        k: how many a specimen; by default five, and all classes or bins.
        classes: of the user's own: a list with commas, or a file with one a line.
        bins: a CSV of classes and their bins.
        subset: a CSV of taxa, under the name of their rank: no other is a candidate.
        shape: ``csv`` or ``table``.
    """

    rank: str | None = None
    k: int | None = None
    classes: str | None = None
    bins: Path | None = None
    subset: Path | None = None
    shape: Shape = Shape.CSV

    def __post_init__(self) -> None:
        check_k(self.k)
        own = {"--cls": self.classes, "--bins": self.bins, "--subset": self.subset}
        given = [name for name, value in own.items() if value is not None]
        if len(given) > 1:
            raise SourceError(f"{' and '.join(given)}: give one of them.")
        if self.rank is None:
            return
        if self.rank.lower() not in (*RANKS, LABEL):
            raise SourceError(
                f"--rank {self.rank}: no such rank.{did_you_mean(self.rank, [*RANKS, LABEL])}"
            )
        if self.is_of_classes:
            raise SourceError(
                f"--rank and {given[0]}: classes of your own have no rank. Leave it out."
            )

    @property
    def is_of_classes(self) -> bool:
        """Whether names are classes of the user's own."""
        return self.classes is not None or self.bins is not None


def names_wanted(
    asked: Mapping[str, Any], form: str | None, *, out: Path | None, output: Path | None
) -> Wanted | None:
    """Returns which names are wanted, or None where answers alone are.

    They are where a file is named for them, where no file is named for answers, and for the format
    ``pybioclip``, which means the file of ``out``.

    Args:
        asked: ``rank``, ``k``, ``cls``, ``bins`` and ``subset``, None where not said.
        form: ``csv``, ``table``, a format of ``publish``, or None.
        out: the file for answers.
        output: the file for names.

    Raises:
        SourceError: for options that would do nothing, or contradict one another.
    """
    said = [f"--{name}" for name, value in asked.items() if value is not None]
    if form == FORM or form is None or form in set(Shape):
        if form == FORM and (out is None or output is not None):
            raise SourceError(f"--format {form} writes --out. Name that file, and no --output.")
        if out is not None and output is None and form != FORM:
            if said or form is not None:
                options = first_few(said or [f"--format {form}"])
                raise SourceError(
                    f"{options}: of the best names, and --out has the answers. Add --output FILE."
                )
            return None
        own = {
            "classes": asked["cls"],
            **{name: asked[name] for name in ("rank", "k", "bins", "subset")},
        }
        return Wanted(**own, shape=Shape.TABLE if form == Shape.TABLE else Shape.CSV)
    if out is None or output is not None:
        known = [*Shape, *FORMS]
        if form not in FORMS:
            raise SourceError(f"--format {form}: no such format.{did_you_mean(form, known)}")
        raise SourceError(f"--format {form}: is written to --out. Name that file, and no --output.")
    if said:
        raise SourceError(f"{first_few(said)}: nothing for --format {form}. Leave it out.")
    return None
