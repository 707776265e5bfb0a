"""A library of barcodes in a folder: NumPy arrays that are memory-mapped, and a manifest written last.

The folder holds ``barcode-library.json`` and one ``.npy`` file for each array of ``ARRAYS``. There is no
pickle in them. What can be worked out from them (where sequences and words begin) is not stored.
"""

from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.errors import CollectionError
from holotype.files import read_manifest, read_whole, write_json, written_whole
from holotype.index.barcodes.library import BarcodeLibrary, References, commonest_species
from holotype.index.barcodes.masks import Masks
from holotype.index.barcodes.rare import RareWords
from holotype.index.barcodes.words import Seeds, seed_starts

FORMAT, VERSION = "holotype-barcode-library", 2
MANIFEST = "barcode-library.json"
ARRAYS: dict[str, str] = {
    "mask": "uint8, the bases of each sequence as bits (A 1, C 2, G 4, T 8), followed by a 0",
    "length": "int64, bases of each sequence",
    "count": "uint8, words of four bases of each sequence (256 columns)",
    "seed": "uint16, every eighth word of eight bases of each sequence",
    "turned": "bool, which sequences were given on the other strand than most",
    "haplotype": "int64, the sequence of each reference, ascending",
    "species": "int64, the species code of each reference; -1 for none",
    "row": "int64, the first given row of each reference",
    "records": "int64, how many given rows each reference stands for",
}
RARE_ARRAYS: dict[str, str] = {
    "rare_start": "int64, where the places of each word of twelve bases begin",
    "rare_reference": "int32, the sequences that have the word",
}


def save(library: BarcodeLibrary, folder: Path) -> None:
    """Writes a library to a folder; one that is there is replaced, its manifest first."""
    (folder / MANIFEST).unlink(missing_ok=True)
    references = library.references
    arrays: dict[str, NDArray[Any]] = {
        "mask": library.sequences.mask_B,
        "length": library.sequences.length_N,
        "count": library.count_HW,
        "seed": library.seeds.word_S,
        "turned": library.turned_H,
        "haplotype": references.haplotype_N,
        "species": references.species_N,
        "row": references.row_N,
        "records": references.records_N,
    }
    if library.rare is not None:
        arrays |= {
            "rare_start": library.rare.start_V,
            "rare_reference": library.rare.reference_P,
        }
    for name, array in arrays.items():
        with written_whole(folder / f"{name}.npy") as temporary, temporary.open("wb") as handle:
            np.save(handle, array, allow_pickle=False)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "sequences": len(library.sequences),
        "references": len(library),
        "rare_words": library.rare is not None,
        "left_out": [list(pair) for pair in library.left_out],
        "arrays": {name: [str(array.dtype), *array.shape] for name, array in arrays.items()},
    }
    write_json(folder / MANIFEST, manifest)


def load(folder: Path) -> BarcodeLibrary:
    """Returns the library of a folder; its arrays are memory-mapped.

    Raises:
        CollectionError: when the folder is no complete library, or one of its files is not what it was.
    """
    manifest = read_manifest(
        folder / MANIFEST, format_name=FORMAT, version=VERSION, error=CollectionError
    )
    with read_whole(folder / MANIFEST, CollectionError, remedy="Make the library again."):
        found = _opened(folder, manifest)
        if wrong := _misfit(found):
            raise CollectionError(f"{folder}: {wrong}. Make the library again.")
    return found


def _opened(folder: Path, manifest: Any) -> BarcodeLibrary:
    array = {name: _array(folder, name, told) for name, told in manifest["arrays"].items()}
    length_N = np.asarray(array["length"])
    haplotype_N = np.asarray(array["haplotype"])
    references = References(
        haplotype_N=haplotype_N,
        species_N=np.asarray(array["species"]),
        row_N=np.asarray(array["row"]),
        records_N=np.asarray(array["records"]),
        start_H=np.searchsorted(haplotype_N, np.arange(len(length_N) + 1)),
    )
    rare = None
    if manifest["rare_words"]:
        rare = RareWords(array["rare_start"], array["rare_reference"])
    return BarcodeLibrary(
        sequences=Masks(array["mask"], np.cumsum(length_N + 1) - length_N - 1, length_N),
        count_HW=array["count"],
        seeds=Seeds(array["seed"], seed_starts(length_N)),
        rare=rare,
        references=references,
        species_H=commonest_species(references),
        turned_H=np.asarray(array["turned"]),
        left_out=tuple((int(row), str(why)) for row, why in manifest["left_out"]),
    )


def _misfit(library: BarcodeLibrary) -> str | None:
    """Returns which arrays cannot belong together, None where they do."""
    length_N, refs = library.sequences.length_N, library.references
    total, size = len(length_N), int(length_N.sum()) + len(length_N)
    if total and length_N.min() < 0:
        return "a sequence of a length below 0"
    if len(library.sequences.mask_B) != size or len(library.seeds.word_S) != int(
        library.seeds.start_N[-1]
    ):
        return f"the bases do not fit the lengths of {total:,} sequences"
    if not len(library.count_HW) == len(library.turned_H) == total:
        return f"not one count of words and one strand for each of {total:,} sequences"
    columns = (refs.haplotype_N, refs.species_N, refs.row_N, refs.records_N)
    if len({one.shape for one in columns}) != 1 or refs.haplotype_N.ndim != 1:
        return "not one sequence, species, row and number of records for each reference"
    known = np.arange(total)
    if (
        not np.array_equal(np.unique(refs.haplotype_N), known)
        or (np.diff(refs.haplotype_N) < 0).any()
    ):
        return f"its references are not of each of {total:,} sequences, in their order"
    return None


def _array(folder: Path, name: str, told: list[Any]) -> NDArray[Any]:
    """Returns one array after checking its type and shape against the manifest."""
    path = folder / f"{name}.npy"
    dtype, *shape = told
    try:
        empty = 0 in shape
        array: NDArray[Any] = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TokenError) as error:
        raise CollectionError(
            f"{path}: cannot be read ({error}). Make the library again."
        ) from error
    if str(array.dtype) != dtype or list(array.shape) != shape:
        found = f"{array.dtype} of shape {array.shape}"
        raise CollectionError(
            f"{path}: {found} where {MANIFEST} says {dtype} of shape {tuple(shape)}. "
            "Make the library again."
        )
    return np.asarray(array)
