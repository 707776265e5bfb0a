"""What the commands share: their result, and options that mean the same everywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
CollectionOption = Annotated[Path, typer.Option("--collection", help="Folder of the collection.")]
SplitOption = Annotated[Path, typer.Option("--split", help="The split file.")]
Run = Annotated[Path, typer.Argument(help="Folder of a trained model (a bundle).")]


@dataclass(frozen=True)
class Result:
    """What a command prints, how many of its inputs failed, and whether the user has to mend something."""

    report: Any
    text: str
    as_json: bool
    failures: int = 0
    to_mend: bool = False
