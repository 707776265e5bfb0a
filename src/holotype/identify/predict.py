"""The command ``predict``: whatever can be imported -> named, scored rows, in parts that survive a kill."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from holotype import files
from holotype.decisions.store import MANIFEST, decisions_folder
from holotype.decisions.summary import Statistics
from holotype.errors import SourceError
from holotype.identify import devices, drift, sidecar, stream
from holotype.identify.answering import answer_parts
from holotype.identify.answers import Answerer, AnswerSettings
from holotype.identify.inputs import Asides, Reading, specimens
from holotype.identify.outputs import Output, outputs_of
from holotype.identify.stream import WHOLE, Begun, PartialRun
from holotype.identify.writers import check_ending, check_places, write_tables
from holotype.models.bundle import Bundle, naming_bundle
from holotype.models.places import STARTER
from holotype.progress import note

PARTIAL = ".partial"


@dataclass(frozen=True)
class PredictReport:
    """What a prediction run did.

    Attributes:
        out: the file.
        rows: how many rows it has, one for each input.
        failures: how many of them bear a failure.
        decisions: rows by ``decision``.
        drift: what is not as it was when the model was made, in words.
        sidecar: the file that says how the answers were made.
    """

    out: str
    rows: int
    failures: int
    decisions: dict[str, int] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    sidecar: str = ""


def predict(
    run: Path | str,
    inputs: Sequence[Path | str],
    *,
    out: Path | str,
    preset: str | None = None,
    kind: str | None = None,
    images: Path | str | None = None,
    records: Path | str | None = None,
    settings: AnswerSettings | None = None,
    scores: Path | str | None = None,
    embeddings: Path | str | None = None,
    restart: bool = False,
    device: str = devices.CPU,
) -> PredictReport:
    """Names every input and writes one row for each: CSV, Parquet or JSON by the ending of ``out``.

    What is done is kept in ``OUT.partial/`` until all is done: the same call goes on where it was broken off,
    and gives the same file.

    Args:
        run: a bundle, or ``starter`` for the one that comes with Holotype.
        inputs: image files, folders, zips, tars, FASTA, tables of barcodes, collections, and whatever else
            ``import_`` reads; ``@list.txt`` for a file with one of these a line.
        out: the file to write; whole or absent. ``OUT.run.json`` beside it says how it was made.
        preset: the column map of tables; found from the header by default.
        kind: what the inputs are, one of the kinds of ``import_``; found by default.
        images: folder or archive that the image paths of tables are relative to.
        records: a text file of record ids, one a line: only these are named.
        settings: what decides the answers beside the model.
        scores: a Parquet file to write with the score of every label.
        embeddings: a Parquet file to write with the embeddings.
        restart: begin anew, whatever is done already.
        device: where the model works: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Returns:
        Counts; a file that cannot be read is a row with its reason under ``failure``.

    Raises:
        BundleError, SourceError: when the bundle or ``out`` cannot be used, or no input is given.
        CollectionError: when what is in ``OUT.partial/`` was begun with something else.
    """
    path = Path(out)
    check_ending(path)
    for given in (scores, embeddings):
        if given is not None:
            check_ending(Path(given), (".parquet",))
    if not inputs:
        raise SourceError("no input given. Name images, folders, archives, FASTA or tables.")
    check_places([path, scores, embeddings], inputs)
    reading = Reading(
        kind, preset, *(None if one is None else str(one) for one in (images, records))
    )
    reading.check()
    bundle, chosen = naming_bundle(run), settings or AnswerSettings()
    devices.move(bundle, device)
    note(about(bundle, is_starter=str(run) == STARTER))
    wanted = outputs_of(bundle, answers=path, scores=scores, embeddings=embeddings)
    answerer = Answerer.of(bundle, chosen)
    named, asides = [str(given) for given in inputs], Asides()
    folder = path.with_name(path.name + PARTIAL)
    with files.only_one(folder):
        begun = Begun(
            _decisive(bundle, named, reading, chosen, wanted) | {"device": device}, sidecar.now()
        )
        done = PartialRun.open(folder, begun, restart=restart)
        found = specimens(named, reading=reading, asides=asides)
        if done.parts:
            note(f"{folder}: {done.done:,} specimens are done; going on from there")
        done.skip_done(found)
        answer_parts(done, bundle, answerer, found, wanted)
        for output in wanted:
            tables = done.tables(output.name)
            write_tables(tables, output.schema, output.path, temporary=folder / WHOLE)
        told = {
            "settings": asdict(chosen),
            "settings_sha256": begun.what["files of settings"],
            "thresholds": {name.value: asdict(one) for name, one in answerer.thresholds.items()},
            "reading": asdict(reading),
            "device": device,
            "inputs": sidecar.inputs_of(named),
            **sidecar.asides_of(asides),
        }
        report = _ended(done, bundle, wanted, told)
        done.end()
    return report


def about(bundle: Bundle, *, is_starter: bool) -> str:
    """Returns which model answers, what it learnt from, and what not to ask of it."""
    training = bundle.manifest["training"]
    seen = ", ".join(training.get("instruments", {})) or "instruments that nobody named"
    text = (
        f"{training['recipe']['name']} ({bundle.fingerprint}) answers: {len(bundle.labels):,} labels, learnt "
        f"from {training['records']:,} records of {seen}"
    )
    if not is_starter:
        return text
    return (
        f"{text}. It is a small model of plankton crops, one organism an image: whatever it is shown, it "
        f"names plankton. Figures and limits: {bundle.path / 'README.md'}"
    )


def _decisive(
    bundle: Bundle,
    inputs: Sequence[str],
    reading: Reading,
    settings: AnswerSettings,
    wanted: Sequence[Output],
) -> dict[str, Any]:
    """Returns all that answers depend on, beside the content of the inputs."""
    beside = [decisions_folder(bundle.path) / MANIFEST, *map(Path, settings.priors)]
    beside += [] if reading.records is None else [Path(reading.records)]
    beside += sorted(Path(settings.index).glob("*.json")) if settings.index is not None else []
    return {
        "model": bundle.manifest["weights_sha256"],
        "settings": asdict(settings),
        "files of settings": {
            path.name: files.sha256_file(path) for path in beside if path.is_file()
        },
        "reading": asdict(reading),
        "inputs": list(inputs)
        if len(inputs) <= 100
        else files.sha256_bytes("\0".join(inputs).encode()),
        "tables": [output.name for output in wanted],
        "part_rows": stream.PART_ROWS,
        "versions": sidecar.versions(),
    }


def _ended(
    done: PartialRun, bundle: Bundle, wanted: Sequence[Output], told: Mapping[str, Any]
) -> PredictReport:
    """Writes the sidecar and returns the report of a run that is complete."""
    decisions, seen, failures = Counter[str](), Statistics(), 0
    for part in done.parts:
        decisions.update(part.told["decisions"])
        failures += part.told["failures"]
        seen += Statistics.from_json(part.told["statistics"])
    findings = drift.watch(bundle, seen)
    drift.tell(findings)
    by_decision = dict(sorted(decisions.items()))
    written = sidecar.write_sidecar(
        wanted[0].path,
        {
            "command": sidecar.command_words(),
            "versions": sidecar.versions(),
            "model": sidecar.model_of(bundle),
            **told,
            "seed": None,
            "outputs": [output.told() for output in wanted],
            "counts": {"rows": done.done, "failures": failures, "decisions": by_decision},
            "drift": drift.findings_as_json(findings),
        },
        started=done.begun.started,
    )
    words = tuple(finding.text for finding in findings if finding.is_drift)
    return PredictReport(str(wanted[0].path), done.done, failures, by_decision, words, str(written))
