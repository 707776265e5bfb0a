"""In which frame queries of a protein-coding marker are read, by the use of codons in the library."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.hits import BarcodeHits
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.masks import tidy
from holotype.media.reading_frames import learn_codon_use, read_frames
from holotype.media.strands import reverse_complement

MOST_TO_LEARN = 2000
UNREAD = -1


def frames(
    library: BarcodeLibrary,
    queries: Sequence[str | None],
    hits: BarcodeHits,
    *,
    codes: Sequence[int],
) -> NDArray[np.int64]:
    """Returns how many bases stand before the first whole codon of each query on its strand, int64 (Q,).

    0, 1 or 2; -1 for queries without hits.

    Args:
        library: whose sequences the use of codons is learnt from.
        queries: as given to ``search``.
        hits: what it returned; a query on the other strand is turned first.
        codes: numbers of the genetic codes that may hold (NCBI's), the usual one first.
    """
    rows = np.linspace(0, len(library.sequences) - 1, min(MOST_TO_LEARN, len(library.sequences)))
    learnt = [library.sequences.text(int(row)) for row in np.unique(rows.astype(np.int64))]
    answered = np.flatnonzero(hits.strand_Q)
    texts = [tidy(queries[row] or "") for row in answered.tolist()]
    upright = [
        reverse_complement(text) if strand < 0 else text
        for text, strand in zip(texts, hits.strand_Q[answered].tolist(), strict=True)
    ]
    frame_Q = np.full(len(queries), UNREAD, np.int64)
    frame_Q[answered] = read_frames(upright, codes, learn_codon_use(learnt, codes)).frame_N
    return frame_Q
