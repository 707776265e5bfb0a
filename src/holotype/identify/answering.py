"""A stream of specimens -> the parts of a run: loaded ahead, answered in chunks, made safe one by one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow as pa

from holotype.decisions.summary import Statistics
from holotype.identify import stream
from holotype.identify.answers import Answerer
from holotype.identify.drift import statistics_of
from holotype.identify.inputs import Loaded, Specimen
from holotype.identify.loading import load, loaded_ahead
from holotype.identify.outputs import Output
from holotype.models.bundle import Bundle
from holotype.progress import tracked

CHUNK, CHUNK_BYTES = 512, 256 << 20
"""Specimens, and about how many bytes of their images, that the model sees at a time."""


def answer_parts(
    done: stream.PartialRun,
    bundle: Bundle,
    answerer: Answerer,
    found: Iterator[Specimen],
    wanted: Sequence[Output],
) -> None:
    """Answers the specimens that are left, and makes each part safe.

    Args:
        done: the run; it gets the parts.
        bundle: the model.
        answerer: the model, ready to answer.
        found: the specimens that are not done.
        wanted: the tables to write.
    """
    load_one = partial(load, pixels=bundle.pixels)
    ready = loaded_ahead(tracked(found, title="predict"), load_one)
    while _answer_part(done, answerer, ready, wanted):
        pass


def _answer_part(
    done: stream.PartialRun, answerer: Answerer, ready: Iterator[Loaded], wanted: Sequence[Output]
) -> int:
    """Answers the next part and returns how many specimens it has; 0 at the end."""
    tables: dict[str, list[pa.Table]] = {output.name: [] for output in wanted}
    named: list[Specimen] = []
    seen, decisions, failures = Statistics(), Counter[str](), 0
    while chunk := _chunk(ready, min(CHUNK, stream.PART_ROWS - len(named))):
        found = answerer.answer(chunk)
        assert len(found.rows) == len(chunk)
        for output in wanted:
            tables[output.name].append(output.table_of(found, output.schema))
        named += [Specimen(one.specimen.input, state=one.specimen.state) for one in chunk]
        seen += statistics_of(chunk, found.rows, found.embedding_BD)
        decisions.update(row["decision"] for row in found.rows)
        failures += sum(row["failure"] is not None for row in found.rows)
    if named:
        told = {"decisions": dict(decisions), "failures": failures, "statistics": seen.as_json()}
        whole = {name: pa.concat_tables(parts).combine_chunks() for name, parts in tables.items()}
        done.add(whole, stream.listing_of(named), told)
    return len(named)


def chunks(ready: Iterator[Loaded]) -> Iterator[list[Loaded]]:
    """Yields specimens as many at a time as the model sees."""
    while chunk := _chunk(ready, CHUNK):
        yield chunk


def _chunk(ready: Iterator[Loaded], most: int) -> list[Loaded]:
    """Returns the next specimens: at most so many, and fewer where their images are large."""
    chunk: list[Loaded] = []
    size = 0
    while len(chunk) < most and size < CHUNK_BYTES and (one := next(ready, None)) is not None:
        chunk.append(one)
        size += len(one.image or b"")
    return chunk
