"""A reviewed table of names -> the name columns of a collection's records."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.name_keys import (
    NO_NAME,
    RANKS,
    NameKey,
    count_names,
    has_name,
    keys_of,
    text_key,
)
from holotype.collection.names_given import give_back, keep_given
from holotype.collection.names_review import Decision, ReviewRow, decision_of, read_review
from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, TaxonomyError, did_you_mean, first_few
from holotype.files import sha256_file
from holotype.taxonomy.backbone.schema import ID_COLUMNS
from holotype.taxonomy.backbone.store import Backbone, Taxon, open_backbone
from holotype.taxonomy.labels import parse_label
from holotype.taxonomy.lineage import LINNAEAN_RANKS
from holotype.taxonomy.matching.outcome import How, MatchStatus
from holotype.taxonomy.matching.vocabulary import taxa_of
from holotype.taxonomy.names import name_key

_WRITTEN = (*RANKS, "other_ranks", *ID_COLUMNS, "group", "name_status", "name_match", "backbone")
UNDECIDED, NOT_A_TAXON, NOT_IN_REVIEW = "undecided", "not_a_taxon", "not_in_review"


@dataclass(frozen=True)
class ApplyReport:
    """What was written into the records.

    Attributes:
        collection: its folder.
        records: how many it has.
        outcomes: records by what became of their name; they add up to ``records``.
        backbone: name and version of the reference.
        undecided_names: names left as they are, because nobody has decided.
        decisions_without_records: (row of the review, source, label) of decisions that fit no record.
    """

    collection: str
    records: int
    outcomes: Mapping[str, int]
    backbone: str
    undecided_names: int
    decisions_without_records: Sequence[tuple[int, str, str]] = ()


@dataclass(frozen=True)
class _Outcome:
    """What is written into the records of one name; ``values`` None leaves them as they are."""

    name: str
    values: dict[str, Any] | None
    taxon: Taxon | None = None


def apply_names(collection: Path | str, review: Path | str, *, backbone: Path | str) -> ApplyReport:
    """Writes the matched and the decided names of a review into the records of a collection.

    A name that is ambiguous and undecided is left as it is and counted. Identifiers of another taxon go. The
    lineage that the source gave is kept in ``given_lineage`` before it is written over, so that a corrected
    review can be applied again, and a rejected one gives it back.

    Raises:
        TaxonomyError: when the review is wrong or of another backbone.
        CollectionError: when the review has none of the collection's names.
    """
    folder, reference = Path(collection), open_backbone(backbone)
    opened, rows = open_collection(folder), read_review(Path(review))
    outcomes = {row.row_key: outcome for row, outcome in resolve(rows, reference, Path(review))}
    counted: Counter[str] = Counter()
    cache: dict[NameKey, _Outcome] = {}

    def change(table: pa.Table) -> pa.Table:
        found = [_of_record(key, outcomes, cache) for key in keys_of(table)]
        counted.update(outcome.name for outcome in found)
        return _changed(table, found)

    known = {text_key(name.key) for name in count_names(opened)}
    if outcomes and not known & set(outcomes):
        raise CollectionError(
            f"{review}: none of its names is in {collection}. Match the names of this collection again: "
            "after another import, a review may be out of date."
        )
    undecided = sum(row.is_open for row in rows)
    lost = [
        (row.number, row.source, row.written_label)
        for row in rows
        if row.decision.strip() and row.row_key not in known
    ]
    step = {"step": "names", "backbone": reference.name, "backbone_sha256": sha256_file(reference.path),
            "review_sha256": sha256_file(Path(review)), "undecided_names": undecided,
            "decisions_without_records": len(lost)}  # fmt: skip
    rewrite_records(folder, change, step=step)
    if sum(counted.values()) != len(opened):
        raise AssertionError("the records of a collection do not add up")
    outcomes_by_name = dict(sorted(counted.items()))
    return ApplyReport(
        str(collection), len(opened), outcomes_by_name, reference.name, undecided, tuple(lost)
    )


def _of_record(
    key: NameKey, outcomes: Mapping[str, _Outcome], cache: dict[NameKey, _Outcome]
) -> _Outcome:
    if key not in cache:
        nothing = _Outcome(NOT_IN_REVIEW if has_name(key) else NO_NAME, None)
        cache[key] = _for_key(outcomes.get(text_key(key), nothing), key)
    return cache[key]


def _for_key(outcome: _Outcome, key: NameKey) -> _Outcome:
    """Returns the outcome with what this name has of its own: its group, or narrower names of the source.

    Where the backbone has only a wider taxon, the names that the source gives below it stay.
    """
    if outcome.values is None:
        return outcome
    if outcome.name == NOT_A_TAXON:
        words = parse_label(key[1] or "").taxon_words or key[1]
        return replace(outcome, values=outcome.values | {"group": words})
    taxon, names = outcome.taxon, dict(zip(RANKS, key[2:], strict=True))
    if taxon is None or taxon.rank is None or outcome.values["name_match"] != How.HIGHER.value:
        return outcome
    if names.get(taxon.rank.value) != taxon.name:
        return outcome
    below = {rank.value: names[rank.value] for rank in LINNAEAN_RANKS if taxon.rank.is_above(rank)}
    return replace(outcome, values=outcome.values | below)


def _changed(table: pa.Table, found: Sequence[_Outcome]) -> pa.Table:
    """Returns the records with the columns of their outcome; what an outcome does not name stays."""
    different = list({id(outcome): outcome for outcome in found}.values())
    place = {id(outcome): number for number, outcome in enumerate(different)}
    written = [outcome.values is not None and RANKS[0] in outcome.values for outcome in found]
    taken = [outcome.values is not None and RANKS[0] not in outcome.values for outcome in found]
    table = give_back(keep_given(table, written), taken)
    codes = pa.array([place[id(outcome)] for outcome in found], pa.int32())
    narrowest = pc.coalesce(*(table[rank] for rank in reversed(RANKS)))
    same = pa.array([o.taxon.name if o.taxon else None for o in different], pa.string()).take(codes)
    unchanged = pc.fill_null(pc.equal(narrowest, same), False)  # noqa: FBT003 - the value to fill
    for name in _WRITTEN:
        place_of = RECORDS_SCHEMA.get_field_index(name)
        kind = RECORDS_SCHEMA.field(name).type
        sets = pa.array(
            [o.values is not None and name in o.values for o in different], pa.bool_()
        ).take(codes)
        values = pa.array([(o.values or {}).get(name) for o in different], kind).take(codes)
        if name in ID_COLUMNS:
            values = pc.if_else(unchanged, pc.coalesce(values, table[name]), values)
        kept = pc.if_else(sets, values, table[name].combine_chunks())
        table = table.set_column(place_of, RECORDS_SCHEMA.field(name), kept)
    return table


def resolve(
    rows: Sequence[ReviewRow], backbone: Backbone, path: Path
) -> list[tuple[ReviewRow, _Outcome]]:
    """Returns what each row of a review comes to; all problems are raised together."""
    resolved: list[tuple[ReviewRow, _Outcome]] = []
    problems: list[str] = []
    ids = {row.taxon_id for row in rows if row.taxon_id} | {str(decision_of(row)) for row in rows}
    place = _rows_by_id(ids, backbone)
    for row in rows:
        try:
            resolved.append((row, _outcome(row, backbone, place)))
        except TaxonomyError as reason:
            problems.append(f"row {row.number}, {reason}")
    if problems:
        raise TaxonomyError(f"{path}: {first_few(problems, limit=20)}")
    return resolved


def _rows_by_id(ids: set[str], backbone: Backbone) -> dict[str, int]:
    wanted = pa.array(sorted(ids), pa.string())
    found = pc.index_in(wanted, value_set=backbone.columns["taxon_id"].chunk(0)).to_pylist()
    return {
        text: row for text, row in zip(wanted.to_pylist(), found, strict=True) if row is not None
    }


def _outcome(row: ReviewRow, backbone: Backbone, place: Mapping[str, int]) -> _Outcome:
    decision = decision_of(row)
    if row.backbone and row.backbone != backbone.name and (row.taxon_id or decision):
        raise TaxonomyError(
            f"column backbone: made with '{row.backbone}', but the backbone is '{backbone.name}'. "
            "Name the same one, or match again"
        )
    if decision is Decision.NOT_A_TAXON:
        blank: dict[str, Any] = dict.fromkeys(_WRITTEN)
        blank |= {
            "name_status": MatchStatus.NO_MATCH.value,
            "name_match": How.REVIEWED.value,
            "backbone": backbone.name,
        }
        return _Outcome(NOT_A_TAXON, blank)
    if decision is Decision.REJECT:
        return _Outcome("rejected", _status(MatchStatus.NO_MATCH, How.REVIEWED, backbone))
    if isinstance(decision, str) and not isinstance(decision, Decision) and decision:
        return _named(_chosen(decision, backbone, place), How.REVIEWED, backbone, "reviewed")
    if row.status == MatchStatus.MATCHED or decision is Decision.ACCEPT:
        if row.taxon_id not in place:
            raise TaxonomyError(
                f"column taxon_id: '{row.taxon_id}' is not in the backbone. Match again"
            )
        how = How.REVIEWED if decision is Decision.ACCEPT else How(row.how)
        taxon = backbone.accepted_taxon(place[row.taxon_id])
        return _named(taxon, how, backbone, "reviewed" if how is How.REVIEWED else "matched")
    if row.status == MatchStatus.AMBIGUOUS:
        return _Outcome(UNDECIDED, None)
    return _Outcome(row.status, _status(MatchStatus(row.status), None, backbone))


def _chosen(decision: str, backbone: Backbone, place: Mapping[str, int]) -> Taxon:
    """Returns the taxon that a reviewer names by id or by name."""
    taxa = (
        [backbone.accepted_taxon(place[decision])]
        if decision in place
        else taxa_of(name_key(decision), backbone)
    )
    found = [taxon for taxon in taxa if taxon is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        near = did_you_mean(decision, [*Decision])
        raise TaxonomyError(
            f"column decision: '{decision[:60]}' is no taxon of the backbone.{near} Write its id or name"
        )
    listed = "; ".join(f"{taxon.taxon_id} = {taxon.label}" for taxon in found[:5])
    raise TaxonomyError(f"column decision: '{decision}' may be {listed}. Write the id")


def _status(status: MatchStatus, how: How | None, backbone: Backbone) -> dict[str, Any]:
    return {
        "name_status": status.value,
        "name_match": how.value if how else None,
        "backbone": backbone.name,
    }


def _named(taxon: Taxon | None, how: How, backbone: Backbone, name: str) -> _Outcome:
    if taxon is None:
        raise TaxonomyError(
            "column taxon_id: stands for no accepted taxon. Write another one into decision"
        )
    extra = [
        {"rank": rank.value, "name": text}
        for rank, text in taxon.lineage
        if rank not in LINNAEAN_RANKS
    ]
    values: dict[str, Any] = {rank.value: taxon.lineage.name_at(rank) for rank in LINNAEAN_RANKS}
    values |= dict.fromkeys(ID_COLUMNS) | dict(taxon.ids)
    values |= {
        "other_ranks": extra or None,
        "group": None,
        **_status(MatchStatus.MATCHED, how, backbone),
    }
    return _Outcome(name, values, taxon)
