"""A backbone on disk: open it, look names up, read taxa. Arrow columns and NumPy arrays, no object a name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.assemble import key_hash
from holotype.taxonomy.backbone.schema import (
    FORMAT,
    ID_COLUMNS,
    RANK_COLUMNS,
    SCHEMA,
    VERSION,
    NameStatus,
    misfit,
)
from holotype.taxonomy.lineage import Lineage, Rank

_DICTIONARIES = ("rank", "status", *RANK_COLUMNS[:-1])
_LOADED = ("key", "key_hash", "taxon_id", "name", "rank", "status", *RANK_COLUMNS, "accepted_row",
           "parent_row")  # fmt: skip
_LINNAEAN = tuple((Rank(column), column) for column in RANK_COLUMNS)
_TEXTS = ("key", "taxon_id", "name", "rank", "status", *RANK_COLUMNS)


@dataclass(frozen=True)
class Taxon:
    """One accepted taxon of a backbone.

    Attributes:
        taxon_id: its id in the backbone.
        name: canonical.
        lineage: down to itself, with the ranks between the seven where the backbone has them.
        row: its row in the file.
        rank: its own rank, None where it has none of ours.
        ids: identifiers by authority.
    """

    taxon_id: str
    name: str
    lineage: Lineage
    row: int
    rank: Rank | None = None
    ids: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The taxon in one line: "Ctenophora (genus; Chromista Heterokontophyta)"."""
        above = [
            name
            for rank, name in self.lineage
            if rank in (Rank.KINGDOM, Rank.PHYLUM) and name != self.name
        ]
        return f"{self.name} ({'; '.join(filter(None, (self.rank, ' '.join(above))))})"


@dataclass(frozen=True)
class _Texts:
    """A text column that is read one row at a time: a dictionary's codes, or the values."""

    values: pa.Array
    codes: NDArray[np.int32] | None = None
    known: tuple[str | None, ...] = ()

    def at(self, row: int) -> str | None:
        """Returns the text of a row, None where it has none."""
        if self.codes is None:
            return None if self.values is None else self.values[row].as_py()
        code = int(self.codes[row])
        return None if code < 0 else self.known[code] if self.known else self.values[code].as_py()


MAX_KNOWN = 50_000


def _texts(column: pa.ChunkedArray) -> _Texts:
    if not column.num_chunks or column.null_count == len(column):
        return _Texts(None)
    array = column.chunk(0)
    if not pa.types.is_dictionary(array.type):
        return _Texts(array)
    known = tuple(array.dictionary.to_pylist()) if len(array.dictionary) <= MAX_KNOWN else ()
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return _Texts(array.dictionary, codes, known)


@dataclass
class Backbone:
    """An open backbone.

    Attributes:
        path: its file.
        origin: its metadata: kind, name, version, date, sha256, counts.
        columns: the loaded columns, one chunk each.
        order: rows sorted by the hash of their key; ``sorted_hashes`` the hashes in that order.
        word_starts: the first row of each first word ("acartia", then "acartia clausi", ...).
        words: that first word, as text.
        accepted_row, parent_row: where each row points to, -1 for nowhere.
        texts: the text columns, for reading one row.
    """

    path: Path
    origin: dict[str, Any]
    columns: pa.Table
    sorted_hashes: NDArray[np.uint64]
    order: NDArray[np.int64]
    word_starts: NDArray[np.int64]
    words: pa.Array
    accepted_row: NDArray[np.int32]
    parent_row: NDArray[np.int32]
    texts: Mapping[str, _Texts] = field(default_factory=dict)
    _taxa: dict[int, Taxon] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name and version that records keep: "worms 2024-05-01"."""
        return " ".join(
            str(self.origin[key]) for key in ("name", "snapshot") if self.origin.get(key)
        )

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def rows_of(self, key: str) -> list[int]:
        """Returns the rows whose key is that one, in order; [] for none."""
        wanted = np.uint64(key_hash(key))
        first = int(np.searchsorted(self.sorted_hashes, wanted))
        rows: list[int] = []
        while first < len(self.order) and self.sorted_hashes[first] == wanted:
            row = int(self.order[first])
            if self._text("key", row) == key:
                rows.append(row)
            first += 1
        return sorted(rows)

    def rows_of_id(self, taxon_id: str) -> list[int]:
        """Returns the row of an id, as a list of none or one."""
        found = pc.index(self.columns["taxon_id"], pa.scalar(taxon_id)).as_py()
        return [] if found < 0 else [int(found)]

    @cached_property
    def _place_of_word(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words.to_pylist())}

    def word_block(self, word: str) -> tuple[int, int]:
        """Returns the first row and the row after the last whose key begins with a word; (0, 0) for none."""
        place = self._place_of_word.get(word)
        if place is None:
            return 0, 0
        last = self.word_starts[place + 1] if place + 1 < len(self.word_starts) else len(self)
        return int(self.word_starts[place]), int(last)

    def keys_between(self, first: int, last: int) -> list[str]:
        """Returns the keys of a block of rows."""
        found: list[str] = self.columns["key"].chunk(0).slice(first, last - first).to_pylist()
        return found

    def accepted_taxon(self, row: int) -> Taxon | None:
        """Returns the taxon that the name of a row stands for, None for a synonym of nothing."""
        accepted = int(self.accepted_row[row])
        return None if accepted < 0 else self.taxon(accepted)

    def taxon(self, row: int) -> Taxon:
        """Returns the taxon of an accepted row."""
        if row not in self._taxa:
            self._taxa[row] = self._read_taxon(row)
        return self._taxa[row]

    def is_synonym(self, row: int) -> bool:
        """Returns whether the name of a row stands for another taxon."""
        return bool(self.accepted_row[row] != row)

    def status(self, row: int) -> NameStatus:
        """Returns the status of the name of a row."""
        return NameStatus(self._text("status", row))

    def _text(self, column: str, row: int) -> Any:
        return self.texts[column].at(row)

    def _read_taxon(self, row: int) -> Taxon:
        name = str(self._text("name", row))
        written = self._text("rank", row)
        rank = Rank(written) if written else None
        names: dict[Rank, str] = {}
        for at_rank, column in _LINNAEAN:
            if (rank is None or not rank.is_above(at_rank)) and (found := self._text(column, row)):
                names[at_rank] = str(found)
        if rank is not None:
            names[rank] = name
            if self.has_other_ranks:
                names |= self._between(row, rank, names)
        ids = tuple((key, str(found)) for key in ID_COLUMNS if (found := self._text(key, row)))
        lineage = Lineage(tuple(sorted(names.items(), key=_depth)))
        return Taxon(str(self._text("taxon_id", row)), name, lineage, row, rank, ids)

    @cached_property
    def has_other_ranks(self) -> bool:
        """Whether any taxon has a rank beside the seven."""
        return bool(set(pc.unique(self.columns["rank"]).to_pylist()) - {None, *RANK_COLUMNS})

    def _between(self, row: int, rank: Rank, known: Mapping[Rank, str]) -> dict[Rank, str]:
        """Returns the names above a taxon at ranks that are none of those known, the nearest of each."""
        found: dict[Rank, str] = {}
        at = int(self.parent_row[row])
        while at >= 0 and len(found) < len(Rank):
            above = self._text("rank", at)
            if above and above not in RANK_COLUMNS:
                at_rank = Rank(above)
                if at_rank.is_above(rank) and at_rank not in known and at_rank not in found:
                    found[at_rank] = str(self._text("name", at))
            at = int(self.parent_row[at])
        return found


def _depth(pair: tuple[Rank, str]) -> int:
    return pair[0].depth


def open_backbone(path: Path | str) -> Backbone:
    """Returns the backbone in a file.

    Raises:
        TaxonomyError: when there is no such file, or it is no backbone of this version.
    """
    path = Path(path)
    if not path.is_file():
        raise TaxonomyError(f"{path}: no such file. Make it with: holotype names backbone.")
    try:
        schema = pq.read_schema(path)
        origin = json.loads((schema.metadata or {})[b"holotype"])
        found = (origin["format"], origin["version"])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, RecursionError) as reason:
        raise TaxonomyError(
            f"{path}: not a backbone ({str(reason)[:80]}). Make it with: holotype names backbone."
        ) from None
    if found != (FORMAT, VERSION):
        raise TaxonomyError(
            f"{path}: {found[0]} version {found[1]}; this Holotype reads {FORMAT} version {VERSION}. "
            "Make it again from the snapshot."
        )
    try:
        wanted = [*_LOADED, *ID_COLUMNS]
        table = pq.read_table(path, columns=wanted, read_dictionary=[*_DICTIONARIES])
    except (pa.ArrowException, OSError) as reason:
        raise TaxonomyError(
            f"{path}: damaged ({str(reason)[:120]}). Make it again from the snapshot."
        ) from None
    with files.read_whole(path, TaxonomyError, remedy="Make it again from the snapshot."):
        if wrong := misfit(table):
            raise TaxonomyError(f"{path}: damaged ({wrong}). Make it again from the snapshot.")
    return _opened(path, origin, table.combine_chunks())


def _opened(path: Path, origin: dict[str, Any], table: pa.Table) -> Backbone:
    hashes = table["key_hash"].to_numpy()
    order = np.argsort(hashes, kind="stable")
    keys = table["key"].chunk(0) if table.num_rows else pa.array([], pa.string())
    words = pc.replace_substring_regex(keys, pattern=" .*$", replacement="")
    changed = np.ones(len(words), dtype=np.bool_)
    if len(words) > 1:
        changed[1:] = pc.not_equal(words[1:], words[:-1]).to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(changed)
    return Backbone(
        path=path,
        origin=origin,
        columns=table.drop_columns(["key_hash"]),
        sorted_hashes=hashes[order],
        order=order,
        word_starts=starts,
        words=words.take(pa.array(starts)),
        accepted_row=table["accepted_row"].to_numpy(),
        parent_row=table["parent_row"].to_numpy(),
        texts={name: _texts(table[name]) for name in (*_TEXTS, *ID_COLUMNS)},
    )


def write_backbone(table: pa.Table, origin: dict[str, Any], out: Path) -> None:
    """Writes a backbone file, whole or not at all; ``origin`` goes into its schema metadata."""
    content = {"format": FORMAT, "version": VERSION, **origin}
    stamped = table.cast(SCHEMA).replace_schema_metadata(
        {"holotype": json.dumps(content, ensure_ascii=False)}
    )
    with files.written_whole(out) as temporary:
        pq.write_table(stamped, temporary, compression="zstd", row_group_size=1 << 18)
