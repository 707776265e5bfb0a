"""Images and barcodes of one name are one specimen; names that are not clear join nothing."""

from holotype.app.pairing import paired
from holotype.app.upload_names import Names
from holotype.app.uploads import Upload, UploadLimits, specimens_of
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


def test_names_count_as_they_were_sent():
    two = [image("otter-12.png"), image("otter-12 (2).png"), barcode("b.fasta/otter-12")]
    assert paired(two, {"otter-12 (2).png": "otter-12.png"}) == two
    assert len(paired(two)) == 2


def test_only_endings_of_images_are_left_out_of_a_name():
    found = paired([image("otter.12"), barcode("otter"), barcode("otter.12", "TTTT")])
    assert [(one.input, one.barcode) for one in found] == [("otter.12", "TTTT"), ("otter", "ACGT")]
    assert len(paired([image("otter.12.JPG"), barcode("otter.12")])) == 1


def test_uploads_of_one_name_are_two_specimens_of_no_barcode(tmp_path, png):
    sequence = f">otter-12\n{'ACGT' * 150}\n".encode()
    sent = [
        Upload("otter-12.png", content=png(1)),
        Upload("otter-12.png", content=png(2)),
        Upload("b.fasta", content=sequence),
    ]
    names = Names()
    found, _ = specimens_of(sent, UploadLimits(), tmp_path, names=names)
    joined = [(one.input, one.barcode is not None) for one in paired(found, names.asked_for)]
    assert joined == [
        ("otter-12.png", False),
        ("otter-12 (2).png", False),
        ("b.fasta/otter-12", True),
    ]
