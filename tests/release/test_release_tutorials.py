"""The tutorials, followed to the letter: all commands and Python, one after another, in an empty folder.

What a reader brings is simulated and small, and the training is short; nothing else is changed.
"""

import csv
import gzip
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import holotype
from holotype.simulate import SimulationSettings, Specimen, simulate_specimens

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHORTER = ("--set", "schedule.epochs=1")
BROUGHT = SimulationSettings(
    seed=11,
    num_species=14,
    median_specimens_per_species=22,
    abundance_sigma=0.2,
    max_specimens_per_species=30,
    singleton_fraction=0,
    image_fraction=1,
    barcode_fraction=1,
    unnamed_species_fraction=0,
    max_side_px=64,
)


def bring_crops(folder: Path) -> None:
    """A zip of class folders with its label table, a zip of new crops, and one more image."""
    found = list(simulate_specimens(BROUGHT))
    with zipfile.ZipFile(folder / "planktonset1.zip", "w") as zipped:
        for one in found:
            zipped.writestr(f"{one.true_names['species']}/{one.image_name}", one.image)
    with zipfile.ZipFile(folder / "new-crops.zip", "w") as zipped:
        for one in found[:5]:
            zipped.writestr(one.image_name, one.image)
    (folder / "another.png").write_bytes(found[9].image)
    named = {one.true_names["species"]: one.true_names for one in found}
    rows = [
        {"Dataset": "planktonset1.0", "Raw_Labels": name, **titled(of)}
        for name, of in named.items()
    ]
    write_table(folder / "planktonzilla_taxonomy.csv", rows, ",")


def titled(names: dict[str, str]) -> dict[str, str]:
    return {rank.capitalize(): name for rank, name in names.items()}


def write_table(path: Path, rows: list[dict[str, str]], delimiter: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def bring_barcodes(folder: Path) -> None:
    """A table for the preset, a table of one's own, a FASTA of references, new barcodes, a library."""
    found = list(simulate_specimens(BROUGHT))
    own, referred, library = found[::9], found[1::9], found[2::9]
    preset = [one for n, one in enumerate(found) if n % 9 > 2]
    rows = [
        {
            "processid": one.specimen_id,
            "marker": one.marker,
            "nucleotides": one.barcode,
            **one.true_names,
        }
        for one in preset
    ]
    write_table(folder / "sequences.tsv", rows, "\t")
    rows = [
        {
            "sample": one.specimen_id,
            "seq": one.barcode,
            "taxon": one.true_names["species"],
            "genus": one.true_names["genus"],
        }
        for one in own
    ]
    write_table(folder / "my.csv", rows, ",")
    (folder / "references.fasta.gz").write_bytes(gzip.compress(sintax(referred)))
    (folder / "library.fasta").write_bytes(sintax(library))
    holotype.import_("fasta", [folder / "library.fasta"], into=folder / "references")
    (folder / "new.fasta").write_text(
        "".join(f">q{n}\n{one.barcode}\n" for n, one in enumerate(own))
    )


def sintax(specimens: list[Specimen]) -> bytes:
    """Returns a FASTA whose headers bear lineages in the SINTAX form."""
    lines = []
    for one in specimens:
        ranks = ",".join(
            f"{rank[0]}:{name.replace(' ', '_')}" for rank, name in one.true_names.items()
        )
        lines.append(f">{one.specimen_id};tax={ranks};\n{one.barcode}\n")
    return "".join(lines).encode()


BRING: dict[str, Callable[[Path], None]] = {
    "barcodes": bring_barcodes,
    "first-model": bring_crops,
}
"""What the reader of each tutorial has before the first step."""


def commands(page: Path) -> Iterator[list[str]]:
    """The commands of a page in order, in words."""
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if language in ("", "sh", "bash") and line.startswith("holotype "):
                yield shlex.split(line, comments=True)[1:]


def python_blocks(page: Path) -> list[str]:
    return [
        text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == "python"
    ]


def followed(folder: Path, *words: str) -> None:
    """Runs Python as the reader does, in the folder; fails where it does."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"


def test_every_tutorial_is_followed():
    assert {page.stem for page in TUTORIALS.glob("*.md")} == set(BRING)


@pytest.mark.slow
@pytest.mark.parametrize("name", BRING)
def test_the_commands_of_a_tutorial_run_in_order(name, tmp_path):
    BRING[name](tmp_path)
    found = list(commands(TUTORIALS / f"{name}.md"))
    assert len(found) > 5
    for words in found:
        followed(tmp_path, "-m", "holotype", *words, *(SHORTER if words[0] == "train" else ()))
        if "--out" in words:
            assert (tmp_path / words[words.index("--out") + 1]).exists(), words


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [page.stem for page in sorted(TUTORIALS.glob("*.md")) if python_blocks(page)]
)
def test_the_python_of_a_tutorial_runs_in_order(name, tmp_path):
    BRING[name](tmp_path)
    (tmp_path / "notebook.py").write_text("\n".join(python_blocks(TUTORIALS / f"{name}.md")))
    followed(tmp_path, "notebook.py")
