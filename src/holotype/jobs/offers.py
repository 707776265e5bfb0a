"""The commands that may be started from a page, with their fields: a table, and nothing that is not in it.

The options are those of the command line; docs/reference/cli.md has the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holotype.collection.sources import SHIPPED
from holotype.errors import did_you_mean
from holotype.jobs.allowed import Allowed
from holotype.jobs.fields import WRITTEN, Field, FieldKind, words_of
from holotype.jobs.job import JobError
from holotype.jobs.outputs import Made

K = FieldKind
ANSWER_ENDINGS = (".parquet", ".csv", ".json")


@dataclass(frozen=True)
class Offer:
    """One command.

    Attributes:
        words: that it begins with.
        title: what a person calls it.
        about: what it does, in one sentence.
        fields: what it asks.
        goes_on: whether the same words go on where a broken-off job was; else it is done anew, whole.
    """

    words: tuple[str, ...]
    title: str
    about: str
    fields: tuple[Field, ...]
    goes_on: bool = False

    @property
    def name(self) -> str:
        """Its key: the words that it begins with."""
        return " ".join(self.words)

    def command(self, values: Mapping[str, Any], allowed: Allowed) -> list[str]:
        """Returns the words of the command line; the result is printed as JSON.

        Raises:
            FieldsError: with a reason for each field that cannot be used.
        """
        return [*self.words, *words_of(self.fields, values, allowed), "--json"]


def offer_of(name: str) -> Offer:
    """Returns a command by its name.

    Raises:
        JobError: when it is none that may be started from a page.
    """
    for offer in OFFERS:
        if offer.name == name:
            return offer
    known = [offer.name for offer in OFFERS]
    raise JobError(f"'{name}' cannot be started from a page.{did_you_mean(name, known)}")


def written_by(words: Sequence[str]) -> frozenset[str]:
    """Returns the files and folders that a command line writes; none for one that is not of the table.

    A collection that is imported into is not among them: imports into one collection wait for each other.
    """
    offer = next((one for one in OFFERS if tuple(words[: len(one.words)]) == one.words), None)
    if offer is None:
        return frozenset()
    options = {
        one.option
        for one in offer.fields
        if one.kind in WRITTEN and one.made is not Made.COLLECTION
    }
    told = (word.partition("=") for word in words)
    return frozenset(value for option, _, value in told if option in options)


_MODEL = Field("model", "Model", K.MODEL, about="A model's folder, or starter.", needed=True)
_SERVED = Field("model", "Model", K.MODEL, "--model", _MODEL.about, needed=True)
_RUN = Field("model", "Model", K.MODEL, about="The folder of a model.", needed=True)
_COLLECTION = Field("collection", "Collection", K.COLLECTION, "--collection", needed=True)
_COLLECTION_FIRST = Field("collection", "Collection", K.COLLECTION, needed=True)
_SPLIT = Field("split", "Split", K.INPUT, "--split", "The split file.", needed=True)
_INPUTS = Field(
    "inputs", "Inputs", K.INPUTS, about="Files, folders or archives, one a line.", needed=True
)
_SEED = Field(
    "seed", "Seed", K.WHOLE, "--seed", "Of what is drawn.", default="0", least=0, most=2**31
)
_MAX_ERROR = Field(
    "max_error", "Error allowed", K.NUMBER, "--max-error",
    "Share of answers that may be wrong at the rank answered.", default="0.05", least=0.0001, most=0.9999,
)  # fmt: skip


def _out_file(made: Made, *endings: str) -> Field:
    about = f"A new file, ending in {' or '.join(endings)}."
    return Field(
        "out", "Write to", K.OUT_FILE, "--out", about, needed=True, endings=endings, made=made
    )


def _out_folder(made: Made, about: str, *, home: str = "") -> Field:
    return Field("out", "Write to", K.OUT_FOLDER, "--out", about, needed=True, made=made, home=home)


OFFERS: tuple[Offer, ...] = (
    Offer(
        ("predict",), "Identify many", "Names images and barcodes: one row each.",
        (
            _SERVED, _INPUTS, _out_file(Made.ANSWERS, *ANSWER_ENDINGS), _MAX_ERROR,
            Field("index", "Index", K.INPUT, "--index", "Where nearest records are taken from."),
            Field(
                "embeddings", "Embeddings to", K.OUT_FILE, "--embeddings",
                "A further file, ending in .parquet; a review needs it.", endings=(".parquet",),
                made=Made.EMBEDDINGS,
            ),
        ),
        goes_on=True,
    ),
    Offer(
        ("import",), "Import records", "Reads what laboratories have into a collection.",
        (
            Field(
                "kind", "What it is", K.CHOICE, about="The kind of input.", needed=True,
                choices=tuple(source.name for source in SHIPPED),
            ),
            _INPUTS,
            Field(
                "into", "Collection", K.OUT_FOLDER, "--into", "Its folder, new or existing.", needed=True,
                made=Made.COLLECTION,
            ),
            Field("source", "Name of the data set", K.TEXT, "--source"),
            Field("labels", "Label table", K.INPUT, "--labels", "What the written labels mean."),
            Field("preset", "Preset", K.TEXT, "--preset", "Named column map of a table."),
            Field("images", "Images", K.INPUT, "--images", "Folder or archive of a table's images."),
            Field(
                "existing", "Records of the same source", K.CHOICE, "--existing", default="keep",
                choices=("keep", "replace"),
            ),
        ),
        goes_on=True,
    ),
    Offer(
        ("review", "new"), "Make a review", "Groups what a model has named, to be looked through by people.",
        (
            Field("answers", "Answers", K.INPUT, about="Of Identify many, on a collection.", needed=True),
            _COLLECTION,
            Field(
                "embeddings", "Embeddings", K.INPUT, "--embeddings", "Written with the answers.", needed=True
            ),
            _out_folder(
                Made.REVIEW, "A new folder; below reviews in the workspace it is on the page Review.",
                home="reviews/*",
            ),
            Field(
                "propose", "Confirming gives", K.CHOICE, "--propose", default="label",
                choices=("label", "answer", "collection"),
            ),
        ),
    ),
    Offer(
        ("adapt",), "Teach your labels", "Makes a new model that gives your own labels.",
        (
            _MODEL,
            Field(
                "inputs", "Images", K.INPUTS, needed=True,
                about="Class folders, a folder of images with a table, or a collection; one a line.",
            ),
            Field("labels", "Labels", K.INPUT, "--labels", "A table with an image and a label a row."),
            _out_folder(Made.MODEL, "A new folder for the model."),
            Field(
                "method", "Method", K.CHOICE, "--method", "auto chooses by what is there.", default="auto",
                choices=("auto", "prototypes", "probe", "lora", "full"),
            ),
            Field(
                "epochs", "Epochs", K.WHOLE, "--epochs", "Of full and lora: passes over the images.",
                least=1, most=10_000,
            ),
            _SEED,
        ),
    ),
    Offer(
        ("evaluate",), "Examine a model", "Every figure with an interval, on the test part of a split.",
        (_RUN, _COLLECTION, _SPLIT, _out_folder(Made.REPORT, "Folder of the report."), _SEED),
    ),
    Offer(
        ("calibrate",), "Fit how sure it may be", "Fits confidence on the validation part of a split.",
        (_RUN, _COLLECTION, _SPLIT, _SEED),
    ),
    Offer(
        ("assess",), "Draw records to label", "Draws your records, for you to say what they are.",
        (
            _MODEL, _INPUTS,
            _out_folder(Made.DRAW, "A new folder for the draw.", home="assessments/*/draw"),
            Field("n", "Records", K.WHOLE, "--n", "How many to draw.", default="200", least=2, most=100_000),
            _MAX_ERROR, _SEED,
        ),
    ),
    Offer(
        ("split",), "Split a collection", "Parts a collection into train, val and test, with an audit.",
        (
            _COLLECTION_FIRST, _out_file(Made.SPLIT, ".parquet"),
            Field(
                "method", "Method", K.CHOICE, "--method", default="stratified",
                choices=("stratified", "seen-unseen", "upstream", "by-record"),
            ),
            _SEED,
        ),
    ),
    Offer(
        ("index", "build"), "Build an index", "Embeds the records of a collection, to be searched.",
        (
            _RUN, _COLLECTION, _out_folder(Made.INDEX, "A new folder for the index."),
            Field(
                "thumbnails", "Thumbnails", K.WHOLE, "--thumbnails",
                "Longest side of the images that are kept, in px.", default="96", least=16, most=1_024,
            ),
        ),
        goes_on=True,
    ),
    Offer(
        ("summary",), "Summarise a collection", "Writes one page: names, instruments, places, problems.",
        (_COLLECTION_FIRST, _out_folder(Made.SUMMARY, "Folder of the page.")),
    ),
    Offer(
        ("check",), "Check a collection", "Finds duplicates, contradictions and faults.",
        (_COLLECTION_FIRST, _out_folder(Made.PAGE, "A new folder for the page.")),
    ),
    Offer(
        ("suspects",), "Find doubtful labels", "Lists records whose written label may be wrong.",
        (_RUN, _COLLECTION, _out_file(Made.TABLE, ".csv", ".parquet"), _SEED),
    ),
)  # fmt: skip
"""In the order in which people need them."""
