"""The command ``publish``: answers in a format that other people's programs take.

Answers that are left out are counted by reason; those written and those left out add up to the answers read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from holotype._version import __version__
from holotype.collection.store import open_collection
from holotype.errors import SourceError, did_you_mean
from holotype.exchange.answers.answered import lineages_of_model
from holotype.exchange.answers.context import NOT_IN_COLLECTION, with_context
from holotype.exchange.answers.forms import FORMS
from holotype.exchange.answers.identifiers import known_identifiers, learn_backbone
from holotype.exchange.answers.made import made
from holotype.exchange.answers.scores import read_scores, read_threshold_file
from holotype.exchange.answers.validated import with_validated
from holotype.exchange.answers.writing import USUAL_K, Beside, Grouping, Request
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.taxonomy.label_table import read_label_table
from holotype.taxonomy.lineage import Rank


@dataclass(frozen=True)
class PublishReport:
    """What was published; ``written`` and ``left_out`` add up to ``answers``.

    Attributes:
        out: the file or folder.
        form: the format.
        answers: how many were read.
        written: how many are in what was written.
        left_out: how many are not, by reason.
        rows: rows by the table or file that they went to.
        notes: what is worth knowing beside that, counted.
    """

    out: str
    form: str
    answers: int
    written: int
    left_out: Mapping[str, int]
    rows: Mapping[str, int]
    notes: Mapping[str, int]


def publish(
    answers: Path | str,
    *,
    to: str,
    out: Path | str,
    collection: Path | str | None = None,
    validated: Path | str | None = None,
    counts: Path | str | None = None,
    dataset: Path | str | None = None,
    labels: Sequence[Path | str] = (),
    backbone: Path | str | None = None,
    grouping: Grouping | str = Grouping.TAXON,
    dated: str | None = None,
    scores: Path | str | None = None,
    thresholds: Path | str | None = None,
    model: Path | str | None = None,
    rank: Rank | str | None = Rank.SPECIES,
    k: int = USUAL_K,
) -> PublishReport:
    """Writes answers in a format that other programs take.

    Args:
        answers: the table that ``holotype predict`` wrote (Parquet or CSV).
        to: the format, one of ``FORMS``.
        out: the file or folder to write; it must not exist.
        collection: the records that the answers are of: fills in place, time, sample, licence and ids of taxa
            by ``record_id``, and holds the images.
        validated: rows that a person validated (a collection or a table); they take the place of the answers
            to the same records.
        counts: the table of ``holotype count``, for measurements of abundance (``darwin-core``).
        dataset: what describes the data set (TOML): title, abstract, licence, people (``darwin-core``).
        labels: label tables with ids of taxa.
        backbone: a reference taxonomy with AphiaIDs.
        grouping: what one occurrence is: ``taxon`` (all of one taxon in a sample) or ``each``.
        dated: when the answers were made, ISO 8601; by default what their ``.run.json`` says, else
            when their file was written.
        scores: the file of ``holotype predict --scores``: formats that give a score to every label.
        thresholds: score by label: the table of ``holotype thresholds``, or ``label threshold`` lines.
        model: the bundle that answered: the lineages of all its labels.
        rank: at which ``pybioclip`` names; ``label`` or None for the labels themselves.
        k: how many names a record, for ``pybioclip``.

    Raises:
        SourceError: when there is no such format, an input cannot be used, or ``out`` exists.
        HolotypeError: when the collection, taxonomy or description cannot be read.
    """
    from holotype.identify.read_answers import read_answers

    path = Path(answers)
    check_target(to, out)
    _check_takes(
        to,
        {
            "counts": counts is not None,
            "dataset": dataset is not None,
            "labels": bool(labels),
            "backbone": backbone is not None,
            "each": _grouping(grouping) is Grouping.EACH,
            "dated": dated is not None,
            "scores": scores is not None,
            "thresholds": thresholds is not None,
            "model": model is not None,
            "rank": rank != Rank.SPECIES,
            "k": k != USUAL_K,
        },
    )
    table = read_answers(path)
    how = made(path)
    return publish_table(
        table,
        to=to,
        out=out,
        collection=collection,
        validated=validated,
        counts=counts,
        dataset=dataset,
        labels=labels,
        backbone=backbone,
        grouping=grouping,
        dated=dated or how.dated,
        version=how.version,
        beside=Beside(
            scores=None if scores is None else read_scores(Path(scores)),
            thresholds=None if thresholds is None else read_threshold_file(Path(thresholds)),
            lineages=None if model is None else lineages_of_model(model),
            rank=None if rank in (None, "label") else Rank.parse(str(rank)),
            k=k,
        ),
    )


def publish_table(
    answers: pa.Table,
    *,
    to: str,
    out: Path | str,
    dated: str,
    collection: Path | str | None = None,
    validated: Path | str | None = None,
    counts: Path | str | None = None,
    dataset: Path | str | None = None,
    labels: Sequence[Path | str] = (),
    backbone: Path | str | None = None,
    grouping: Grouping | str = Grouping.TAXON,
    version: str = __version__,
    beside: Beside | None = None,
) -> PublishReport:
    """Writes a table of answers (``ANSWER_SCHEMA``) that a version of Holotype made; see ``publish``.

    Raises:
        SourceError, HolotypeError: as ``publish`` does.
    """
    check_target(to, out)
    opened = open_collection(Path(collection)) if collection is not None else None
    known = known_identifiers(opened, [read_label_table(Path(table)) for table in labels])
    notes: dict[str, int] = {}
    table = answers.cast(ANSWER_SCHEMA)
    if opened is not None:
        table, absent = with_context(table, opened)
        notes |= {NOT_IN_COLLECTION: absent} if absent else {}
    if validated is not None:
        joined = with_validated(table, Path(validated))
        table = joined.answers
        notes |= {"validated by a person": joined.validated, **joined.notes}
    if backbone is not None:
        names = table["taxon"].unique().drop_null().to_pylist()
        learn_backbone(known, Path(backbone), names)
    request = Request(
        out=Path(out),
        dated=_moment(dated),
        version=version,
        collection=opened,
        identifiers=known,
        counts=None if counts is None else _read_counts(Path(counts)),
        dataset=None if dataset is None else Path(dataset),
        grouping=_grouping(grouping),
        beside=beside or Beside(),
    )
    done = FORMS[to].write(table, request)
    left_out = {reason: count for reason, count in done.left_out.items() if count}
    assert done.answers + sum(left_out.values()) == table.num_rows, (done, table.num_rows)
    return PublishReport(
        out=str(out),
        form=to,
        answers=table.num_rows,
        written=done.answers,
        left_out=left_out,
        rows=dict(done.rows),
        notes={**notes, **{name: count for name, count in done.notes.items() if count}},
    )


def check_target(to: str, out: Path | str) -> None:
    """Raises ``SourceError`` for a format that there is not, or where something is already."""
    _check_form(to)
    _check_free(Path(out))


def takes(to: str, option: str) -> bool:
    """Returns whether an option means something for a format."""
    return option in FORMS[to].takes


def _check_takes(to: str, given: Mapping[str, bool]) -> None:
    """Raises ``SourceError`` for an option that would do nothing."""
    for name in (name for name, is_given in given.items() if is_given):
        if not takes(to, name):
            users = ", ".join(form for form in FORMS if takes(form, name))
            raise SourceError(f"--{name} means nothing for {to}: it is for {users}. Leave it out.")


def _check_form(name: str) -> None:
    if name not in FORMS:
        raise SourceError(f"--to {name}: no such format.{did_you_mean(name, list(FORMS))}")


def _check_free(out: Path) -> None:
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists():
        raise SourceError(f"{out}: is there already. Name a new file or folder, or remove it.")


def _grouping(written: Grouping | str) -> Grouping:
    try:
        return Grouping(written)
    except ValueError:
        raise SourceError(f"no grouping '{written}'. Say taxon or each.") from None


def _moment(written: str) -> datetime:
    """Returns a moment with its zone; UTC where none is written."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise SourceError(f"--dated '{written}': no ISO 8601 date or time.") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _read_counts(path: Path) -> pa.Table:
    import pyarrow.csv as pcsv
    import pyarrow.parquet as pq

    if not path.is_file():
        raise SourceError(f"{path}: no such file. Give the table that 'holotype count' wrote.")
    try:
        if path.suffix.lower() == ".parquet":
            return pq.read_table(path)
        if path.suffix.lower() == ".json":
            return pa.Table.from_pylist(json.loads(path.read_text(encoding="utf-8")))
        texts = dict.fromkeys(("sample_id", "taxon", "taxon_rank", "status", "method"), pa.string())
        options = pcsv.ConvertOptions(
            column_types=texts, strings_can_be_null=True, null_values=[""]
        )
        return pcsv.read_csv(path, convert_options=options)
    except (pa.ArrowException, ValueError, AttributeError) as reason:
        raise SourceError(f"{path}: cannot be read as a table ({reason}).") from reason
