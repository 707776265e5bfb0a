"""One assessment in the workspace: what was brought, what was drawn, what people wrote, and the report.

``started.json``: the job that draws, and what it draws from. ``draw/``: docs/formats/assessment.md.
``labels.jsonl``: one line for each label that was written, on disk before the next record is shown; the last
one of a number holds. ``pictures/``: the drawn images, large enough to name them. ``brought/``: the visitor's
own files, until the pictures are there, or for seven days.
"""

import csv
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holotype import files, journal
from holotype.app.pages.assess_brought import (
    BROUGHT,
    DRAW,
    KEY,
    PICTURES,
    STARTED,
    forget_old,
    let_go,
    make_pictures,
)
from holotype.app.pages.assess_written import Written, WrittenLabels
from holotype.app.upload_names import free_name, safe_name
from holotype.app.uploads import Refused, Upload, UploadLimits, scratch_folder, specimens_of
from holotype.assessing.assess import AssessReport, assess
from holotype.assessing.sample import MANIFEST, PAGE, REPORT, Sample, open_sample
from holotype.assessing.sheet import COLUMNS
from holotype.errors import MediaError, SourceError

FOLDER = "assessments"
FILLED = "labels.csv"
LOCK = ".pictures.lock"
BARCODES = "barcodes.fasta"


@dataclass(frozen=True)
class Started:
    """What is drawn from.

    Attributes:
        job: the id of the job that draws.
        title: what a person calls it.
        inputs: files and folders.
        n: how many are to be drawn.
        by: who began it.
        refused: uploaded files that were not taken, each with its reason.
    """

    job: str
    title: str
    inputs: tuple[str, ...]
    n: int
    by: str
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Assessment:
    """One assessment.

    Attributes:
        folder: where it lies.
        started: what it was begun with.
    """

    folder: Path
    started: Started

    @property
    def key(self) -> str:
        """Its name, in addresses."""
        return self.folder.name

    @property
    def is_drawn(self) -> bool:
        """Whether the draw is whole."""
        return (self.folder / DRAW / MANIFEST).is_file()

    @property
    def page(self) -> Path:
        """The report as one page."""
        return self.folder / DRAW / PAGE

    def sample(self, *, model: str) -> Sample:
        """Returns the draw.

        Raises:
            SourceError: when it was drawn by the answers of another model.
        """
        return open_sample(self.folder / DRAW, model=model)

    def labels(self) -> dict[int, str]:
        """Returns what was written, by number; "" where a label was taken back. A torn line is left out."""
        return {number: one.label for number, one in self.written.read().items()}

    @property
    def written(self) -> WrittenLabels:
        """The labels with who wrote them."""
        return WrittenLabels(self.folder)

    def write(self, number: int, label: str, *, by: str = "") -> Written | None:
        """Writes a label; when this returns, it is on disk.

        Returns:
            What stood there until then; None where nothing was ever written.

        Raises:
            SourceError: for text that is no label.
        """
        return self.written.write(number, label, by=by)

    def report(self) -> dict[str, Any] | None:
        """Returns the report that was made; None before."""
        try:
            found = json.loads((self.folder / DRAW / REPORT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def make_report(self, run: Path | str) -> AssessReport:
        """Says how good the model is on what was labelled so far, as ``holotype assess --labels`` does.

        Raises:
            SourceError: when no label was understood.
        """
        path = self.folder / FILLED
        with (
            files.written_whole(path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as out,
        ):
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(COLUMNS)
            for number, label in sorted(self.labels().items()):
                guarded = f"'{label}" if label[:1] in "=+-@'" and label != "-" else label
                writer.writerow((number, "", guarded, ""))
        return assess(run, path, out=self.folder / DRAW)

    def make_pictures(self, numbers: dict[str, int]) -> None:
        """Writes the drawn images that are not there yet, large; what cannot be read stays small.

        After that nothing needs what was brought any more, and it goes. Of several people who open an
        assessment at once one does this, and the others wait.

        Args:
            numbers: number by input.
        """
        with journal.held(self.folder / LOCK):
            make_pictures(self.folder, self.started.inputs, numbers)
            if self.is_drawn:
                let_go(self.folder)

    def picture(self, number: int) -> bytes | None:
        """Returns a drawn image, encoded; None where only the small one of the draw is there."""
        try:
            return (self.folder / PICTURES / f"{number}.image").read_bytes()
        except OSError:
            return None


def new_folder(workspace: Path) -> Path:
    """Returns a new folder of an assessment; it counts once ``begin`` has written into it. Old files go."""
    forget_old(workspace / FOLDER)
    key = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    folder = workspace / FOLDER / key
    (folder / BROUGHT).mkdir(parents=True)
    return folder


def begin(folder: Path, started: Started) -> Assessment:
    """Writes what an assessment was begun with."""
    files.write_json(folder / STARTED, asdict(started))
    return Assessment(folder, started)


def open_assessment(workspace: Path, key: str) -> Assessment | None:
    """Returns an assessment; None where there is none of this name."""
    folder = workspace / FOLDER / key
    if not KEY.fullmatch(key):
        return None
    try:
        told = json.loads((folder / STARTED).read_text(encoding="utf-8"))
        refused = tuple((str(name), str(why)) for name, why in told.get("refused", []))
        return Assessment(
            folder,
            Started(
                told["job"], told["title"], tuple(told["inputs"]), told["n"], told["by"], refused
            ),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def assessments(workspace: Path, *, most: int = 50) -> list[Assessment]:
    """Returns those of a workspace, the latest first."""
    place = workspace / FOLDER
    names = sorted((one.name for one in place.iterdir()), reverse=True) if place.is_dir() else []
    found = (open_assessment(workspace, name) for name in names if KEY.fullmatch(name))
    return [one for one in found if one is not None][:most]


def take_in(
    folder: Path, uploads: Sequence[Upload], limits: UploadLimits
) -> tuple[Path, list[Refused]]:
    """Writes what was uploaded as plain files: images one by one, barcodes as one FASTA; archives unpacked.

    Returns:
        The folder to draw from, and what was refused with its reason.

    Raises:
        SourceError: when nothing can be drawn from.
    """
    place = folder / BROUGHT
    taken: set[str] = set()
    barcodes = []
    with scratch_folder(folder) as scratch:
        found, refused = specimens_of(uploads, limits, scratch)
        for one in found:
            if one.read_image is not None:
                try:
                    content = one.read_image()
                except (MediaError, OSError, ValueError) as reason:
                    refused.append(Refused(one.input, str(reason)))
                    continue
                name = free_name(safe_name(one.input), taken)
                taken.add(name)
                (place / name).write_bytes(content)
            elif one.barcode:
                barcodes.append(f">{safe_name(one.input).replace(' ', '_')}\n{one.barcode}\n")
    if barcodes:
        (place / free_name(BARCODES, taken)).write_text("".join(barcodes), encoding="utf-8")
    if not taken and not barcodes:
        said = "; ".join(f"{one.name}: {one.reason}" for one in refused[:5])
        raise SourceError(f"Nothing to draw from was found. {said}".strip())
    return place, refused


def suggestions(names: Sequence[str], typed: str, *, most: int = 8) -> list[str]:
    """Returns names that a text may become: those that begin with it, then words of them, then parts.

    >>> suggestions(["Copepoda", "Calanus", "Oithona copepodite"], "cop")
    ['Copepoda', 'Oithona copepodite']
    """
    asked = " ".join(typed.split()).casefold()
    if not asked:
        return []
    ranked = []
    for name in names:
        folded = name.casefold()
        if asked in folded:
            worth = 0 if folded.startswith(asked) else 1 if f" {asked}" in folded else 2
            ranked.append((worth, len(name), folded, name))
    return [name for *_, name in sorted(ranked)[:most]]
