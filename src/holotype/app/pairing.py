"""Images and barcodes of one name are one specimen: ``otter-12.png`` and the sequence ``otter-12``."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from types import MappingProxyType

from holotype.identify.inputs import Specimen
from holotype.media.images import IMAGE_SUFFIXES

_NONE: Mapping[str, str] = MappingProxyType({})


def paired(specimens: Sequence[Specimen], asked_for: Mapping[str, str] = _NONE) -> list[Specimen]:
    """Returns the specimens with each barcode joined to the image of its name, in the place of the image.

    A name that two images or two barcodes have joins nothing: it does not say which belong together.

    Args:
        specimens: images and barcodes.
        asked_for: the names as they were sent, of those that were given another one.
    """

    def name_of(one: Specimen) -> str:
        name = PurePosixPath(asked_for.get(one.input, one.input)).name
        return _bare(name) if one.read_image is not None else name

    image_names = Counter(name_of(one) for one in specimens if one.read_image is not None)
    barcode_names = Counter(name_of(one) for one in specimens if _is_barcode(one))
    barcode_of = {
        name_of(one): one
        for one in specimens
        if _is_barcode(one) and barcode_names[name_of(one)] == image_names[name_of(one)] == 1
    }
    joined = []
    for one in specimens:
        other = barcode_of.get(name_of(one))
        if other is None:
            joined.append(one)
        elif one is not other:
            joined.append(
                replace(
                    one,
                    barcode=other.barcode,
                    failure=one.failure or other.failure,
                    context={**other.context, **one.context, "barcode": other.barcode},
                )
            )
    return joined


def _is_barcode(one: Specimen) -> bool:
    return one.read_image is None and one.barcode is not None


def _bare(name: str) -> str:
    """Returns the name of an image without its ending.

    >>> _bare("otter-12.PNG"), _bare("otter.12")
    ('otter-12', 'otter.12')
    """
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in IMAGE_SUFFIXES else name
