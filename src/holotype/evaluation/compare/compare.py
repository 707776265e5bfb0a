"""The command ``compare``: objectives x seeds x splits at one budget -> one report.

Format: docs/formats/report.md. Figures are pooled over seeds, differences are paired, claims are judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holotype import files
from holotype.collection.store import open_collection
from holotype.errors import RecipeError
from holotype.evaluation.compare.content import comparison_content
from holotype.evaluation.compare.fairness import differences, refuse_unequal
from holotype.evaluation.compare.running import State, plan_jobs, run_jobs
from holotype.evaluation.compare.settings import read_comparison
from holotype.progress import note
from holotype.splits.plan import Split, check_fits, read_split


@dataclass(frozen=True)
class CompareReport:
    """What a comparison found.

    Attributes:
        report: its folder.
        runs: how many ended well.
        failures: run -> why it failed.
        claims: the claims with their verdicts and answers.
        wins: headline -> the arms not shown to be worse than the best, the best first.
    """

    report: str
    runs: int
    failures: dict[str, str]
    claims: list[dict[str, str]] = field(default_factory=list)
    wins: dict[str, list[str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What the command prints."""
        lines = [f"{name}: {', '.join(arms)}" for name, arms in self.wins.items()]
        lines += [f"{claim['says']}\n  {claim['answer']}" for claim in self.claims]
        lines += [f"failed: {run}: {reason}" for run, reason in self.failures.items()]
        return "\n".join([*lines, f"{self.report}/index.html"])


def compare(
    recipes: Sequence[str | Path] | str | Path,
    *,
    collection: Path | str | None = None,
    splits: Sequence[Path | str] = (),
    out: Path | str,
    seeds: Sequence[int] = (),
    overrides: Sequence[str] = (),
    jobs: int = 1,
    unequal: bool = False,
    accelerator: str = "cpu",
) -> CompareReport:
    """Trains every recipe from every seed on every split, examines all alike, and writes one report.

    Runs lie in ``OUT/runs/SPLIT/ARM-SEED``; finished ones are used again, unfinished ones gone on with. A
    run that fails is reported with its reason, and the others go on.

    Args:
        recipes: two recipes or more, or one comparison file (docs/how-to/compare-schools.md).
        collection: the collection's folder.
        splits: split files, each with a name of its own.
        out: the report's folder.
        seeds: of training; by default those of the comparison file, else 0, 1 and 2.
        overrides: ``a.b=c`` changes of every recipe.
        jobs: runs at a time, each in a process of its own with one thread.
        unequal: whether recipes may differ in what must be the same; the report then says so.
        accelerator: ``cpu``, ``cuda``, ``mps`` or ``auto``.

    Raises:
        RecipeError, CollectionError, SplitError: when these do not fit together, the arms are not equal,
            or no run ended well.
    """
    chosen = [recipes] if isinstance(recipes, str | Path) else list(recipes)
    settings, arms = read_comparison(chosen, overrides)
    found = differences(arms, settings.may_differ)
    if not unequal:
        refuse_unequal(found)
    if jobs < 1:
        raise RecipeError(f"--jobs {jobs}: at least 1.")
    place = collection or settings.collection
    if place is None:
        raise RecipeError("no collection: name one with --collection, or in the comparison file.")
    opened = open_collection(Path(place))
    parted = _read_splits([str(path) for path in splits] or list(settings.splits))
    for _, split in parted.values():
        check_fits(split, opened)
    used = tuple(seeds) or settings.seeds
    if len(set(used)) < len(used):
        raise RecipeError(f"seeds {list(used)}: each once.")
    folder = Path(out)
    (folder / "index.html").unlink(missing_ok=True)
    planned = plan_jobs(arms, used, opened, parted, folder, accelerator=accelerator)
    ended = run_jobs(planned, at_once=jobs)
    if all(one.state is State.FAILED for one in ended):
        raise RecipeError(f"no run ended well. The first: {ended[0].job.said}: {ended[0].reason}")
    content = comparison_content(settings, arms, found, ended, opened, parted, unequal=unequal)
    _write(content, folder)
    return CompareReport(
        report=str(folder),
        runs=sum(one.state is State.DONE for one in ended),
        failures={one.job.said: str(one.reason) for one in ended if one.state is State.FAILED},
        claims=[
            {name: one[name] for name in ("says", "verdict", "answer")} for one in content["claims"]
        ],
        wins={
            one["title"]: [one["best"], *(arm for arm in one["tied"] if arm != one["best"])]
            for one in content["wins"]
            if one["split"] == content["shown_split"]
        },
    )


def _write(content: dict[str, Any], folder: Path) -> None:
    """Writes the report as JSON and as one self-contained page, the page last."""
    from holotype.evaluation.compare.page import page

    files.write_json(folder / "report.json", content)
    files.write_text(folder / "index.html", page(content))
    note(
        f"compare: {len(content['figures']):,} figures, {len(content['differences']):,} differences"
    )


def _read_splits(paths: Sequence[str]) -> dict[str, tuple[Path, Split]]:
    if not paths:
        raise RecipeError("no split: name one or more with --split, or in the comparison file.")
    found: dict[str, tuple[Path, Split]] = {}
    for written in paths:
        path = Path(written)
        if path.stem in found:
            raise RecipeError(f"{path}: two splits are called '{path.stem}'. Rename one file.")
        found[path.stem] = (path, read_split(path))
    return found
