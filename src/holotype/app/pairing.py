"""Images and barcodes of one name are one specimen: ``otter-12.png`` and the sequence ``otter-12``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from holotype.identify.inputs import Specimen


def paired(specimens: Sequence[Specimen]) -> list[Specimen]:
    """Returns the specimens with each barcode joined to the image of its name, in the place of the image.

    A name that two images or two barcodes have joins nothing: it does not say which belong together.
    """
    image_names = Counter(_name(one) for one in specimens if one.read_image is not None)
    barcode_names = Counter(_name(one) for one in specimens if _is_barcode(one))
    barcode_of = {
        _name(one): one
        for one in specimens
        if _is_barcode(one) and barcode_names[_name(one)] == image_names[_name(one)] == 1
    }
    joined = []
    for one in specimens:
        other = barcode_of.get(_name(one))
        if other is None or one is other:
            if other is None:
                joined.append(one)
            continue
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


def _name(one: Specimen) -> str:
    """Returns the name that a specimen goes by: of an image without its ending."""
    name = PurePosixPath(one.input).name
    return PurePosixPath(name).stem if one.read_image is not None else name
