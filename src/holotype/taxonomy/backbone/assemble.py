"""Rows of a source -> the rows of a backbone: names made canonical, pointers followed, lineages filled.

Everything runs on whole columns, so three million names take a minute and a few hundred megabytes.
Orphans, cycles, missing parents, duplicate ids and unknown ranks are counted; the row is kept.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.climb import MAX_DEPTH, lineage_columns
from holotype.taxonomy.backbone.schema import ID_COLUMNS, SCHEMA, status_of
from holotype.taxonomy.lineage import Rank
from holotype.taxonomy.names import name_key, read_name

_PLAIN_NAME = "^[A-Z][a-z-]+(?: [a-z-]+){0,2}$"
_RANK_WORDS = {
    "infrasp.": "form", "no rank": "", "clade": "", "unranked": "",
    "forma": "form", "varietas": "variety", "subvariety": "", "phylum (division)": "phylum",
    "subphylum (subdivision)": "subphylum", "species group": "", "species aggregate": "", "strain": "",
    "other": "", "realm": "domain", "subdomain": "domain", "acellular root": "", "cellular root": "",
}  # fmt: skip


def assemble(raw: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    """Returns the backbone's rows in the order of their keys, and how many rows had each problem.

    Args:
        raw: all rows of a source, in ``RAW_SCHEMA``.

    Raises:
        TaxonomyError: when no row has both an id and a name.
    """
    problems: Counter[str] = Counter()
    raw = _usable(raw, problems)
    canonical, authorship, keys = _names(raw)
    order = pc.sort_indices(
        pa.table({"key": keys, "id": raw["taxon_id"]}),
        sort_keys=[("key", "ascending"), ("id", "ascending")],
    )
    raw = raw.take(order)
    canonical, authorship, keys = (column.take(order) for column in (canonical, authorship, keys))
    ids = raw["taxon_id"].combine_chunks()
    accepted_row, accepted_id = _accepted(raw, ids, problems)
    parent_row = _rows_of(raw["parent_id"], ids, "orphan", problems)
    parent_row = _parents_accepted(parent_row, accepted_row)
    parent_row[parent_row == np.arange(len(ids))] = -1
    _cut_cycles(parent_row, problems)
    rank = _ranks(raw["rank_written"], problems)
    lineage = lineage_columns(raw, canonical, rank, parent_row, accepted_row, problems)
    hashes = [key_hash(key) for key in keys.to_pylist()]
    columns = {
        "key": keys,
        "key_hash": pa.array(hashes, pa.uint64()),
        "taxon_id": ids,
        "accepted_id": accepted_id,
        "parent_id": raw["parent_id"],
        "name": canonical,
        "authorship": authorship,
        "rank": rank,
        "rank_written": raw["rank_written"],
        "status": _statuses(raw, accepted_row),
        "status_written": raw["status_written"],
        **lineage,
        **{name: raw[name] for name in ID_COLUMNS},
        "is_extinct": _truth(raw["is_extinct"]),
        "environment": raw["environment"],
        "accepted_row": pa.array(accepted_row, pa.int32()),
        "parent_row": pa.array(parent_row, pa.int32()),
    }
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA), dict(
        sorted(problems.items())
    )


def key_hash(key: str) -> int:
    """Returns the first 8 bytes of the BLAKE2b hash of a key, as an unsigned number."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")


def _usable(raw: pa.Table, problems: Counter[str]) -> pa.Table:
    """Returns the rows with an id and a name, each id once (the first one)."""
    blank = pc.or_kleene(pc.is_null(raw["taxon_id"]), pc.is_null(raw["written_name"]))
    if lost := int(pc.sum(blank).as_py() or 0):
        problems["no_id_or_name"] = lost
        raw = raw.filter(pc.invert(blank))
    if not raw.num_rows:
        raise TaxonomyError("no row has both an id and a name. Check that the input is a taxonomy.")
    encoded = raw["taxon_id"].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    if len(first) < raw.num_rows:
        problems["duplicate_id"] = raw.num_rows - len(first)
        raw = raw.take(pa.array(np.sort(first)))
    return raw


def _names(raw: pa.Table) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Returns canonical name, authorship and key of each row; only uncommon names are read one by one."""
    written = pc.utf8_trim_whitespace(raw["written_name"]).combine_chunks()
    authorship = raw["authorship"].combine_chunks()
    plain = pc.match_substring_regex(written, _PLAIN_NAME)
    names, authors = written.to_pylist(), authorship.to_pylist()
    odd = np.flatnonzero(~plain.to_numpy(zero_copy_only=False))
    keys = pc.utf8_lower(written).to_pylist()
    for row in odd.tolist():
        names[row], authors[row] = canonical_of(names[row], authors[row])
        keys[row] = name_key(names[row])
    return pa.array(names, pa.string()), pa.array(authors, pa.string()), pa.array(keys, pa.string())


def canonical_of(written: str, authorship: str | None) -> tuple[str, str | None]:
    """Returns the canonical name and the authorship of a source's name, which may hold both.

    >>> canonical_of("Acartia (Acartiura) clausi Giesbrecht, 1889", None)
    ('Acartia clausi', 'Giesbrecht, 1889')
    """
    text = " ".join(written.split())
    if authorship and text.endswith(authorship):
        text = text[: -len(authorship)].strip(" ,")
    name = read_name(text)
    if name is None or (name.qualifier and not name.authorship):
        return text, authorship
    if authorship and name.authorship:
        return text, authorship
    return name.canonical, authorship or name.authorship or None


def _rows_of(
    wanted: pa.ChunkedArray, ids: pa.Array, problem: str, problems: Counter[str]
) -> NDArray[np.int32]:
    """Returns the row of each id, -1 for null and for an id that no row has; the latter are counted."""
    found = pc.index_in(wanted, value_set=ids)
    missing = pc.and_(pc.is_valid(wanted), pc.is_null(found))
    if lost := int(pc.sum(missing).as_py() or 0):
        problems[problem] += lost
    filled = pc.fill_null(found, -1).combine_chunks()
    return np.array(filled.to_numpy(zero_copy_only=False), dtype=np.int32)


def _accepted(
    raw: pa.Table, ids: pa.Array, problems: Counter[str]
) -> tuple[NDArray[np.int32], pa.Array]:
    """Returns the row and the id of what each name stands for: chains of synonyms are followed."""
    own = np.arange(len(ids), dtype=np.int32)
    target = _rows_of(raw["accepted_id"], ids, "accepted_taxon_missing", problems)
    given = pc.is_valid(raw["accepted_id"]).combine_chunks().to_numpy(zero_copy_only=False)
    row = np.where(given, target, own).astype(np.int32)
    words = pc.utf8_lower(pc.fill_null(raw["status_written"], ""))
    called = pc.match_substring(words, "synonym").combine_chunks().to_numpy(zero_copy_only=False)
    without = called & (~given | (row == own))
    if lost := int(without.sum()):
        problems["synonym_without_accepted"] = lost
        row[without] = -1
    for _ in range(MAX_DEPTH):
        onward = np.where(row >= 0, row[np.maximum(row, 0)], row).astype(np.int32)
        if np.array_equal(onward, row):
            break
        row = onward
    circular = (row >= 0) & (row[np.maximum(row, 0)] != row)
    circular |= given & (target >= 0) & (target != own) & (row == own)
    if lost := int(circular.sum()):
        problems["synonym_cycle"] = lost
        row[circular] = -1
    known = pa.array(np.maximum(row, 0))
    accepted = pc.if_else(pa.array(row >= 0), ids.take(known), raw["accepted_id"].combine_chunks())
    return row, accepted


def _parents_accepted(parent: NDArray[np.int32], accepted: NDArray[np.int32]) -> NDArray[np.int32]:
    """A parent that is itself a synonym is replaced by what it stands for."""
    better = np.where(parent >= 0, accepted[np.maximum(parent, 0)], -1)
    return np.where(better >= 0, better, parent).astype(np.int32)


def _cut_cycles(parent: NDArray[np.int32], problems: Counter[str]) -> None:
    """Cuts circles of parents, in place: one pointer of each circle goes."""
    active = np.arange(len(parent))
    at = parent[active]
    for _ in range(MAX_DEPTH):
        going = at >= 0
        active, at = active[going], parent[at[going]]
        if not len(active):
            return
    cut = 0
    for start in active.tolist():
        seen: set[int] = set()
        here = start
        while here >= 0 and here not in seen:
            seen.add(here)
            following = int(parent[here])
            if following in seen:
                parent[here] = -1
                cut += 1
                break
            here = following
    problems["cycle"] = cut


def _ranks(written: pa.ChunkedArray, problems: Counter[str]) -> pa.Array:
    encoded = written.combine_chunks().dictionary_encode()
    known: list[str | None] = [_rank(word) for word in encoded.dictionary.to_pylist()]
    ranks = pa.array(known, pa.string()).take(encoded.indices)
    words = pa.array(
        [word.strip().lower() in _RANK_WORDS for word in encoded.dictionary.to_pylist()], pa.bool_()
    )
    unknown = pc.and_(
        pc.and_(pc.is_valid(written.combine_chunks()), pc.is_null(ranks)),
        pc.invert(words.take(encoded.indices)),
    )
    if lost := int(pc.sum(unknown).as_py() or 0):
        problems["unknown_rank"] = lost
    return ranks


def _rank(word: str) -> str | None:
    text = word.strip().lower()
    text = _RANK_WORDS.get(text, text)
    try:
        return Rank.parse(text).value if text else None
    except TaxonomyError:
        return None


def _statuses(raw: pa.Table, accepted: NDArray[np.int32]) -> pa.Array:
    """Returns the status of each row; the words of a source are few, so each is read once."""
    encoded = pc.fill_null(raw["status_written"], "").combine_chunks().dictionary_encode()
    other = accepted != np.arange(len(accepted))
    words = encoded.dictionary.to_pylist()
    table = [
        [status_of(word, has_other_accepted=flag).value for word in words] for flag in (False, True)
    ]
    return pc.if_else(
        pa.array(other),
        pa.array(table[1]).take(encoded.indices),
        pa.array(table[0]).take(encoded.indices),
    )


def _truth(written: pa.ChunkedArray) -> pa.Array:
    words = pc.utf8_lower(written.combine_chunks())
    yes = pc.is_in(words, value_set=pa.array(["1", "true", "yes", "t", "extinct"]))
    no = pc.is_in(words, value_set=pa.array(["0", "false", "no", "f"]))
    return pc.if_else(yes, yes, pc.if_else(no, yes, pa.scalar(None, pa.bool_())))


def count_statuses(table: pa.Table) -> dict[str, int]:
    """Returns how many names have each status."""
    counted: Sequence[dict[str, object]] = pc.value_counts(table["status"]).to_pylist()
    return {str(entry["values"]): int(str(entry["counts"])) for entry in counted}
