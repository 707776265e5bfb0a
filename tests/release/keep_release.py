"""Keeps small artefacts of the formats of this version: python tests/release/keep_release.py.

Run once a release. The archive is named after the version and is never written again: later versions must
go on reading what is in it. The JSON beside it has what was read from each artefact on that day.
"""

import json
import shutil
import sys
import tarfile
import tempfile
from contextlib import chdir
from pathlib import Path

import pyarrow.parquet as pq
from kept_artefacts import KEPT, read_all
from safetensors.torch import load_file, save_file

import holotype
from holotype import files
from holotype.models.bundle import VERSION
from holotype.models.places import MANIFEST, WEIGHTS
from holotype.reviewing.events import Asked, Kind
from holotype.reviewing.log import ReviewLog
from holotype.reviewing.session import MANIFEST as SESSION

SIMULATION = """\
seed = 8
num_species = 5
median_specimens_per_species = 5.0
abundance_sigma = 0.1
max_specimens_per_species = 6
singleton_fraction = 0.0
min_side_px = 16
max_side_px = 32
"""
RECIPE = """\
name = "kept"
about = "A model of a few kilobytes, to be read by every later version."
seed = 8
target = "tree"
[model]
embedding_dim = 8
[model.images]
side_px = 16
channels = 1
width = 4
depth = 1
[model.barcodes]
max_bp = 660
feature_dim = 8
kmer_bp = 2
width = 8
depth = 0
[model.classifier]
kind = "cosine"
[classify]
[align]
pairs = [["image", "barcode"]]
[schedule]
epochs = 2
batch_size = 8
"""
REVIEWER = "Zoë"


def keep() -> None:
    """Makes every artefact, in the current folder and by names from there: none says where it was made."""
    Path("simulation.toml").write_text(SIMULATION, encoding="utf-8")
    Path("recipe.toml").write_text(RECIPE, encoding="utf-8")
    run = f"bundle-{VERSION}"
    holotype.import_("simulated", ["simulation.toml"], into="collection")
    holotype.split("collection", out="split.parquet", require=["image"])
    holotype.train(
        "recipe.toml",
        collection="collection",
        split="split.parquet",
        out="whole",
        accelerator="cpu",
    )
    holotype.shrink("whole", out=run)
    older_bundle("whole", 1)
    older_bundle(run, 2)
    shutil.rmtree("whole")
    holotype.build_index(run, ["collection"], out="index")
    answers, embeddings = "answers.parquet", "embeddings.parquet"
    holotype.predict(run, ["collection"], out=answers, embeddings=embeddings)
    named = pq.read_table(answers)["record_id"].to_pylist()
    Path("some.txt").write_text("\n".join(named[:4]), encoding="utf-8")
    for ending in ("csv", "json"):
        holotype.predict(run, ["collection"], out=f"answers.{ending}", records="some.txt")
        Path(f"answers.{ending}.run.json").unlink()
    holotype.new_session(
        answers, collection="collection", embeddings=embeddings, out="review", model=run
    )
    manifest = Path("review", SESSION)
    here = f"{Path.cwd()}/"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(here, ""), encoding="utf-8")
    reviewed(Path("review"), named)
    holotype.build_backbone("lineages", "collection", out="backbone.parquet", version="kept")


def older_bundle(run: str, version: int) -> None:
    """Writes a bundle as an older version did: 1 said less of weights and pixels, and both had no golden."""
    out = Path(f"bundle-{version}")
    shutil.copytree(
        run, out, ignore=shutil.ignore_patterns("metrics.csv", "tensorboard", "decisions")
    )
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    manifest = {**manifest, "version": version}
    del manifest["golden"]
    if version == 1:
        del manifest["weights"], manifest["model"]["images"]["preparation"]
        del manifest["preprocessing"]["fingerprint"]
        weights = load_file(out / WEIGHTS)
        weights.pop("sigmoid_bias", None)
        save_file(weights, out / WEIGHTS)
        manifest["weights_sha256"] = files.sha256_file(out / WEIGHTS)
    files.write_json(out / MANIFEST, manifest)


def reviewed(session: Path, record_ids: list[str]) -> None:
    """Writes a log in which someone confirms, relabels, notes, and takes something back."""
    log = ReviewLog(session)
    first, second, third = record_ids[:3]
    log.append(REVIEWER, Asked(Kind.CONFIRM, (first,), ("kept label",)))
    log.append(REVIEWER, Asked(Kind.RELABEL, (second,), ("another",), new_labels=("another",)))
    log.append(REVIEWER, Asked(Kind.NOTE, (third,), text="a tail is missing"))


def main() -> None:
    """Keeps this version, unless it is kept already."""
    kept = KEPT / f"{holotype.__version__}.tar.xz"
    if kept.exists():
        sys.exit(f"{kept.name} is there already; a release is never written again")
    with tempfile.TemporaryDirectory() as scratch:
        with chdir(scratch):
            keep()
        expected = json.dumps(read_all(Path(scratch)), indent=1, ensure_ascii=False)
        kept.parent.mkdir(exist_ok=True)
        kept.with_name(f"{holotype.__version__}.json").write_text(expected + "\n", encoding="utf-8")
        with tarfile.open(kept, "w:xz", preset=9) as packed:
            for path in sorted(Path(scratch).iterdir()):
                packed.add(path, path.name, filter=without_owner)
    sys.stdout.write(f"{kept.name}: {kept.stat().st_size:,} bytes\n")


def without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Returns an entry of nobody and no day."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
