"""Things a user might bring, made from the tiny collection, and predictions of them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

import holotype
from holotype.collection.store import open_collection


@pytest.fixture(scope="session")
def brought(tiny_collection: Path) -> dict[str, list[tuple[str, object]]]:
    """Six images and six barcodes: (name, content)."""
    opened = open_collection(tiny_collection)
    names = opened.columns(["source_item", "barcode"]).to_pylist()
    images = [
        (f"{row['source_item']}.png", content)
        for row, (_, content) in zip(names, opened.images(), strict=True)
        if content is not None
    ]
    barcodes = [(row["source_item"], row["barcode"]) for row in names if row["barcode"]]
    return {"images": images[:60:10], "barcodes": barcodes[:60:10]}


@pytest.fixture(scope="session")
def predicted(tiny_run: Path) -> Callable[..., list[dict[str, str]]]:
    """Predicts inputs and returns the rows of the CSV, as text."""

    def run(out: Path, *inputs: Path | str, **given: object) -> list[dict[str, str]]:
        report = holotype.predict(tiny_run, inputs, out=out, **given)
        with out.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        assert report.rows == len(rows)
        assert report.failures == sum(bool(row["failure"]) for row in rows)
        return rows

    return run
