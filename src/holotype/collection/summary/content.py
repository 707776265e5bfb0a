"""Everything that the summary says, as plain values: the content of ``summary.json`` and of the page."""

from typing import Any

import pyarrow.compute as pc

from holotype._version import __version__
from holotype.collection.store import Collection
from holotype.collection.summary import classes, flows, gallery, measures, state
from holotype.collection.summary.keys import RANKS, TALLIES
from holotype.collection.summary.tally import by_one, tallied

FORMAT = "holotype-summary"
VERSION = 1


def content(collection: Collection) -> tuple[dict[str, Any], dict[int, str]]:
    """Returns the content of a summary (docs/formats/summary.md), and the pictures by row."""
    counted = tallied(collection, TALLIES)
    taxa = counted["taxa"]
    found = classes.classes(taxa)
    listed = found["rows"]
    wanted = gallery.shown_classes(listed)
    chosen = gallery.chosen_records(collection, wanted)
    pictures = gallery.thumbnails(collection, chosen)
    value = {
        "format": FORMAT,
        "version": VERSION,
        "holotype": __version__,
        "collection": {"name": collection.name, "fingerprint": collection.fingerprint},
        "totals": _totals(collection, counted, found),
        "sources": _sources(counted),
        "ledger": state.ledger(collection),
        "known": state.known(counted["known"]),
        "flows": flows.flows(taxa),
        "lineages": classes.lineages(taxa),
        "ranks": classes.ranks(taxa),
        "classes": found,
        "tail": classes.long_tail(taxa),
        "gallery": gallery.gallery(wanted, chosen, listed),
        "places": measures.places(counted["places"]),
        "depths": measures.depths(counted["depths"]),
        "times": measures.times(counted["months"]),
        "origins": measures.origins(counted["origins"]),
        "sizes": measures.sizes(counted["sizes"]),
        "sides": measures.sides(counted["sides"]),
        "barcodes": measures.barcodes(counted["barcodes"], counted["haplotypes"], counted["bins"]),
        "names": state.names(counted["names"]),
        "environment": state.environment(counted["environment"], len(collection)),
        "licences": state.licences(counted["licences"]),
        "problems": state.problems(collection, counted["flags"]),
        "built": state.built(collection),
    }
    return value, pictures


def _totals(
    collection: Collection, counted: dict[str, Any], found: dict[str, Any]
) -> dict[str, Any]:
    known = state.known(counted["known"])["sources"]
    return {
        "records": len(collection),
        "images": sum(one["filled"].get("image", 0) for one in known),
        "barcodes": sum(one["filled"].get("barcode", 0) for one in known),
        "sources": len(known),
        "instruments": len([n for n in by_one(counted["taxa"], "instrument") if n is not None]),
        "classes": found["total"],
        "taxa": {rank: n for rank, n in classes.ranks(counted["taxa"])["names"].items() if n},
    }


def _sources(counted: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns for each source its records, images, barcodes, labels, classes and instruments."""
    taxa = counted["taxa"]
    rows = []
    for one in state.known(counted["known"])["sources"]:
        own = taxa.filter(pc.equal(taxa["source"], one["source"]))
        rows.append(
            {
                "source": one["source"],
                "records": one["records"],
                "images": one["filled"].get("image", 0),
                "barcodes": one["filled"].get("barcode", 0),
                "written_labels": len(set(own["written_label"].to_pylist()) - {None}),
                "classes": len(
                    set(zip(own["label_rank"].to_pylist(), own["label"].to_pylist(), strict=True))
                    - {(None, None)}
                ),
                "species": len(set(own[RANKS[-1]].to_pylist()) - {None}),
                "instruments": [n for n in by_one(own, "instrument") if n is not None],
            }
        )
    return rows
