"""The table of readers: what makes good inputs of each, and what reads one to its end."""

import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import fuzz_seeds_own as own
import fuzz_seeds_sources as source
from fuzz_mutations import Files, change_soundly
from fuzz_running import Reader

MOST_ITEMS = 5_000
RANK_WORDS = (
    b"kingdom",
    b"species",
    b"genus",
    b"Animalia",
    b"Calanus",
    b"not_classified",
    b"sp.",
    b"egg",
)
TABLE_WORDS = (
    b"record_id",
    b"image",
    b"barcode",
    b"species",
    b"written_label",
    b"latitude_deg",
    b"collected_on",
    b"source",
    b"extra:x",
    b"rank:tribe",
    *RANK_WORDS,
)
GEO_WORDS = (
    b"43\xc2\xb030'0\"N",
    b"91",
    b"-181",
    b"(95, 10)",
    b"1970-01-01/1971",
    b"2020-02-30T25:61:00Z",
    b"20201301",
    b"12:00",
    b"240000",
)


def first(folder: Path, *stems: str) -> Path:
    """Returns the file or folder whose name begins so; one that is not there, where none does."""
    for stem in stems:
        for path in sorted(folder.iterdir()):
            if path.name.startswith(stem):
                return path
    return folder / f"{stems[0]}"


def look_at(content: bytes) -> None:
    """Decodes an image as intake does."""
    from holotype.media.images import read_pixels
    from holotype.media.measures import measure

    measure(read_pixels(content))


def read_source(name: str, *stems: str) -> Callable[[Path], None]:
    """Returns what reads all items of a source, examines them, and looks at their images."""

    def read(folder: Path) -> None:
        from holotype.collection.record import examine
        from holotype.collection.sources import find_source
        from holotype.collection.sources.item import SourceOptions

        options = SourceOptions(spool=folder.parent / "spool")
        for item in islice(find_source(name).read(first(folder, *stems), options), MOST_ITEMS):
            said = (
                item.name,
                item.error,
                item.skip_reason,
                item.image_name,
                *item.fields,
                *item.fields.values(),
            )
            assert all(one is None or isinstance(one, str) for one in said), said
            if item.error is None and item.skip_reason is None:
                examine(item, source="x", labels=None, constants={})

    return read


def with_errors(read: Callable[[], Any]) -> None:
    """Goes on where one part is refused: the others are read as well."""
    from holotype.errors import HolotypeError

    try:
        read()
    except HolotypeError:
        return


def read_pixels_of(folder: Path) -> None:
    """An image: header, tags, size, pixels."""
    from holotype.media.headers import plain_header
    from holotype.media.locations import FileAt
    from holotype.media.tiff_tags import read_tags

    path = first(folder, "x")
    content = path.read_bytes() if path.is_file() else b""
    plain_header(content)

    def read() -> None:
        tags = read_tags(FileAt(str(path)), len(content))
        _ = tags.pixel_size_um, tags.moment, tags.position, tags.text(270)

    with_errors(read)
    look_at(content)


def read_members(folder: Path) -> None:
    """An archive and what lies in it, two deep."""
    from holotype.errors import MediaError
    from holotype.media.members import is_archive_name, members, nested_members

    spool = folder.parent / "spool"

    def go(found: Any, depth: int) -> None:
        for member in islice(found, MOST_ITEMS):
            if member.at is None:
                continue
            try:
                member.read()
            except MediaError:
                continue
            if depth and is_archive_name(member.name):
                with_errors(lambda member=member: go(nested_members(member, spool), depth - 1))

    go(members(first(folder, "x"), spool), 2)


def read_specimens(folder: Path) -> None:
    """Whatever a user points at, as predict reads it."""
    from holotype.errors import MediaError
    from holotype.identify.inputs import specimens

    for one in islice(specimens([str(path) for path in sorted(folder.iterdir())]), MOST_ITEMS):
        if one.read_image is not None:
            try:
                look_at(one.read_image())
            except MediaError:
                continue


def read_uploads(folder: Path) -> None:
    """What was sent to the server."""
    from holotype.app.uploads import Upload, UploadLimits, specimens_of
    from holotype.errors import MediaError

    limits = UploadLimits(
        files=10,
        file_bytes=8 << 20,
        all_bytes=8 << 20,
        pixels=1 << 20,
        members=100,
        unpacked_bytes=32 << 20,
    )
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for sent in (
        [Upload(p.name, path=p) for p in paths],
        [Upload(p.name, content=p.read_bytes()) for p in paths],
    ):
        scratch = folder.parent / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        found, refused = specimens_of(sent, limits, scratch)
        assert not any(str(folder.parent) in one.reason for one in refused), refused
        for one in found:
            assert str(folder.parent) not in str(one.failure), one
            if one.read_image is not None:
                try:
                    one.read_image()
                except MediaError:
                    continue


def read_collection(folder: Path) -> None:
    """A collection: records, images, ledger, names."""
    from holotype.collection.store import concepts_of, open_collection

    opened = open_collection(first(folder, "in"))
    _ = opened.name, opened.fingerprint, opened.sources, len(opened), bool(opened)
    concepts_of(opened.columns())
    list(opened.images())
    opened.ledger().to_pylist()


def read_index(folder: Path) -> None:
    """An index: records, vectors, a search."""
    import numpy as np

    from holotype.index.store import open_index

    opened = open_index(first(folder, "in"))
    opened.records.to_pylist()
    for modality in opened.modalities:
        row, _ = opened.nearest(modality, np.eye(1, opened.dim, dtype=np.float32), k=3)
        opened.taken(["record_id", "species"], row[0][row[0] >= 0]).to_pylist()


def read_library(folder: Path) -> None:
    """A library of barcodes, and a search in it."""
    from holotype.index.barcodes.search import search
    from holotype.index.barcodes.storage import load

    library = load(first(folder, "in"))
    search(library, [source.BARCODE * 4], k=2)


def read_bundle(folder: Path) -> None:
    """A bundle, its decisions, and what other commands read of it."""
    from holotype.counting.evidence import read_evidence
    from holotype.decisions.store import open_decisions
    from holotype.models.bundle import open_bundle

    path = first(folder, "in")
    opened = open_bundle(path)
    _ = opened.fingerprint
    open_decisions(opened)
    with_errors(lambda: read_evidence(path))


def read_snapshot(folder: Path) -> None:
    """A snapshot of names -> a backbone -> a search in it."""
    from holotype.taxonomy.backbone.build import build_backbone

    path = first(folder, "worms", "ncbi", "coldp", "bold", "lineages")
    kind = next(
        k for k in ("worms", "ncbi", "coldp", "bold", "lineages") if path.name.startswith(k)
    )
    out = folder.parent / "made.parquet"
    build_backbone(kind, path, out=out)
    search_backbone(out)


def search_backbone(path: Path) -> None:
    """Opens a backbone file and looks names up."""
    from holotype.taxonomy.backbone.store import open_backbone

    backbone = open_backbone(path)
    _ = backbone.name
    for name in ("calanus", "copepoda", "animalia", "inoceramidae"):
        for row in backbone.rows_of(name):
            backbone.taxon(row)
            backbone.accepted_taxon(row)


def read_log(folder: Path) -> None:
    """The log of a review."""
    from holotype.reviewing.log import ReviewLog

    log = ReviewLog(folder / "s")
    log.refresh()
    for name in ("A", "B"):
        log.state.label_by(name, "a")


def read_job_folder(folder: Path) -> None:
    """A job: its description, attempt, progress and log."""
    from holotype.jobs import attempts
    from holotype.jobs.reading import read_job

    read_job(folder / "j")
    attempts.read_progress(folder / "j" / "attempt-1")
    attempts.read_log(folder / "j" / "attempt-1" / "stdout", lines=3, before=None)


def read_word_list(folder: Path) -> None:
    """A list or small table, as its name says."""
    from holotype.assessing.sheet import read_labels
    from holotype.exchange.answers.scores import read_threshold_file
    from holotype.identify.class_lists import read_bins, read_classes
    from holotype.identify.record_lists import ids_of_list

    by_stem: dict[str, Callable[[Path], Any]] = {
        "classes": lambda path: read_classes(str(path)),
        "bins": read_bins,
        "records": ids_of_list,
        "labels": read_labels,
        "thresholds": read_threshold_file,
    }
    path = first(folder, *by_stem)
    by_stem[next(stem for stem in by_stem if path.name.startswith(stem))](path)


def read_score_table(folder: Path) -> None:
    """Scores of all labels, for exports and for counts."""
    import pyarrow as pa

    from holotype.exchange.answers.scores import read_scores, scores_of
    from holotype.identify.columns import ANSWER_SCHEMA

    made = pa.Table.from_pylist([{"input": "a"}, {"input": "b"}], schema=ANSWER_SCHEMA)
    scores_of(made, read_scores(folder / "s.parquet"))


def read_sidecar(folder: Path) -> None:
    """What other commands read of a sidecar."""
    from holotype.assessing.sample import told_max_error

    told_max_error(folder / "answers.csv")


def read_simulation(folder: Path) -> None:
    """The settings of a simulation: how much is simulated is what its user asks for."""
    from holotype.config import read_settings
    from holotype.simulate.settings import SimulationSettings

    read_settings(folder / "s.toml", SimulationSettings)


def read_class_scores(folder: Path) -> None:
    """Class files of IFCB bins by themselves."""
    from holotype.collection.sources.ifcb.classes import read_class_file
    from holotype.media.members import members

    for member in members(folder / "in"):
        if member.suffix in {".h5", ".mat", ".csv"}:
            with_errors(lambda member=member: read_class_file(member, {}))


def read_grid(folder: Path) -> None:
    """A grid, and some of its values."""
    import numpy as np

    from holotype.collection.environment.grid import open_grid

    grid = open_grid(folder / "o.nc", "thetao")
    np.asarray(grid.values[(0,) * grid.values.ndim])


def call(module: str, name: str, *stems: str) -> Callable[[Path], Any]:
    """Returns what gives the path of an input to a function."""

    def read(folder: Path) -> Any:
        import importlib

        return getattr(importlib.import_module(module), name)(first(folder, *stems))

    return read


def plain(make: Callable[[], list[Files]]) -> Callable[[Path], list[Files]]:
    """Returns what makes seeds that need no folder."""
    return lambda folder: make()


def class_files() -> list[Files]:
    """The class files of the bins alone."""
    return [
        {name: content for name, content in one.items() if name.endswith((".h5", ".mat", ".csv"))}
        for one in source.ifcb()
        if any(name.endswith((".h5", ".mat", ".csv")) for name in one)
    ]


SOURCES: dict[str, tuple[Callable[[], list[Files]], tuple[str, ...], tuple[bytes, ...]]] = {
    "image-folder": (source.image_folders, ("in",), ()),
    "table": (source.tables, ("t.", "t"), (*TABLE_WORDS, *GEO_WORDS)),
    "ecotaxa": (
        source.ecotaxa,
        ("in",),
        (b"[t]", b"[f]", b"object_id", b"img_rank", b"object_lat", *GEO_WORDS),
    ),
    "zooprocess": (
        source.zooprocess,
        ("in",),
        (b"[Data]", b"[Sample]", b"!Item", b"SubPart=", b"PixSize=", b"99999"),
    ),
    "zooimage": (
        source.zooimage,
        ("in",),
        (b"[Data]", b"!Item", b"!Label", b"[Samples]", b"VolIni="),
    ),
    "ifcb": (
        source.ifcb,
        ("in",),
        (b"ADCFileFormat:", b"StartByte", b"RoiX", b"roi_numbers", b"class_labels"),
    ),
    "flowcam": (
        source.flowcam,
        ("in",),
        (b"num-fields|", b"collage_file", b"|int32", b"OR\n", b"[General]"),
    ),
    "plankton-imager": (
        source.plankton_imager,
        ("in",),
        (b"Fname", b"Class", b"[49, 1, 0, 0, 0, 1]", b"DateTime"),
    ),
    "bold": (
        source.bold,
        ("in",),
        (b"processid", b"nuc", b"coord", b"None", b"BOLD:AAA0008", *GEO_WORDS),
    ),
    "fasta": (
        source.fasta,
        ("s.f", "s"),
        (b">", b";tax=", b"k:", b"|", b"COI-5P", b"ACGTN-", b";size=5;"),
    ),
    "bioscan": (source.bioscan, ("m",), (b"processid", b"dna_barcode", b"coord-lat", *RANK_WORDS)),
    "clibd": (source.clibd, ("in",), ()),
    "darwin-core": (
        source.darwin_core,
        ("in",),
        (
            b"<field index='99'/>",
            b"<!DOCTYPE a>",
            b"index=",
            b"encoding=",
            b"utf-16",
            b"fieldsTerminatedBy=",
            b"\\t",
            b"rowType=",
            b"associatedMedia",
            b"&amp;",
            b"eventDate",
            *GEO_WORDS,
        ),
    ),
    "camtrap-dp": (
        source.camtrap_dp,
        ("in",),
        (b"resources", b"dialect", b"path", b"encoding", b"bboxX", *GEO_WORDS),
    ),
    "coco-camera-traps": (
        source.coco,
        ("traps",),
        (b'"images"', b'"annotations"', b'"bbox"', b"datetime"),
    ),
    "speciesnet": (
        source.speciesnet,
        ("instances",),
        (b'"instances"', b'"predictions"', b"filepath"),
    ),
    "inat21": (source.inat21, ("in",), (b'"images"', b'"categories"', b"image_dir_name")),
    "tree-of-life": (
        source.tree_of_life,
        ("in",),
        (b"treeoflife_id", b"kingdom ", b"species ", b"a photo of "),
    ),
    "taxonopy": (source.taxonopy, ("in",), (b"uuid", b"scientific_name", *RANK_WORDS)),
    "hf-parquet": (source.hf_parquet, ("train",), (b"ClassLabel", b"names", b"_type", b"Image")),
}
"""Kinds of input: seeds, how the names of inputs begin, words."""

_OTHERS = (
    Reader(
        "source-simulated",
        plain(source.simulated),
        read_simulation,
        (b"num_species", b"seed", b"=", b"[x]"),
    ),
    Reader(
        "pixels",
        plain(source.pictures),
        read_pixels_of,
        (b"IHDR", b"IDAT", b"\xff\xd8", b"\xff\xda", b"II*\0"),
        most_bytes=1200 << 20,
        cost=2,
    ),
    Reader(
        "members",
        plain(source.archives),
        read_members,
        (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"ustar"),
    ),
    Reader(
        "specimens",
        plain(lambda: [*own.uploads(), *source.tables(), *source.camtrap_dp()]),
        read_specimens,
    ),
    Reader(
        "uploads", plain(own.uploads), read_uploads, (b"PK\x01\x02", b"ustar", b">", b"barcode")
    ),
    Reader("class-scores", plain(class_files), read_class_scores),
    Reader(
        "label-table",
        plain(own.label_tables),
        call("holotype.taxonomy.label_table", "read_label_table", "l"),
        TABLE_WORDS,
    ),
    Reader(
        "names-snapshot",
        plain(own.snapshots),
        read_snapshot,
        (b"scientific name", b"\t|\t", b"synonym", b"accepted", b"species", b"index=", b"genus"),
        cost=0.6,
    ),
    Reader("backbone", own.backbones, lambda folder: search_backbone(first(folder, "b"))),
    Reader(
        "names-review",
        own.reviews,
        call("holotype.collection.names_review", "read_review", "r"),
        (b"row_key", b"accept", b"reject", b"matched", b"sep="),
    ),
    Reader(
        "answers",
        own.answers,
        call("holotype.identify.read_answers", "read_answers", "answers"),
        (b"named", b"failed", b"[{", b"true", b"'="),
    ),
    Reader("sidecar", own.sidecars, read_sidecar),
    Reader("scores", plain(own.score_tables), read_score_table),
    Reader("collection", own.collections, read_collection),
    Reader("index", own.indexes, read_index),
    Reader("barcode-library", own.libraries, read_library),
    Reader("split", own.splits, call("holotype.splits.plan", "read_split", "s")),
    Reader(
        "recipe",
        plain(own.recipes),
        call("holotype.training.recipe", "read_recipe", "r"),
        (b"[model]", b"[x]", b"[[x]]", b"=", b"'''", b'"""', b"1979-05-27", b"{", b"true"),
    ),
    Reader(
        "public-source",
        plain(own.described_sources),
        call("holotype.catalogue.sources", "read_source", "s"),
        (b"[[licences]]", b"=", b"'''", b"1979-05-27"),
    ),
    Reader(
        "priors",
        plain(own.priors),
        call("holotype.decisions.priors_rows", "read_prior_table", "p"),
        (b"taxon", b"weight", b"count", b"present", b"11-2", b"1;7", b"months", b"scope"),
    ),
    Reader("lists", plain(own.word_lists), read_word_list, (b"label", b"number", b"threshold")),
    # the HDF5 library itself ends the process on some damaged files: these stay whole
    Reader("grid", own.grids, read_grid, cost=0.4, changes=change_soundly),
    Reader("job", plain(own.jobs), read_job_folder),
    Reader("review-log", plain(own.logs), read_log, (b'"kind"', b"undo", b"records")),
    Reader("bundle", own.bundles, read_bundle, cost=0.5),
)

READERS: dict[str, Reader] = {
    **{
        f"source-{name}": Reader(
            f"source-{name}",
            plain(make),
            read_source(name, *stems),
            words,
            cost=0.15 if name == "clibd" else 1,  # it starts a process for each input
        )
        for name, (make, stems, words) in SOURCES.items()
    },
    **{reader.name: reader for reader in _OTHERS},
}
