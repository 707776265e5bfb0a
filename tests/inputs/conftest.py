"""Materials made by hand, for the tests of inputs."""

import numpy as np
import pytest

from holotype.inputs.materials import Materials, numbered


@pytest.fixture
def five_records() -> Materials:
    """Records 0 and 3 have images, 0, 1 and 4 barcodes; 2 has nothing. 0 and 4 share a haplotype."""
    barcodes = ("ACGTAC", "GG", None, None, "ACGTAC")
    pixels = np.zeros((2, 4, 4, 1), dtype=np.uint8)
    pixels[0], pixels[1] = 51, 255
    return Materials(
        record_id=("a", "b", "c", "d", "e"),
        concept_N=(None,) * 5,
        pixels_MSSC=pixels,
        size_M4=np.asarray([[8, 6, 80, 60], [20, 10, np.nan, np.nan]], dtype=np.float32),
        image_N=np.asarray([0, -1, -1, 1, -1]),
        barcode_N=barcodes,
        haplotype_N=numbered(barcodes),
        marker_N=np.full(5, -1, dtype=np.int64),
    )
