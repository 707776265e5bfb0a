"""The shapes of requests and replies, for the description of the API and for checking what comes in."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, create_model

from holotype.collection.schema import Column
from holotype.identify.columns import ANSWER_COLUMNS
from holotype.identify.writers import JSON_COLUMNS
from holotype.index.hits import HIT_COLUMNS
from holotype.taxonomy.lineage import LINNAEAN_RANKS

EXAMPLE_BARCODE = (
    "AACATTATATTTTATTTTTGGAATTTGAGCAGGAATAGTAGGAACTTCTTTAAGATTATTAATTCGAGCTGAATTAGGAAATCCTGGTTC"
    "TTTAATTGGAGATGATCAAATTTATAATACTATTGTAACAGCTCATGC"
)
MOST_ITEMS = 10_000
LONGEST_NAME, LONGEST_SEQUENCE, LONGEST_WORDS = 200, 40_000, 500
RANK_NAMES = tuple(rank.value for rank in LINNAEAN_RANKS)
RankName = StrEnum("RankName", {name: name for name in RANK_NAMES})  # type: ignore[misc]
_TYPES: dict[str, type[Any]] = {"string": str, "double": float, "bool": bool, "int32": int}


Words = Annotated[str, Field(min_length=1, max_length=LONGEST_WORDS)]
Asked = Annotated[str, Field(min_length=1, max_length=LONGEST_SEQUENCE, pattern=r"\S")]


class Strict(BaseModel):
    """A part of a request: what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class LabelScore(BaseModel):
    """A label and its score."""

    label: str
    score: float


class NearestRecord(BaseModel):
    """A reference record that an answer rests on."""

    model_config = ConfigDict(extra="allow")

    record_id: str
    label: str | None
    modality: str
    similarity: float | None = None
    identity_pct: float | None = None
    overlap_bp: float | None = None


_LISTS: dict[str, Any] = {
    "top_k": Sequence[LabelScore] | None,
    "nearest": Sequence[NearestRecord] | None,
}
assert set(_LISTS) == set(JSON_COLUMNS)


def row_model(name: str, columns: Sequence[Column], doc: str) -> type[BaseModel]:
    """Returns the model of a row of a table: every column is there, what is not known is null."""
    fields: dict[str, Any] = {
        column.name: (
            _LISTS.get(column.name, _type_of(column) | None),
            Field(description=column.meaning),
        )
        for column in columns
    }
    return create_model(name, __doc__=doc, **fields)


def _type_of(column: Column) -> Any:
    kind: pa.DataType = column.type
    return _TYPES.get(str(kind), str)


Answer = row_model(
    "Answer", ANSWER_COLUMNS, "One row of the answer table, as ``predict`` writes it."
)
Hit = row_model("Hit", HIT_COLUMNS, "A record that a search found, or why there is none.")


class RefusedFile(BaseModel):
    """A file that is not answered."""

    name: str = Field(examples=["notes.docx"])
    reason: str = Field(
        examples=["not taken: images, zips and tars of them, FASTA and tables are."]
    )


class Answers(BaseModel):
    """The answers to a request, in the order of what was sent."""

    model: str = Field(description="fingerprint of the model", examples=["00df3c1a0e2b7a55"])
    answers: list[Answer]  # type: ignore[valid-type]
    refused: list[RefusedFile]


class Sequenced(Strict):
    """A barcode and what to call it."""

    id: str = Field(min_length=1, max_length=LONGEST_NAME, examples=["BOLD-7"])
    sequence: str = Field(min_length=1, max_length=LONGEST_SEQUENCE, examples=[EXAMPLE_BARCODE])


class Barcodes(Strict):
    """Barcodes to read."""

    barcodes: list[Sequenced] = Field(min_length=1, max_length=MOST_ITEMS)


class Texts(Strict):
    """Words to read."""

    texts: list[Words] = Field(
        min_length=1, max_length=100, examples=[["a copepod", "Appendicularia"]]
    )


class Embedding(BaseModel):
    """The embedding of one specimen."""

    input: str
    embedding: list[float] | None = Field(description="unit vector; null where there is none")
    failure: str | None = Field(description="why there is none")


class Embeddings(BaseModel):
    """Embeddings in the order of what was sent."""

    model: str
    dim: int
    embeddings: list[Embedding]
    refused: list[RefusedFile]


class SearchFilters(Strict):
    """Which records may be found; null asks for nothing."""

    taxon: str | None = Field(default=None, max_length=LONGEST_NAME, examples=["Copepoda"])
    rank: RankName | None = Field(default=None, description="the rank that the taxon stands at")
    place: str | None = Field(
        default=None,
        max_length=100,
        description="west,south,east,north in degrees",
        examples=["-30,40,5,60"],
    )
    instruments: list[str] = Field(default=[], max_length=100)
    licences: list[str] = Field(default=[], max_length=100, examples=[["CC-BY*"]])


class SearchBy(StrEnum):
    """What a search is asked with, images aside."""

    BARCODE = "barcode"
    TEXT = "text"
    LINEAGE = "lineage"


class Searched(StrEnum):
    """What of the records is compared."""

    IMAGE = "image"
    BARCODE = "barcode"
    IDENTITY = "identity"


class Search(Strict):
    """A search by barcodes, words or lineages."""

    by: SearchBy
    values: list[Asked] = Field(
        min_length=1,
        max_length=100,
        examples=[["Animalia Arthropoda"]],
        json_schema_extra={"uniqueItems": True},
    )
    searched: Searched | None = Field(
        default=None,
        description="whose vectors, or barcodes base by base; the fitting ones by default",
    )
    k: int = Field(default=10, ge=1, le=1_000, description="records for each")
    filters: SearchFilters = SearchFilters()


class Hits(BaseModel):
    """What was found: rows of one query after the other, best first."""

    model: str
    hits: list[Hit]  # type: ignore[valid-type]
    refused: list[RefusedFile] = []


class Taxon(BaseModel):
    """A taxon that the model can answer with, or a label of it that is no taxon."""

    name: str
    rank: str | None = Field(description="null for a label that is no taxon")
    lineage: dict[str, str] = Field(description="names by rank, from the widest, with its own")
    is_label: bool = Field(description="whether the model has a label of just this")
    labels: int = Field(description="labels in it")
    records: int = Field(description="records that taught them")


class Taxa(BaseModel):
    """A page of taxa."""

    total: int
    offset: int
    taxa: list[Taxon]


class Channel(BaseModel):
    """How sure answers of one kind are."""

    promised: bool = Field(description="whether the error is controlled")
    max_error: float
    remark: str | None = Field(description="what restricts the promise")


class Health(BaseModel):
    """Whether the server answers, and with what."""

    ready: bool
    model: str = Field(description="fingerprint")
    name: str | None = Field(description="of its recipe")
    reads: list[str] = Field(description="image, barcode, caption")
    labels: int
    channels: dict[str, Channel]
    index: bool = Field(description="whether there is an index to search")
    queued: int = Field(description="specimens that wait")
    versions: dict[str, str]
