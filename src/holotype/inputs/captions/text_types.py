"""The published ways to put a taxon into words, each by the name that its authors gave it.

Sources: BioCLIP's names and sentences (Stevens et al. 2024, arXiv 2311.18803), Planktonzilla's bare lineage
(arXiv 2606.00080), CLIBD's four ranks (Gong et al. 2024, arXiv 2405.17537). Deviations: BioCLIP's texts say
a qualifier ("egg") at the end where a record has one, and a class that is no taxon by its group; both
do not occur in BioCLIP's data. Letters keep the case that the collection has; CLIP's tokenisers lower it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from holotype.inputs.captions.lineage_text import caption, qualifier_words
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, Rank

CLIBD_RANKS = (Rank.ORDER, Rank.FAMILY, Rank.GENUS, Rank.SPECIES)
NOT_CLASSIFIED = "not_classified"


class TextType(StrEnum):
    """A way to word a taxon."""

    LINEAGE = "lineage"
    """Every rank's name, wide to narrow, and the qualifier: "Animalia Copepoda Calanoida, egg"."""
    LINEAGE_LOWER = "lineage_lower"
    """Planktonzilla: the lineage in lower case, no qualifier: "animalia arthropoda copepoda"."""
    SCIENTIFIC_NAME = "scientific_name"
    """BioCLIP, bare: "Pica hudsonia"; the narrowest name where there is no species."""
    TAXONOMIC_NAME = "taxonomic_name"
    """BioCLIP, bare: the seven ranks, "Animalia ... Corvidae Pica hudsonia"."""
    COMMON_NAME = "common_name"
    """BioCLIP, bare: "black-billed magpie"."""
    SCI = "sci"
    """BioCLIP: "a photo of Pica hudsonia."."""
    COM = "com"
    """BioCLIP: "a photo of black-billed magpie."."""
    TAXON = "taxon"
    """BioCLIP: "a photo of Animalia ... Corvidae Pica hudsonia."."""
    TAXON_TAG = "taxonTag"
    """BioCLIP: "a photo of kingdom Animalia ... genus Pica species hudsonia."."""
    SCI_COM = "sci_com"
    """BioCLIP: "a photo of Pica hudsonia with common name black-billed magpie."."""
    TAXON_COM = "taxon_com"
    """BioCLIP: ``taxon`` with the common name."""
    TAXON_TAG_COM = "taxonTag_com"
    """BioCLIP: ``taxonTag`` with the common name."""
    CLIBD = "clibd"
    """Order, family, genus, species; ranks that are missing are left out, the genus is said once."""
    CLIBD_PUBLISHED = "clibd_published"
    """As CLIBD feeds it: always four names, "not_classified" for a missing one, the genus said twice."""


_NEXT: dict[TextType, TextType] = {
    TextType.COM: TextType.SCI,
    TextType.SCI: TextType.TAXON,
    TextType.TAXON: TextType.LINEAGE,
    TextType.TAXON_TAG: TextType.TAXON,
    TextType.SCI_COM: TextType.SCI,
    TextType.TAXON_COM: TextType.TAXON,
    TextType.TAXON_TAG_COM: TextType.TAXON_TAG,
    TextType.COMMON_NAME: TextType.SCIENTIFIC_NAME,
    TextType.SCIENTIFIC_NAME: TextType.TAXONOMIC_NAME,
    TextType.TAXONOMIC_NAME: TextType.LINEAGE,
    TextType.LINEAGE_LOWER: TextType.LINEAGE,
    TextType.CLIBD: TextType.TAXONOMIC_NAME,
    TextType.CLIBD_PUBLISHED: TextType.TAXONOMIC_NAME,
}
"""What stands in for a text that a record cannot have; ``lineage`` is always there."""

WITHOUT_QUALIFIER = frozenset({TextType.LINEAGE_LOWER, TextType.CLIBD, TextType.CLIBD_PUBLISHED})
"""Texts that do not say what of the organism is shown: they are as true of an egg as of an adult."""


@dataclass(frozen=True)
class _Names:
    lineage: Lineage
    group: str | None
    common: str | None


def _linnaean(names: _Names) -> Lineage:
    seven = Lineage(tuple(taxon for taxon in names.lineage if taxon[0] in LINNAEAN_RANKS))
    return seven or names.lineage


def _scientific(names: _Names) -> str | None:
    return _linnaean(names).name or names.group


def _taxonomic(names: _Names) -> str | None:
    return _linnaean(names).text() or names.group


def _tagged(names: _Names) -> str | None:
    lineage = _linnaean(names)
    genus = f"{lineage.name_at(Rank.GENUS)} "
    parts = [
        f"{rank} {name.removeprefix(genus) if rank is Rank.SPECIES else name}"
        for rank, name in lineage
    ]
    return " ".join(parts) or names.group


def _common(names: _Names) -> str | None:
    return names.common or (names.group if not names.lineage else None)


def _lower(names: _Names) -> str | None:
    return (_taxonomic(names) or "").lower() or None


def _clibd(names: _Names) -> str | None:
    four = Lineage(tuple(taxon for taxon in names.lineage if taxon[0] in CLIBD_RANKS))
    return four.text() or (names.group if not names.lineage else None)


def _clibd_published(names: _Names) -> str | None:
    if not names.lineage:
        return names.group
    return " ".join(names.lineage.name_at(rank) or NOT_CLASSIFIED for rank in CLIBD_RANKS)


_Wording = Callable[[_Names], str | None]


def _with_common(wording: _Wording) -> _Wording:
    def both(names: _Names) -> str | None:
        base = wording(names)
        return f"{base} with common name {names.common}" if base and names.common else None

    return both


_PHRASES: dict[TextType, _Wording] = {
    TextType.LINEAGE: lambda names: names.lineage.text() or names.group,
    TextType.LINEAGE_LOWER: _lower,
    TextType.SCIENTIFIC_NAME: _scientific,
    TextType.TAXONOMIC_NAME: _taxonomic,
    TextType.COMMON_NAME: _common,
    TextType.SCI: _scientific,
    TextType.COM: _common,
    TextType.TAXON: _taxonomic,
    TextType.TAXON_TAG: _tagged,
    TextType.SCI_COM: _with_common(_scientific),
    TextType.TAXON_COM: _with_common(_taxonomic),
    TextType.TAXON_TAG_COM: _with_common(_tagged),
    TextType.CLIBD: _clibd,
    TextType.CLIBD_PUBLISHED: _clibd_published,
}

_SENTENCES = frozenset(
    {
        TextType.SCI,
        TextType.COM,
        TextType.TAXON,
        TextType.TAXON_TAG,
        TextType.SCI_COM,
        TextType.TAXON_COM,
        TextType.TAXON_TAG_COM,
    }
)
"""Types whose text is "a photo of {}."; the others are the bare phrase."""


def phrase(
    concept: Concept, text_type: TextType, *, vernacular: str | None, down_to: Rank | None = None
) -> str | None:
    """Returns the words of a text without its sentence: what is put into a template.

    >>> from holotype.taxonomy.lineage import Lineage
    >>> magpie = Concept(Lineage.from_names({"genus": "Pica", "species": "Pica hudsonia"}))
    >>> phrase(magpie, TextType.SCI_COM, vernacular="black-billed magpie")
    'Pica hudsonia with common name black-billed magpie'

    Args:
        concept: what the record is.
        text_type: the way to word it.
        vernacular: the common name of the concept's own taxon; it is not said of a taxon above.
        down_to: the text stops at this rank, and says no qualifier.

    Returns:
        None where the record lacks a name that the type needs.
    """
    lineage = concept.lineage.truncate(down_to) if down_to is not None else concept.lineage
    own = lineage == concept.lineage
    common = (vernacular or "").strip() or None
    names = _Names(lineage, concept.group, common if own else None)
    words = _PHRASES[text_type](names)
    if words is None or down_to is not None or text_type in WITHOUT_QUALIFIER:
        return words
    return words + qualifier_words(concept)


def written(
    concept: Concept, text_type: TextType, *, vernacular: str | None, down_to: Rank | None = None
) -> str | None:
    """Returns the text of a type, exactly as published, or None where the record lacks what it needs.

    >>> from holotype.taxonomy.lineage import Lineage
    >>> magpie = Concept(Lineage.from_names({"genus": "Pica", "species": "Pica hudsonia"}))
    >>> written(magpie, TextType.TAXON_TAG, vernacular=None)
    'a photo of genus Pica species hudsonia.'

    The arguments are those of ``phrase``.
    """
    words = phrase(concept, text_type, vernacular=vernacular, down_to=down_to)
    return f"a photo of {words}." if words and text_type in _SENTENCES else words


def written_or_next(
    concept: Concept, text_type: TextType, *, vernacular: str | None, down_to: Rank | None = None
) -> tuple[str, TextType]:
    """Returns the text of a type, else of the next one that the record can have, and which one it is.

    A missing common name falls back to the scientific name, then to the taxonomic one, as BioCLIP's does;
    each type with a common name falls back to the same without it. The end is ``caption``.
    """
    text = written(concept, text_type, vernacular=vernacular, down_to=down_to)
    if text is not None:
        return text, text_type
    if text_type is TextType.LINEAGE:
        return caption(concept, down_to=down_to), text_type
    return written_or_next(concept, _NEXT[text_type], vernacular=vernacular, down_to=down_to)


def described(concept: Concept, text_type: TextType, *, down_to: Rank | None = None) -> Concept:
    """Returns the concept that a text is true of: cut at the rank, without a qualifier it does not say."""
    if down_to is not None:
        return replace(concept, lineage=concept.lineage.truncate(down_to), qualifier=WHOLE)
    if text_type in WITHOUT_QUALIFIER:
        return replace(concept, qualifier=WHOLE)
    return concept


def common_names(
    named: Iterable[tuple[Concept | None, str | None]],
) -> dict[Lineage, str]:
    """Returns the common name of each taxon that has one: the one most records bear, ties alphabetical.

    Args:
        named: what each record is and its ``vernacular_name``; records without one say nothing.
    """
    borne: dict[Lineage, Counter[str]] = {}
    for concept, name in named:
        if concept is not None and concept.lineage and name and name.strip():
            borne.setdefault(concept.lineage, Counter())[name.strip()] += 1
    return {
        lineage: min(counts, key=lambda name: (-counts[name], name))
        for lineage, counts in borne.items()
    }
