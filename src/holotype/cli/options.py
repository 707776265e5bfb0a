"""What the commands share: their result, and options that mean the same everywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
CollectionOption = Annotated[Path, typer.Option("--collection", help="Folder of the collection.")]
SplitOption = Annotated[Path, typer.Option("--split", help="The split file.")]
Run = Annotated[Path, typer.Argument(help="Folder of a trained model (a bundle).")]

ModelAndInputs = Annotated[
    list[str],
    typer.Argument(
        metavar="[RUN] INPUTS...",
        help="A model's folder first, or none: the starter; then whatever import reads, or @LIST of paths.",
    ),
]

AllowLicence = Annotated[
    Optional[list[str]],
    typer.Option("--allow-licence", help="CC-BY-4.0, CC-BY*, open, non-commercial, gbif; repeat."),
]
Kind = Annotated[
    Optional[str], typer.Option(help="What the inputs are: ecotaxa, ifcb ... Found by default.")
]
Preset = Annotated[Optional[str], typer.Option(help="Column map of tables.")]
ImagesOfTables = Annotated[
    Optional[Path],
    typer.Option(help="Folder or archive that image paths of tables are relative to."),
]
RecordsOfInputs = Annotated[
    Optional[Path],
    typer.Option(help="Only the records of this list of ids, one a line."),
]
Model = Annotated[
    Optional[str], typer.Option(help="The model's folder, where it is not the first word.")
]
Device = Annotated[str, typer.Option(help="Where the model works: cpu, cuda, cuda:1 or mps.")]
BATCH_SIZE = 32
BatchSize = Annotated[int, typer.Option(help="Specimens that the model reads at a time.")]


@dataclass(frozen=True)
class Result:
    """What a command prints, how many of its inputs failed, and whether the user has to mend something."""

    report: Any
    text: str
    as_json: bool
    failures: int = 0
    to_mend: bool = False


def parted(given: list[str], model: str | None = None) -> tuple[str, list[str]]:
    """Returns the model and the inputs: the first word is the model, if it is one or nothing else.

    Of ``--model`` all words are inputs.

    A first word that is neither a file nor a list of files, with others behind it, is a model that is not
    there.
    """
    from holotype.models.places import STARTER, is_bundle

    if model is not None:
        return model, given
    first, *others = given
    is_input = Path(first).exists() or first.startswith("@")
    if is_bundle(first) or (others and not is_input):
        return first, others
    return STARTER, given
