"""Good small inputs of the formats that the package writes, made by its own writers, and of other tables."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_mutations import Files
from fuzz_seeds_sources import BARCODE, DWC, RANKS, parquet, picture, table, tar_of, zip_of


def of_folder(folder: Path, inside: str = "in") -> Files:
    """Returns the files of a folder under a name."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"{inside}/{path.relative_to(folder)}": path.read_bytes() for path in found}


def collections(folder: Path) -> list[Files]:
    """A collection of three records."""
    import holotype

    rows = [
        {
            "record_id": str(n),
            "image": f"{n}.png",
            "barcode": BARCODE,
            **RANKS,
            "latitude_deg": "43",
        }
        for n in range(3)
    ]
    made = folder / "made"
    made.mkdir()
    (made / "t.csv").write_bytes(table(*rows))
    for n in range(3):
        (made / f"{n}.png").write_bytes(picture(number=n))
    holotype.import_("table", [made / "t.csv"], into=folder / "c")
    return [of_folder(folder / "c")]


def splits(folder: Path) -> list[Files]:
    """A split of a few records."""
    from holotype.splits.plan import Split, write_split

    made = Split(
        ("a", "b", "c"),
        np.array(["train", "val", "unused"]),
        np.array(["seen", "unseen", "unnamed"]),
        np.array([0, 1, 2]),
        (None, None, "no image"),
        {"method": "x", "collection": "c", "fingerprint": "f", "settings": {"seed": 0}},
        {"leaks": 0},
    )
    write_split(made, folder / "s.parquet")
    return [{"s.parquet": (folder / "s.parquet").read_bytes()}]


def answer_rows() -> list[dict[str, Any]]:
    """Rows of answers."""
    best = json.dumps([{"label": "Calanus", "score": 0.75}, {"label": "egg", "score": 0.25}])
    row = {
        "input": "in/1.png",
        "record_id": "1",
        "label": "Calanus",
        "score": 0.75,
        "answer": "Calanus",
        "answer_level": "label",
        "answer_score": 0.75,
        **RANKS,
        "taxon": "Calanus",
        "taxon_rank": "genus",
        "decision": "named",
        "decision_reason": "'=1+1",
        "novelty": 0.25,
        "top_k": best,
        "model": "m",
        "status": "PredictedByMachine",
        "latitude_deg": 43.5,
        "collected_on": "2020-01-01",
    }
    return [
        row,
        {
            **row,
            "input": "in/2.png",
            "decision": "failed",
            "failure": 'no image, "x"',
            "score": None,
        },
    ]


def answers(folder: Path) -> list[Files]:
    """Answers in the three formats."""
    import pyarrow as pa

    from holotype.identify.columns import ANSWER_SCHEMA
    from holotype.identify.writers import ENDINGS, write_tables

    made = pa.Table.from_pylist(answer_rows(), schema=ANSWER_SCHEMA)
    found = []
    for ending in ENDINGS:
        path = folder / f"answers{ending}"
        write_tables([made], made.schema, path, temporary=folder / "part")
        found.append({path.name: path.read_bytes()})
    text = next(one["answers.csv"] for one in found if "answers.csv" in one)
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    held = io.StringIO()
    csv.writer(held, delimiter=";").writerows(rows)
    return [*found, {"answers.csv": held.getvalue().encode()}]


def sidecars(folder: Path) -> list[Files]:
    """What lies beside a file of answers."""
    from holotype.identify.sidecar import now, sidecar_path, write_sidecar

    told = {"settings": {"max_error": 0.05}, "model": {"name": "m"}, "inputs": [{"path": "in"}]}
    write_sidecar(folder / "answers.csv", told, started=now())
    path = sidecar_path(folder / "answers.csv")
    return [{path.name: path.read_bytes()}]


def label_tables() -> list[Files]:
    """Label tables."""
    row = {
        "Dataset": "zooscan",
        "Raw_Labels": "Ctenophora",
        **{rank.capitalize(): n for rank, n in RANKS.items()},
        "proposed_label": "x",
        "root_class": "living",
        "qualifier": "egg",
        "aphia_ID": "1248.0",
        "NCBI_ID": "10197",
        "ecotaxa_ID": "11",
    }
    return [
        {"l.csv": table(row, {**row, "Raw_Labels": "Copepoda"})},
    ]


LSID = "urn:lsid:marinespecies.org:taxname:"
TAXA = (
    "id\tacc\tparent\tname\tauthor\trank\tstatus\n"
    f"{LSID}1080\t{LSID}1080\t\tCopepoda\tMilne Edwards, 1840\tClass\taccepted\n"
    f"{LSID}104152\t{LSID}104152\t{LSID}1080\tCalanus\tLeach, 1816\tGenus\taccepted\n"
    f"{LSID}104464\t{LSID}104464\t{LSID}104152\tCalanus finmarchicus\t(Gunnerus, 1770)\tSpecies\taccepted\n"
    f"{LSID}9\t{LSID}104464\t{LSID}104152\tCalanus septentrionalis\tGoodsir, 1843\tSpecies\tunaccepted\n"
)
TERMS = (
    "taxonID",
    "acceptedNameUsageID",
    "parentNameUsageID",
    "scientificName",
    "scientificNameAuthorship",
    "taxonRank",
    "taxonomicStatus",
)
TAXON_META = (
    '<archive xmlns="http://rs.tdwg.org/dwc/text/"><core encoding="UTF-8" fieldsTerminatedBy="\\t" '
    'linesTerminatedBy="\\n" fieldsEnclosedBy="" ignoreHeaderLines="1" '
    f'rowType="{DWC}Taxon"><files><location>taxon.txt</location></files><id index="0"/>'
    + "".join(f'<field index="{n}" term="{DWC}{term}"/>' for n, term in enumerate(TERMS))
    + f'<field default="Animalia" term="{DWC}kingdom"/></core></archive>'
)


def snapshots() -> list[Files]:
    """Snapshots of reference taxonomies, of every kind; the folder says which."""
    import gzip

    def dump(*rows: tuple[object, ...]) -> bytes:
        return "".join("\t|\t".join(map(str, row)) + "\t|\n" for row in rows).encode()

    nodes = dump(
        (1, 1, "no rank"), (33208, 1, "kingdom"), (6656, 33208, "phylum"), (6837, 6656, "genus")
    )
    names = dump(
        (1, "root", "", "scientific name"),
        (33208, "Metazoa", "", "scientific name"),
        (6656, "Arthropoda", "", "scientific name"),
        (6837, "Calanus", "", "scientific name"),
        (6837, "Calanus Leach 1816", "", "authority"),
        (6837, "Calannus", "", "synonym"),
    )
    dumped = {"nodes.dmp": nodes, "names.dmp": names, "merged.dmp": dump((100, 6837))}
    worms = {"meta.xml": TAXON_META.encode(), "taxon.txt": TAXA.encode()}
    coldp = (
        b"col:ID\tcol:parentID\tcol:status\tcol:scientificName\tcol:authorship\tcol:rank\tcol:extinct\n"
        b"A\t\taccepted\tAnimalia\t\tkingdom\t\nB\tA\taccepted\tInoceramidae\tGiebel, 1852\tfamily\ttrue\n"
        b"C\tB\tsynonym\tCladoceramidae\t\tfamily\t\n"
    )
    bold = table({"processid": "A1", "taxid": "5", **RANKS, "bin_uri": "BOLD:AAA1"}, delimiter="\t")
    return [
        {f"worms/{name}": one for name, one in worms.items()},
        {"worms.zip": zip_of(worms)},
        {"ncbi.tar.gz": gzip.compress(tar_of(dumped))},
        {"ncbi.tar": tar_of(dumped)},
        {"coldp/NameUsage.tsv": coldp},
        {"coldp.zip": zip_of({"NameUsage.tsv": coldp})},
        {"bold.tsv": bold},
        {"lineages.csv": label_tables()[0]["l.csv"]},
    ]


def backbones(folder: Path) -> list[Files]:
    """A backbone file."""
    from holotype.taxonomy.backbone.build import build_backbone

    (folder / "worms").mkdir()
    (folder / "worms" / "meta.xml").write_text(TAXON_META)
    (folder / "worms" / "taxon.txt").write_text(TAXA)
    build_backbone("worms", folder / "worms", out=folder / "b.parquet", version="1")
    return [{"b.parquet": (folder / "b.parquet").read_bytes()}]


def priors() -> list[Files]:
    """Tables of priors."""
    whole = {
        "taxon": "Calanus",
        "rank": "genus",
        "within": "",
        "region": "Arctic",
        "latitude_min_deg": "66",
        "latitude_max_deg": "90",
        "longitude_min_deg": "-180",
        "longitude_max_deg": "180",
        "depth_min_m": "0",
        "depth_max_m": "200",
        "months": "6;7",
        "weight": "2.5",
    }
    return [
        {
            "p.csv": table(
                {"taxon": "Calanus", "weight": "2.5"}, {"taxon": "Oithona", "weight": "1"}
            )
        },
        {"p.csv": table({"taxon": "Calanus", "count": "25"}, {"taxon": "Oithona", "count": "1"})},
        {"p.csv": table(whole, {**whole, "taxon": "Oithona"})},
        {
            "p.parquet": parquet(
                {"taxon": "Calanus", "weight": 2.5}, {"taxon": "Oithona", "weight": 1.0}
            )
        },
    ]


def indexes(folder: Path) -> list[Files]:
    """An index of a few records, and one with cells."""
    import pyarrow as pa

    from holotype.index.store import Vectors
    from holotype.index.writing import write_index

    rows = 6
    records = pa.table(
        {
            "record_id": [f"r{n}" for n in range(rows)],
            "species": ["Calanus finmarchicus"] * rows,
            "barcode": [BARCODE] * rows,
            "latitude_deg": np.linspace(-90, 90, rows),
        }
    )
    z = np.random.default_rng(0).standard_normal((rows, 8))
    vectors = {"image": Vectors.of(z / np.linalg.norm(z, axis=1, keepdims=True))}
    write_index(folder / "i", records, vectors, model="m")
    return [of_folder(folder / "i")]


def libraries(folder: Path) -> list[Files]:
    """A library of barcodes."""
    from holotype.index.barcodes.library import BarcodeLibrary
    from holotype.index.barcodes.storage import save

    rng = np.random.default_rng(2)
    texts = ["".join(rng.choice(list("ACGT"), 300)) for _ in range(4)]
    save(BarcodeLibrary.of(texts, species_N=[0, 0, 1, 2]), folder / "l")
    return [of_folder(folder / "l")]


def bundles(folder: Path) -> list[Files]:
    """A bundle with its decisions: the smallest model, not trained."""
    from holotype.config import checked
    from holotype.models.aligned import AlignedModel
    from holotype.models.bundle import write_bundle
    from holotype.models.labels import Label, LabelSpace, Target
    from holotype.models.model_settings import ModelSettings
    from holotype.models.towers import Modality
    from holotype.taxonomy.label_table import Concept
    from holotype.taxonomy.lineage import Lineage

    settings = checked(
        ModelSettings,
        {
            "embedding_dim": 8,
            "images": {"side_px": 16, "width": 4, "depth": 1},
            "classifier": {"kind": "cosine"},
        },
        where="x",
    )
    labels = LabelSpace(
        Target.TREE,
        (Label("a", Concept(Lineage.from_names(RANKS)), 3), Label("b", Concept(Lineage()), 2)),
    )
    model = AlignedModel(settings, num_labels=2)
    (folder / "b").mkdir()
    write_bundle(
        folder / "b",
        settings,
        model.state_dict(),
        labels,
        {Modality.IMAGE: 1.0},
        {"recipe": {"name": "x"}},
        "card",
    )
    return [of_folder(folder / "b")]


def recipes() -> list[Files]:
    """A recipe."""
    text = (
        'name = "tiny"\ntarget = "tree"\n[model]\nembedding_dim = 32\n[model.images]\nside_px = 32\n'
        "width = 8\n"
        'depth = 1\n[model.classifier]\nkind = "cosine"\ndropout = 0.1\n[classify]\n[align]\n'
        'pairs = [["image", "caption"]]\n[model.captions]\nwidth = 16\ndepth = 1\n'
        "[augment]\n[damage]\n[schedule]\nepochs = 3\nbatch_size = 32\n"
    )
    return [{"r.toml": text.encode()}]


def described_sources() -> list[Files]:
    """The description of a public source: a file that comes with the package."""
    from holotype.catalogue.sources import SHIPPED

    return [{"s.toml": path.read_bytes()} for path in sorted(SHIPPED.glob("*.toml"))[:3]]


def word_lists() -> list[Files]:
    """Lists of classes and records, tables of bins, labels of an assessment, thresholds."""
    return [
        {"classes.txt": b"cat\nbird\nbear\n"},
        {"bins.csv": b"cls,bin\ncat,pets\nbird,wild\n"},
        {"records.txt": b"a\nb\n"},
        {"labels.csv": table({"number": "1", "input": "a", "label": "x", "note": ""})},
        {
            "thresholds.csv": table(
                {"of": "label", "channel": "image", "name": "x", "threshold": "0.5"}
            )
        },
        {"thresholds.txt": b"Ciliophora 0.5\nDinobryon 0.75\n"},
    ]


def score_tables() -> list[Files]:
    """Scores of all labels."""
    return [
        {
            "s.parquet": parquet(
                {"input": "a", "x": 0.25, "y": 0.75}, {"input": "b", "x": 1.0, "y": 0.0}
            )
        }
    ]


def grids(folder: Path) -> list[Files]:
    """A grid of the sea."""
    import xarray as xr

    values = np.arange(2 * 3 * 3, dtype=np.float64).reshape(2, 3, 3)
    made = xr.Dataset(
        {"thetao": (("time", "lat", "lon"), values, {"units": "degC"})},
        coords={
            "time": np.array(["2020-01-16", "2020-02-15"], dtype="datetime64[ns]"),
            "lat": ("lat", [40.0, 41.0, 42.0], {"standard_name": "latitude"}),
            "lon": ("lon", [4.0, 5.0, 6.0], {"standard_name": "longitude"}),
        },
    )
    made.to_netcdf(folder / "o.nc", engine="h5netcdf")
    return [{"o.nc": (folder / "o.nc").read_bytes()}]


def jobs() -> list[Files]:
    """A job as it lies on disk."""
    from holotype.jobs.job import FORMAT, VERSION

    told = {
        "format": FORMAT,
        "version": VERSION,
        "words": ["predict", "--json"],
        "folder": "x",
        "title": "t",
        "asked_by": "a",
        "asked": "2020-01-01T00:00:00+00:00",
    }
    attempt = {
        "asked.json": {"asked": "2020-01-01T00:00:00+00:00", "ticket": 1},
        "process.json": {"started": "2020-01-01T00:00:00+00:00"},
        "exit.json": {"ended": "2020-01-01T00:00:01+00:00", "code": 0},
        "progress.json": {"title": "x", "done": 1, "total": 2, "at": "2020-01-01T00:00:00+00:00"},
    }
    held = {f"j/attempt-1/{name}": json.dumps(value).encode() for name, value in attempt.items()}
    return [{"j/job.json": json.dumps(told).encode(), **held, "j/attempt-1/stdout": b'{"a": 1}'}]


def uploads() -> list[Files]:
    """What people send to the server, one file an input."""
    from fuzz_seeds_sources import archives, fasta, pictures

    rows = table(
        {"record_id": "a", "barcode": BARCODE, "latitude_deg": "43"},
        {"record_id": "b", "barcode": BARCODE},
    )
    return [
        *({"1.png": one["x"]} for one in pictures()[:12]),
        *archives(),
        *fasta()[:3],
        {"t.csv": rows},
        {"t.tsv": rows.replace(b",", b"\t")},
    ]


def reviews(folder: Path) -> list[Files]:
    """A review of names, as a spreadsheet saves it."""
    from holotype.collection.names_review import COLUMNS

    row = dict.fromkeys(COLUMNS, "")
    row |= {"row_key": "k" + "0" * 16, "status": "matched", "decision": "accept", "taxon_id": "1"}
    return [{"r.csv": table(row)}, {"r.csv": b"sep=;\n" + table(row, delimiter=";")}]


def logs() -> list[Files]:
    """The log of a review."""
    from holotype.reviewing.events import Event, Kind

    said = (
        Event("e1", "2020-01-01T00:00:00.000+00:00", "A", Kind.RELABEL, ("a",), ("x",), (None,)),
        Event(
            "e2",
            "2020-01-01T00:00:01.000+00:00",
            "B",
            Kind.NOTE,
            ("a",),
            (None,),
            (None,),
            (),
            "why",
        ),
        Event(
            "e3",
            "2020-01-01T00:00:02.000+00:00",
            "A",
            Kind.UNDO,
            ("a",),
            (None,),
            ("x",),
            undoes="e1",
        ),
    )
    return [{"s/log.jsonl": b"".join(one.as_line() for one in said)}]
