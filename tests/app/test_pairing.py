"""Images and barcodes of one name are one specimen; names that are not clear join nothing."""

from holotype.app.pairing import paired
from holotype.identify.inputs import Specimen


def image(name):
    return Specimen(name, read_image=lambda: b"", context={"record_id": name})


def barcode(name, letters="ACGT"):
    return Specimen(name, barcode=letters, context={"record_id": name, "marker": "COI-5P"})


def test_a_barcode_joins_the_image_of_its_name_in_its_place():
    found = paired([image("a.png"), barcode("pasted.fasta/b"), image("zip/b.jpg"), barcode("x/c")])
    assert [one.input for one in found] == ["a.png", "zip/b.jpg", "x/c"]
    joined = found[1]
    assert joined.barcode == "ACGT"
    assert joined.read_image is not None
    assert joined.context == {"record_id": "zip/b.jpg", "marker": "COI-5P", "barcode": "ACGT"}


def test_names_that_two_have_join_nothing():
    two_images = [image("one/a.png"), image("two/a.png"), barcode("a")]
    assert paired(two_images) == two_images
    two_barcodes = [image("a.png"), barcode("x/a"), barcode("y/a", "TTTT")]
    assert paired(two_barcodes) == two_barcodes


def test_what_fails_of_either_is_told():
    broken = Specimen("x/a", barcode="ACGT", failure="cut short")
    assert paired([image("a.png"), broken])[0].failure == "cut short"
