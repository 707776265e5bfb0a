"""TreeOfLife-10M and -200M: catalogue, licences and WebDataset tars with all text types.

Stevens et al. 2024 (arXiv:2311.18803), Gu et al. 2025 (arXiv:2505.23883). A sample is ``<id>.jpg`` with
``<id>.taxonTag.txt`` and nine more texts, side by side in a tar. The catalogue (CSV or Parquet) and the
licences are joined by the id; both lie in an index on disk, so memory stays small. Without a catalogue the
lineage is read from ``taxonTag.txt``. In the catalogue ``species`` is the epithet alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from holotype.collection.reading.disk_index import DiskIndex
from holotype.collection.reading.distinct import DistinctNames
from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.rows import (
    TABLE_ENDINGS,
    bad_row,
    binomial,
    common_name,
    lower_names,
    open_rows,
    whole_id,
)
from holotype.collection.reading.tabular import TextTable, present
from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.errors import MediaError, SourceError
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import Member, is_archive, members
from holotype.taxonomy.lineage import LINNAEAN_RANKS

_RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
_IDS = ("treeoflife_id", "uuid")
_WHOLE = ("eol_content_id", "eol_page_id", "bioscan_part", "inat21_cls_num", "source_id")
_LICENCES = ("license_name", "license", "licence")
_TAGS = re.compile(rf"\b({'|'.join(_RANKS)}) ")
_MAX_TEXT_BYTES = 1 << 16


@dataclass
class Tables:
    """Catalogue and licences by id; rows of the catalogue are taken out as their samples come.

    Attributes:
        catalogue, licences: their rows.
        rows: of the catalogue.
    """

    catalogue: DiskIndex = field(default_factory=DiskIndex)
    licences: DiskIndex = field(default_factory=DiskIndex)
    rows: int = 0


@dataclass(frozen=True)
class Sample:
    """The members of one WebDataset sample: its key, image and texts by ending."""

    key: str
    image: Member | None
    texts: Mapping[str, Member]


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each sample of the tars, then one for each catalogue row without a sample.

    The input is a folder with tars and tables, one tar, or the catalogue; ``options.images`` is where the
    tars are, if elsewhere, and ``options.annotations`` the catalogue or a folder with the tables.

    Raises:
        SourceError: when neither tar nor catalogue is there.
    """
    archives, tables, others = _sorted_out(path, options)
    if not archives and not tables:
        raise SourceError(f"{path}: neither tar nor catalogue in it. Name their folder.")
    names, known = DistinctNames(), Tables()
    for inside in others:
        yield Item(names.name(inside, 0), skip_reason="neither tar nor table")
    for place in tables:
        yield from _take_table(open_rows(place), known, names)
    for archive in archives:
        for sample in samples(archive, options.spool):
            item = _of_sample(sample, known) if isinstance(sample, Sample) else sample
            yield replace(item, name=names.name(item.name, 0))
    for key, values in known.catalogue.left():
        if archives:
            reason = "in the catalogue, without a sample in these tars"
            yield Item(names.name(key, int(values["line"])), skip_reason=reason)
        else:
            item = _of_row(key, [values], known)
            yield replace(item, name=names.name(key, int(values["line"])), row=int(values["line"]))


def _sorted_out(path: Path, options: SourceOptions) -> tuple[list[Path], list[Path], list[str]]:
    """Returns the tars, the tables and the other files of an input, these with their path in it."""
    places = [place for place in (path, options.images, options.annotations) if place is not None]
    files: dict[Path, str] = {}
    for place in places:
        if not place.exists():
            raise SourceError(f"{place}: no such file or folder. Check the path.")
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file():
                files.setdefault(file, file.relative_to(place).as_posix())
    archives = [file for file in files if is_archive(file)]
    tables = [file for file in files if file.name.lower().endswith(TABLE_ENDINGS)]
    known = {*archives, *tables}
    others = [inside for file, inside in files.items() if file not in known]
    return archives, tables, others


def _take_table(table: TextTable, known: Tables, names: DistinctNames) -> Iterator[Item]:
    """Puts the rows of a table into the index; yields an item for the table that is none, or a bad row."""
    header = {name.strip().lower() for name in table.header}
    column = next((name for name in _IDS if name in header), None)
    if column is None:
        yield Item(
            names.name(Path(table.name).name, 0), skip_reason="a table without treeoflife_id"
        )
        return
    is_catalogue = "kingdom" in header
    for row in table.rows:
        if row.error is not None:
            name = names.name(f"{Path(table.name).name} line {row.line}", row.line)
            yield Item(name, row.line, error=bad_row(table, row))
            continue
        values = {name: present(text) for name, text in lower_names(row.values).items()}
        values["line"], values["table"] = str(row.line), Path(table.name).name
        if not (key := whole_id(values.pop(column, ""))):
            name = names.name(f"{values['table']} line {row.line}", row.line)
            wrong = f"{table.name}, line {row.line}, column {column}: blank"
            yield Item(name, row.line, error=f"{wrong}. Write the id of the image.")
            continue
        (known.catalogue if is_catalogue else known.licences).put_row(key, values)
        known.rows += is_catalogue


def samples(archive: Path, spool: Path | None) -> Iterator[Sample | Item]:
    """Yields the samples of a tar, grouped by the name up to the first dot, and what belongs to none.

    Members of a sample lie side by side, as in any WebDataset.
    """
    key, image, texts = "", None, dict[str, Member]()
    for member in members(archive, spool):
        folder, _, file = member.name.rpartition("/")
        stem, _, ending = file.partition(".")
        if member.skip_reason is not None or not ending:
            named = replace(member, name=f"{archive.name}/{member.name}")
            yield left_out(named, "a member without an ending")
            continue
        found = f"{folder}/{stem}"
        if found != key and (image or texts):
            yield Sample(key.rpartition("/")[2], image, texts)
            image, texts = None, {}
        key = found
        if f".{ending.lower()}" in IMAGE_SUFFIXES:
            image = member
        elif ending.endswith(("txt", "cls", "json")):
            texts[ending] = member
        else:
            yield Item(f"{archive.name}/{member.name}", skip_reason="neither image nor text")
    if image or texts:
        yield Sample(key.rpartition("/")[2], image, texts)


def _of_sample(sample: Sample, known: Tables) -> Item:
    texts: dict[str, str] = {}
    notes: list[tuple[str, str]] = []
    for ending, member in sample.texts.items():
        try:
            texts[ending] = _text(member)
        except MediaError as reason:
            notes.append(("text", f"{sample.key}.{ending}: {reason}: left out"))
    rows = known.catalogue.take_rows(sample.key)
    item = _of_row(sample.key, rows, known) if rows else _of_texts(sample.key, texts, known)
    notes += item.notes
    if not rows and known.rows:
        notes.append(
            ("catalogue", f"{sample.key}: no row in the catalogue: named by its texts alone")
        )
    fields = dict(item.fields)
    common = texts.get("common_name.txt", "")
    if "vernacular_name" not in fields and (named := common_name(common, fields)):
        fields["vernacular_name"] = named
    fields |= {f"extra:{ending}": text for ending, text in texts.items() if text}
    if sample.image is None:
        said = f"{sample.key}: texts without an image: kept as names alone"
        return replace(item, fields=fields, notes=(*notes, ("image", said)))
    file_name = sample.image.name.rpartition("/")[2]
    return Item(sample.key, None, fields, sample.image.at, image_name=file_name, notes=tuple(notes))


def _text(member: Member) -> str:
    if member.size > _MAX_TEXT_BYTES:
        raise MediaError(f"{member.size:,} bytes are no caption")
    return member.read().decode("utf-8", errors="replace").strip()


def _of_texts(key: str, texts: Mapping[str, str], known: Tables) -> Item:
    fields = tagged_lineage(texts.get("taxonTag.txt", ""))
    label = texts.get("scientific_name.txt", "") or next(reversed(fields.values()), "")
    fields |= {"written_label": label} if label else {}
    return Item(key, fields=fields | _rights(key, known))


def tagged_lineage(caption: str) -> dict[str, str]:
    """Returns the ranks that a tagged caption names; the species is made a binomial.

    >>> tagged_lineage("a photo of family Corvidae genus Pica species hudsonia.")["species"]
    'Pica hudsonia'
    """
    text = caption.strip().removesuffix(".").partition(" with common name ")[0]
    parts = _TAGS.split(text)
    fields = {rank: name.strip() for rank, name in zip(parts[1::2], parts[2::2], strict=True)}
    fields = {rank: fields[rank] for rank in _RANKS if fields.get(rank)}
    if "species" in fields:
        fields["species"] = binomial(fields.get("genus", ""), fields["species"])
    return fields


def _rights(key: str, known: Tables) -> dict[str, str]:
    """Returns licence and holder of an image, and its address; what else the table says is kept as extra."""
    fields: dict[str, str] = {}
    for values in known.licences.rows(key)[:1]:
        row = RowFields(f"{values.pop('table')}, line {values.pop('line')}", values)
        row.text("licence", *_LICENCES)
        row.text("rights_holder", "copyright_owner", "rights_holder", "rightsholder")
        row.text("image_url", "medium_source_url", "source_url", "eol_full_size_copy_url")
        row.keep_extra()
        fields = row.fields
    return fields


def _of_row(key: str, rows: Sequence[dict[str, str]], known: Tables) -> Item:
    """Returns the item of the catalogue's rows of one id: they differ in the split alone."""
    values = dict(rows[0])
    row = RowFields(f"{values.pop('table')}, line {values.pop('line')}", values)
    for rank in _RANKS:
        row.text(rank, rank)
    if "species" in row.fields:
        row.fields["species"] = binomial(row.fields.get("genus", ""), row.fields["species"])
    label = row.text("written_label", "scientific_name")
    if not label and (ranked := [row.fields[rank] for rank in _RANKS if rank in row.fields]):
        row.fields["written_label"] = ranked[-1]
    if common := common_name(row.first("common", "common_name"), row.fields):
        row.fields["vernacular_name"] = common
    if splits := sorted({str(found.get("split", "")) for found in rows} - {""}):
        row.used.add("split")
        row.fields["upstream_split"] = ";".join(splits)
    row.text("image_url", "source_url")
    for column in _WHOLE:
        if number := whole_id(row.written(column)):
            row.fields[f"extra:{column}"] = number
    row.keep_extra()
    rights = {name: text for name, text in _rights(key, known).items() if name not in row.fields}
    return Item(key, fields=row.fields | rights, notes=tuple(row.notes))


SOURCE = Source(
    "tree-of-life", "TreeOfLife catalogue, licences and WebDataset tars with all texts", read
)
