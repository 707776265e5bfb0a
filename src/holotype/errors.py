"""The errors that a user can mend.

Place in the path: above everything. Each kind says who must do what; each message says what is wrong,
where (file:row), and what to do next. Anything that is not a ``HolotypeError`` is our fault.
"""

from collections.abc import Sequence


class HolotypeError(Exception):
    """The base of all errors that a user can mend; the command line turns it into exit code 2."""


class SourceError(HolotypeError, ValueError):
    """An input archive, table or sequence file cannot be read as what it is said to be."""


class MediaError(HolotypeError, ValueError):
    """One image or one barcode cannot be read; the records beside it are unaffected."""


class TaxonomyError(HolotypeError, ValueError):
    """A rank, lineage or label table contradicts itself or lacks what was asked for."""


class CollectionError(HolotypeError, ValueError):
    """A collection is missing, incomplete or of another format version."""


class EngineError(HolotypeError, RuntimeError):
    """The engine asked for is unknown, not installed or not reachable, or one of its tasks failed."""


class SplitError(HolotypeError, ValueError):
    """A split does not fit its collection, or cannot be made from it."""


class RecipeError(HolotypeError, ValueError):
    """A recipe has an unknown key, a wrong value, or asks for what the collection lacks."""


class BundleError(HolotypeError, ValueError):
    """A run folder is not a bundle, or not one that this version reads."""


def first_few(items: Sequence[str], *, limit: int = 5) -> str:
    """Returns the first items as one phrase that says how many there are in all."""
    shown = ", ".join(items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Returns `` Did you mean 'x'?`` with the nearest known word, or a list of the known words."""
    from rapidfuzz import fuzz, process

    nearest = process.extractOne(word, known, scorer=fuzz.WRatio, score_cutoff=60)
    if nearest is not None:
        return f" Did you mean '{nearest[0]}'?"
    return f" Known: {first_few(sorted(known), limit=12)}." if known else ""
