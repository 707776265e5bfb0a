"""Rows that each format of ``publish`` takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from exchange import machine_answers, net_answers

TIMED = {"collected_on": "2024-05-02T08:05:09+00:00"}
_REGIONS = ("ifcb", "syke")
_BARCODES = ("sintax", "qiime", "rdp", "boldigger")
_MACHINES = ("speciesnet", "megadetector", "camtrap-dp", "pybioclip")


def rows_for(to: str, given: Mapping[str, Path]) -> tuple[pa.Table, dict[str, Any]]:
    """Returns answers that have a place in a format, and what it needs beside them."""
    from holotype.exchange.answers.writing import Beside

    if to in _REGIONS:
        rows = machine_answers.region_rows()
        columns = {"input": [row["input"] for row in rows]}
        for label, score in (("Ditylum", 0.2), ("Ciliates", 0.5), ("detritus", 0.3)):
            columns[label] = pa.array([score] * len(rows), pa.float32())
        return machine_answers.table(*rows), {"beside": Beside(scores=pa.table(columns))}
    if to in _BARCODES:
        return machine_answers.table(*machine_answers.barcode_rows()), {}
    if to in _MACHINES:
        rows = [
            machine_answers.answer(
                f"cam/{n}.jpg",
                lineage=machine_answers.BEAR,
                best=[("Ursus arctos", 0.9)],
                **net_answers.NET | TIMED,
            )
            for n in range(3)
        ]
        return machine_answers.table(*rows), {}
    images = sorted(given["crops"].rglob("*.png"))[4:8]
    rows = [
        net_answers.answer(f"o{n}", net_answers.FIN, **net_answers.NET)
        | {"input": str(path), "source_item": f"o{n}"}
        for n, path in enumerate(images)
    ]
    more = {"dataset": given["dataset"]} if to == "darwin-core" else {}
    return net_answers.table(*rows), more
