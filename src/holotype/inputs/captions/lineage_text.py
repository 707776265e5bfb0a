"""A class concept -> its lineage as words, widest first, with the qualifier behind it."""

from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE
from holotype.taxonomy.lineage import Rank


def caption(concept: Concept, *, down_to: Rank | None = None) -> str:
    """Returns the caption of a concept, or of the taxon above it at a rank.

    >>> from holotype.taxonomy.lineage import Lineage
    >>> copepod = Lineage.from_names({"class": "Copepoda", "order": "Calanoida"})
    >>> caption(Concept(copepod, qualifier="egg"))
    'Copepoda Calanoida, egg'
    """
    lineage = concept.lineage.truncate(down_to) if down_to is not None else concept.lineage
    text = lineage.text() or concept.group or "unnamed"
    return text + (qualifier_words(concept) if down_to is None else "")


def qualifier_words(concept: Concept) -> str:
    """Returns what stands behind the name of a concept: ", part tail"; "" for a whole organism."""
    return "" if concept.qualifier == WHOLE else f", {concept.qualifier.replace('_', ' ')}"
