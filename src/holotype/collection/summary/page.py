"""The summary as one page that opens offline."""

from collections.abc import Mapping
from typing import Any

from holotype.collection.summary import (
    show_classes,
    show_closing,
    show_measures,
    show_names,
    show_opening,
    show_where,
)
from holotype.page.document import document
from holotype.page.words import plain, some

SHORT = {
    "collection": "Collection",
    "names": "Names",
    "tree": "The tree",
    "instruments": "Instruments",
    "tail": "Long tail",
    "pictures": "Pictures",
    "where": "Where and when",
    "sizes": "Sizes",
    "barcodes": "Barcodes",
    "environment": "Environment",
    "known": "What is known",
    "licences": "Licences",
    "problems": "Problems",
    "built": "How it was made",
}
"""The sections in their order, as the table of contents names them."""


def page(content: Mapping[str, Any], images: Mapping[int, str]) -> str:
    """Returns the page as HTML; the same content gives the same bytes.

    Args:
        content: as in docs/formats/summary.md. Sections of which nothing is known are left out.
        images: row of the collection -> image as ``data:`` address.
    """
    made = (
        show_opening.opening(content),
        show_names.names(content),
        show_names.tree(content),
        show_classes.instruments(content),
        show_classes.tail(content),
        show_classes.pictures(content, images),
        show_where.where(content),
        show_measures.sizes(content),
        show_measures.barcodes(content),
        show_measures.environment(content),
        show_opening.known(content),
        show_closing.licences(content),
        show_closing.problems(content),
        show_closing.built(content),
    )
    sections = [section for section in made if section is not None]
    name = str(content["collection"]["name"])
    totals = content["totals"]
    about = [some(totals["records"], "record")]
    about += [some(totals["images"], "image")] if totals["images"] else []
    about += [some(totals["barcodes"], "barcode")] if totals["barcodes"] else []
    about += [some(totals["classes"], "class", "classes")]
    top = f'<h1>Collection {plain(name)}</h1><p class="about">{plain(", ".join(about))}.</p>'
    return document(f"Collection {name}", top, sections, SHORT)
