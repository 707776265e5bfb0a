"""What a record is -> words, and words -> numbers.

``lineage_text``: the lineage as a caption. ``text_types``: the published ways to word a taxon.
``text_choice``: which of them a batch gets. ``templates``: sentences that zero-shot averages over.
``ngrams``: the tokens of the small text tower.
"""

from holotype.inputs.captions.lineage_text import caption
from holotype.inputs.captions.ngrams import (
    MAX_WORDS,
    NGRAMS_PER_WORD,
    NUM_BUCKETS,
    encode_captions,
)
from holotype.inputs.captions.text_choice import Mixing, TextSettings, choose_types
from holotype.inputs.captions.text_types import (
    TextType,
    common_names,
    described,
    phrase,
    written,
    written_or_next,
)

__all__ = [
    "MAX_WORDS",
    "NGRAMS_PER_WORD",
    "NUM_BUCKETS",
    "Mixing",
    "TextSettings",
    "TextType",
    "caption",
    "choose_types",
    "common_names",
    "described",
    "encode_captions",
    "phrase",
    "written",
    "written_or_next",
]
