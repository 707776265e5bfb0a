"""What fuzzing found, as the least input that shows it; each gave a traceback, or ended the process."""

import base64
import contextlib
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzz_readers as readers
import fuzz_seeds_own as own
import fuzz_seeds_sources as source
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz_mutations import Files
from fuzz_running import lay

from holotype.collection.sources import find_source
from holotype.collection.sources.ifcb.matlab import read_matlab_5
from holotype.collection.sources.item import Item, SourceOptions
from holotype.errors import (
    BundleError,
    CollectionError,
    HolotypeError,
    MediaError,
    RecipeError,
    SourceError,
    SplitError,
    TaxonomyError,
)
from holotype.media.headers import plain_header
from holotype.media.images import read_pixels
from holotype.media.members import members
from holotype.models.labels import LabelSpace

DEEP = b"[" * 100_000
DIGITS = "9" * 5000


def items(kind: str, path: Path, **options: Path) -> list[Item]:
    return list(find_source(kind).read(path, SourceOptions(**options)))


def refused(kind: type[HolotypeError], read: Callable[[], object], *words: str) -> None:
    with pytest.raises(kind) as raised:
        read()
    for word in words:
        assert word in str(raised.value)
    assert str(raised.value).endswith(".")


# ---------------------------------------------------------------- images and archives


def test_a_colour_profile_that_ends_in_its_name(tmp_path: Path) -> None:
    whole = source.picture()
    profile = b"iCCPicc\x00"
    size = struct.pack(">I", len(profile) - 4)
    at = whole.index(b"IEND") - 4
    chunk = size + profile + struct.pack(">I", zlib.crc32(profile))
    with pytest.raises(MediaError, match="damaged PNG image"):
        read_pixels(whole[:at] + chunk)


def test_a_png_of_218_bytes_that_asked_for_two_gigabytes() -> None:
    whole = source.picture()
    at = whole.rindex(b"IEND")
    told = whole[: at - 4] + struct.pack(">I", 1 << 31) + whole[at:]
    assert plain_header(whole) is not None
    assert plain_header(told) is None, "OpenCV would set aside what the last chunk says"
    assert read_pixels(told).shape == (6, 8, 1)


def renamed_entry(content: bytes, name: bytes) -> bytes:
    """The zip with its first entry's name in the directory replaced by one of another length."""
    at = content.index(b"PK\x01\x02")
    old = int.from_bytes(content[at + 28 : at + 30], "little")
    entry = content[at : at + 28] + struct.pack("<H", len(name)) + content[at + 30 : at + 46] + name
    rest = content[at + 46 + old :]
    end = rest.index(b"PK\x05\x06")
    size = int.from_bytes(rest[end + 12 : end + 16], "little") + len(name) - old
    return content[:at] + entry + rest[: end + 12] + struct.pack("<I", size) + rest[end + 16 :]


def test_an_entry_of_a_zip_without_a_name_costs_itself_alone(tmp_path: Path) -> None:
    held = source.zip_of({"1.png": source.picture(), "2.png": source.picture(number=2)})
    (tmp_path / "in.zip").write_bytes(renamed_entry(held, b""))
    first, second = members(tmp_path / "in.zip")
    assert (first.name, first.error) == (
        "(no name)",
        "an entry without a name. Pack the zip again.",
    )
    assert second.read() == source.picture(number=2)


def test_an_entry_of_a_zip_before_its_start_costs_itself_alone(tmp_path: Path) -> None:
    held = bytearray(source.zip_of({"1.png": source.picture()}, zipfile.ZIP_LZMA))
    end = held.index(b"PK\x05\x06")
    place = int.from_bytes(held[end + 16 : end + 20], "little")
    held[end + 16 : end + 20] = struct.pack("<I", place + 100)  # so that entries begin at -100
    (tmp_path / "in.zip").write_bytes(bytes(held))
    (member,) = members(tmp_path / "in.zip", tmp_path / "spool")
    assert member.error is not None
    assert "damaged in the zip" in member.error


def test_a_name_in_a_zip_that_is_no_utf_8(tmp_path: Path) -> None:
    held = bytearray(source.zip_of({"bé.tsv": source.bold()[0]["in.tsv"]}))
    held[31] = 0xF8  # within the name that stands before the data
    (tmp_path / "in.zip").write_bytes(bytes(held))
    refused(SourceError, lambda: items("bold", tmp_path / "in.zip"), "not a whole package")


# ---------------------------------------------------------------- sources


@pytest.mark.parametrize("cut", [12, 40])
def test_a_damaged_gzip_of_a_table(tmp_path: Path, cut: int) -> None:
    content = bytearray(source.bold()[1]["in.tsv.gz"])
    content[cut : cut + 8] = b"\xff" * 8
    (tmp_path / "in.tsv.gz").write_bytes(bytes(content))
    refused(SourceError, lambda: items("bold", tmp_path / "in.tsv.gz"), "in.tsv.gz")


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\udcffb.png"])
def test_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    cell = name.encode("utf-8", "surrogateescape")
    (tmp_path / "t.csv").write_bytes(b"record_id,image,species\na," + cell + b",Apis mellifera\n")
    (item,) = items("table", tmp_path / "t.csv")
    assert item.name == "a"
    (tmp_path / "m.csv").write_bytes(
        source.bioscan()[0]["m.csv"].replace(b"AAA1", cell if name.isascii() else b"B" * 300)
    )
    assert items("bioscan", tmp_path / "m.csv")[0].image is None


MATLAB = (
    "c-r%I4DoSvQZUssQ1EpO(M`+DNmU5QNi0drFUqx2D9A6)tk6+#E=o--Nlj76&$ChpF3nT$%P&(fGEy)wv@$lgGO$oEGB7e@AOkRZ"
    "`tkv(6F|%c#2g?Ys1z%d&jb|%VF4gc&PgmTHYzPnjn7TYD^1J+>32ZV&w{2Oq>qP6`Wc{RfcT|(V3RV_GE-AP;>4K4iDnLn?~<99"
    "pHx(tp9d8OnbUz}4jY;|%uoz75A2GZ%;FNLI*^zLJb*vgLm3VbiUUgjs7Dotse_3lXaKq0JPi"
)


def test_a_matlab_file_that_ended_the_process_in_another_reader() -> None:
    content = zlib.decompress(base64.b85decode(MATLAB))
    with pytest.raises(ValueError, match=r"."):
        read_matlab_5(content, ("classlist", "class2use_manual"))


def test_numbers_texts_and_cells_of_matlab_are_read_as_scipy_reads_them() -> None:
    from scipy.io import loadmat, savemat

    held = {
        "classlist": np.array([[1, np.nan, 3], [2, 5, 6.5]]), "one": np.float32(2.5), "text": "Dinobryon é",
        "lines": np.array(["ab", "cd"]), "cell": np.array([["x"], ["yz"]], dtype=object),
        "small": np.array([[1, 2, 300]], np.int16), "none": np.zeros((0, 0)),
        "left_out": {"a": 1.0},
    }  # fmt: skip
    for packed in (False, True):
        file = io.BytesIO()
        savemat(file, held, do_compression=packed)
        found = read_matlab_5(file.getvalue(), tuple(held))
        wanted = loadmat(file, simplify_cells=True)
        for name in ("classlist", "one", "small"):
            np.testing.assert_array_equal(found[name], wanted[name])
        assert found["text"] == wanted["text"] == "Dinobryon é"
        assert list(found["lines"]) == list(wanted["lines"])
        assert list(found["cell"]) == list(wanted["cell"]) == ["x", "yz"]
        assert np.size(found["none"]) == 0
        assert found["left_out"] is None
        for end in range(128, len(file.getvalue()), 7):
            try:
                read_matlab_5(file.getvalue()[:end], tuple(held))
            except (ValueError, zlib.error):
                continue


FOOTER = """
import sys
from pathlib import Path
from holotype.collection.reading.rows import open_rows
from holotype.collection.sources import find_source
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
path = Path(sys.argv[1])
whole = path.read_bytes()
size = int.from_bytes(whole[-8:-4], "little")
refused = 0
for at in range(len(whole) - 8 - size, len(whole) - 8):
    for bit in (1, 8):
        changed = bytearray(whole)
        changed[at] ^= bit
        path.write_bytes(bytes(changed))
        for read in (lambda: open_rows(path).rows, lambda: find_source("table").read(path, SourceOptions())):
            try:
                list(read())
            except SourceError:
                refused += 1
print(refused)
"""


def test_no_bit_of_the_footer_of_a_parquet_file_ends_the_process(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"record_id": ["a", "b"], "genus": ["Pica", "Pica"]}), path)
    done = subprocess.run(
        [sys.executable, "-c", FOOTER, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 50


@pytest.mark.parametrize("delimiter", ["", ",,", 5, None, '"'])
def test_the_delimiter_of_a_package_is_one_character(tmp_path: Path, delimiter: object) -> None:
    files = source.camtrap_dp()[0]
    said = json.loads(files["in/datapackage.json"])
    said["resources"][2]["dialect"]["delimiter"] = delimiter
    lay({**files, "in/datapackage.json": source.json_of(said)}, tmp_path / "x")
    refused(
        SourceError,
        lambda: items("camtrap-dp", tmp_path / "x" / "in"),
        "delimiter of 'observations'",
    )


def test_a_package_nested_without_end(tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_bytes(DEEP)
    refused(SourceError, lambda: items("camtrap-dp", tmp_path), "datapackage.json")


def test_an_image_of_inat_without_a_name(tmp_path: Path) -> None:
    files = source.inat21()[1]
    said = files["in/train.json"].replace(b'"file_name": "', b'"file_name": NaN, "was": "')
    lay({**files, "in/train.json": said}, tmp_path / "x")
    assert sum(one.image is not None for one in items("inat21", tmp_path / "x" / "in")) == 2


@pytest.mark.parametrize("sign", [b"SNOD", b"TREE", b"GCOL", b"HEAP"])
def test_clibd_with_a_damaged_part(tmp_path: Path, sign: bytes) -> None:
    content = source.clibd()[0]["in.hdf5"]
    at = content.rindex(sign)
    (tmp_path / "in.hdf5").write_bytes(content[:at] + bytes(len(sign)) + content[at + 4 :])
    with contextlib.suppress(SourceError):
        told = items("clibd", tmp_path / "in.hdf5")
        assert sign == b"GCOL" or any(one.error and "damaged" in one.error for one in told)


def test_clibd_of_which_the_library_dies_is_refused(tmp_path: Path) -> None:
    """Four bytes of the heap of texts: HDF5 2.0 ends with a segmentation fault."""
    content = bytearray(source.clibd()[0]["in.hdf5"])
    for place, value in ((10_295, 1), (11_310, 8), (12_853, 1), (16_821, 9)):
        content[place] = value
    (tmp_path / "in.hdf5").write_bytes(content)
    with contextlib.suppress(SourceError):
        items("clibd", tmp_path / "in.hdf5")


# ---------------------------------------------------------------- formats of the package


def changed_manifest(
    files: Files, ending: str, change: Callable[[dict[str, Any]], object]
) -> Files:
    """The files with one manifest changed in place."""
    (name,) = (name for name in files if name.endswith(ending))
    said = json.loads(files[name])
    change(said)
    return {**files, name: json.dumps(said).encode()}


def test_a_damaged_manifest_of_an_index(tmp_path: Path) -> None:
    (files,) = own.indexes(tmp_path)
    keys = ("data", "embedding_dim", "vectors", "exact_up_to")
    for key in keys:
        for value in (None, [], "x", {"image": {}}, {"image": 5}):
            changed = changed_manifest(
                files, "index.json", lambda said, k=key, v=value: said.update({k: v})
            )
            lay(changed, tmp_path / "x")
            refused(CollectionError, lambda: readers.read_index(tmp_path / "x"))
        lay(changed_manifest(files, "index.json", lambda said, k=key: said.pop(k)), tmp_path / "x")
        refused(CollectionError, lambda: readers.read_index(tmp_path / "x"), f"no '{key}'")
    lay({**files, "in/index.json": DEEP}, tmp_path / "x")
    refused(CollectionError, lambda: readers.read_index(tmp_path / "x"), "index.json")


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY\x01\x00\x10\x00{'descr': [(\n\n\n\n\n", b"PAR1" * 3]
)
@pytest.mark.parametrize("ending", ["image.npy", "records.parquet"])
def test_a_damaged_file_of_an_index(tmp_path: Path, ending: str, content: bytes) -> None:
    (files,) = own.indexes(tmp_path)
    (name,) = (name for name in files if name.endswith(ending))
    lay({**files, name: content}, tmp_path / "x")
    refused(CollectionError, lambda: readers.read_index(tmp_path / "x"))


@pytest.mark.parametrize(
    "name", ["haplotype", "length", "species", "row", "seed", "mask", "turned"]
)
def test_arrays_of_a_library_that_do_not_belong_together(tmp_path: Path, name: str) -> None:
    (files,) = own.libraries(tmp_path)
    array = np.load(io.BytesIO(files[f"in/{name}.npy"]))
    other = array[:-1] if name != "haplotype" else array + 1
    packed = io.BytesIO()
    np.save(packed, other)
    shape = [str(other.dtype), *other.shape]
    changed = changed_manifest(files, ".json", lambda said: said["arrays"].update({name: shape}))
    lay({**changed, f"in/{name}.npy": packed.getvalue()}, tmp_path / "x")
    refused(CollectionError, lambda: readers.read_library(tmp_path / "x"), "Make the library again")


def test_a_collection_whose_manifest_lacks_what_it_needs(tmp_path: Path) -> None:
    (files,) = own.collections(tmp_path)
    for change in (
        lambda said: said.pop("name"), lambda said: said.pop("imports"), lambda said: said.update(imports=5),
        lambda said: said["imports"][0].pop("ledger"),
        lambda said: said["imports"][0]["shards"][0].pop("sha256"),
        lambda said: said["imports"][0]["shards"][0].update(rows="x"),
    ):  # fmt: skip
        lay(changed_manifest(files, "collection.json", change), tmp_path / "x")
        refused(CollectionError, lambda: readers.read_collection(tmp_path / "x"), "collection.json")


def parquet_with(content: bytes, change: Callable[[pa.Table], pa.Table]) -> bytes:
    packed = io.BytesIO()
    pq.write_table(change(pq.read_table(io.BytesIO(content))), packed)
    return packed.getvalue()


SPLIT_DAMAGE: dict[str, Callable[[pa.Table], pa.Table]] = {
    "no role": lambda table: table.drop_columns(["role"]),
    "null group": lambda table: table.set_column(3, "group", pa.nulls(3)),
    "bytes": lambda table: table.set_column(1, "role", pa.array([b"\xff"] * 3)),
    "no version": lambda table: table.replace_schema_metadata({"holotype": '{"format": "x"}'}),
    "no mapping": lambda table: table.replace_schema_metadata({"holotype": "[1]"}),
    "no audit": lambda table: table.replace_schema_metadata(
        {"holotype": '{"format": "holotype-split", "version": 1}'}
    ),
    "deep": lambda table: table.replace_schema_metadata({"holotype": DEEP}),
}


@pytest.mark.parametrize("damage", SPLIT_DAMAGE)
def test_a_damaged_split(tmp_path: Path, damage: str) -> None:
    from holotype.splits.plan import read_split

    (files,) = own.splits(tmp_path)
    (tmp_path / "s.parquet").write_bytes(parquet_with(files["s.parquet"], SPLIT_DAMAGE[damage]))
    refused(SplitError, lambda: read_split(tmp_path / "s.parquet"), "s.parquet")


def column(name: str, values: list[object]) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(
        table.schema.get_field_index(name), name, pa.array(values)
    )


BACKBONE_DAMAGE: dict[str, Callable[[pa.Table], pa.Table]] = {
    "key": column("key", [None] * 4),
    "key_hash": column("key_hash", ["x"] * 4),
    "accepted_row": column("accepted_row", [float("nan")] * 4),
    "parent_row": column("parent_row", [0, 1, 2, 2**40]),
    "rank": column("rank", [True] * 4),
    "status": column("status", ["odd"] * 4),
    "deep": lambda table: table.replace_schema_metadata({"holotype": DEEP}),
}


@pytest.mark.parametrize("damage", BACKBONE_DAMAGE)
def test_a_damaged_backbone(tmp_path: Path, damage: str) -> None:
    (files,) = own.backbones(tmp_path)
    (tmp_path / "b.parquet").write_bytes(parquet_with(files["b.parquet"], BACKBONE_DAMAGE[damage]))
    refused(TaxonomyError, lambda: readers.search_backbone(tmp_path / "b.parquet"), "b.parquet")


def test_rows_of_a_backbone_that_do_not_exist(tmp_path: Path) -> None:
    (files,) = own.backbones(tmp_path)
    far = parquet_with(files["b.parquet"], lambda table: table.set_column(
        table.schema.get_field_index("parent_row"), "parent_row", pa.array([9] * 4, pa.int32())))  # fmt: skip
    (tmp_path / "b.parquet").write_bytes(far)
    refused(
        TaxonomyError,
        lambda: readers.search_backbone(tmp_path / "b.parquet"),
        "parent_row has 9 to 9",
    )


def test_a_snapshot_in_a_damaged_gzip(tmp_path: Path) -> None:
    content = bytearray(own.snapshots()[2]["ncbi.tar.gz"])
    content[60:80] = b"\xff" * 20
    (tmp_path / "ncbi.tar.gz").write_bytes(bytes(content))
    refused(TaxonomyError, lambda: readers.read_snapshot(tmp_path))


def test_answers_nested_without_end_or_with_a_column_twice(tmp_path: Path) -> None:
    from holotype.identify.read_answers import read_answers

    (tmp_path / "answers.json").write_bytes(b'[\n{"input": ' + DEEP)
    refused(SourceError, lambda: read_answers(tmp_path / "answers.json"), "answers.json")
    held = next(one for one in own.answers(tmp_path) if "answers.parquet" in one)["answers.parquet"]
    names = pq.read_schema(io.BytesIO(held)).names
    twice = ["label" if name == "country" else name for name in names]
    (tmp_path / "answers.parquet").write_bytes(
        parquet_with(held, lambda table: table.rename_columns(twice))
    )
    refused(SourceError, lambda: read_answers(tmp_path / "answers.parquet"), "answers.parquet")


def test_numbers_of_thousands_of_digits(tmp_path: Path) -> None:
    from holotype.assessing.sheet import read_labels
    from holotype.catalogue.sources import read_source
    from holotype.training.recipe import read_recipe

    (tmp_path / "r.toml").write_text(f"seed = {DIGITS}\n")
    refused(RecipeError, lambda: read_recipe(tmp_path / "r.toml"), "r.toml")
    refused(SourceError, lambda: read_source(tmp_path / "r.toml"), "r.toml")
    (tmp_path / "l.csv").write_text(f"number,label\n{DIGITS},x\n")
    refused(SourceError, lambda: read_labels(tmp_path / "l.csv"), "line 2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("of,channel,name\nlabel,image,x\n", "line 2: no column 'threshold'"),
        ("of,channel,name,threshold\nlabel,image,x,.\n", "line 2: could not convert"),
        ("of,channel,name,threshold\nlabel,image,\udce9,1\n", "decode"),
    ],
)
def test_a_damaged_table_of_thresholds(tmp_path: Path, text: str, said: str) -> None:
    from holotype.exchange.answers.scores import read_threshold_file

    (tmp_path / "t.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    refused(SourceError, lambda: read_threshold_file(tmp_path / "t.csv"), "t.csv", said)


def test_a_prior_table_with_text_that_is_none(tmp_path: Path) -> None:
    from holotype.decisions.priors_rows import read_prior_table

    bad = pa.StringArray.from_buffers(
        1, pa.py_buffer(struct.pack("<ii", 0, 1)), pa.py_buffer(b"\xff")
    )
    pq.write_table(pa.table({"taxon": bad, "weight": [1.0]}), tmp_path / "p.parquet")
    refused(SourceError, lambda: read_prior_table(tmp_path / "p.parquet"), "p.parquet")


@pytest.mark.parametrize(
    "labels",
    [
        5,
        [5],
        [{}],
        [{"name": "a", "lineage": 5}],
        [{"name": "a", "lineage": {}, "qualifier": "whole"}],
    ],
)
def test_labels_of_a_bundle_that_are_none(labels: object) -> None:
    refused(
        BundleError, lambda: LabelSpace.from_json({"labels": labels, "target": "tree"}), "labels"
    )


# ---------------------------------------------------------------- values of another type


@pytest.mark.parametrize("name", ["image", "image_mask", "barcode"])
def test_a_data_set_of_clibd_of_another_type_is_an_error_of_its_group(
    tmp_path: Path, name: str
) -> None:
    import h5py

    (tmp_path / "in.hdf5").write_bytes(source.clibd()[0]["in.hdf5"])
    with h5py.File(tmp_path / "in.hdf5", "a") as file:
        group = file["no_split"]
        shape = group[name].shape
        del group[name]
        group[name] = np.zeros(shape, "f4")
    told = items("clibd", tmp_path / "in.hdf5")
    (wrong,) = (one.error for one in told if one.error)
    assert f"group no_split: {name} is of type float32" in wrong
    assert sum(one.image is not None for one in told) == 2


def test_a_column_of_a_data_set_that_is_there_twice(tmp_path: Path) -> None:
    (files,) = source.hf_parquet()
    ((name, content),) = files.items()
    table = pq.read_table(io.BytesIO(content))
    names = ["Family" if one in {"Genus", "image"} else one for one in table.column_names]
    (tmp_path / name).write_bytes(parquet_with(content, lambda held: held.rename_columns(names)))
    refused(
        SourceError, lambda: items("hf-parquet", tmp_path / name), "column 'Family' is there twice"
    )


def test_a_shard_of_a_collection_without_its_images(tmp_path: Path) -> None:
    (files,) = own.collections(tmp_path)
    (name,) = (one for one in files if one.startswith("in/records/"))
    cut = parquet_with(files[name], lambda table: table.drop_columns(["image"]))
    lay({**files, name: cut}, tmp_path / "x")
    refused(CollectionError, lambda: readers.read_collection(tmp_path / "x"), "damaged")


def test_a_table_of_scores_whose_inputs_are_no_text(tmp_path: Path) -> None:
    table = pa.table({"input": [[1], [2]], "x": [0.5, 0.5]})
    pq.write_table(table, tmp_path / "s.parquet")
    refused(SourceError, lambda: readers.read_score_table(tmp_path), "column 'input'")


def test_a_grid_without_its_dimensions(tmp_path: Path) -> None:
    import h5py

    (files,) = own.grids(tmp_path)
    (tmp_path / "o.nc").write_bytes(files["o.nc"])
    with h5py.File(tmp_path / "o.nc", "a") as file:
        del file["lat"]
        file.create_group("lat")
    refused(SourceError, lambda: readers.read_grid(tmp_path), "o.nc")
