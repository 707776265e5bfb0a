"""The audit: one leak of each kind is planted in a clean split, and that line alone is no longer 0."""

import numpy as np
import pytest

from holotype.splits.audit import audit_split
from holotype.splits.findings import CROSSING, LEAKS, NOTICES, findings, told
from holotype.splits.plan import Split

AUS = {"family": "Aidae", "genus": "Aus", "species": "Aus bus"}
CUS = {"family": "Cidae", "genus": "Cus", "species": "Cus dus"}
PLACES = [
    ("train", "seen", AUS, "UVP6"),
    ("train", "seen", AUS, "ISIIS"),
    ("val", "seen", AUS, "UVP6"),
    ("test", "seen", AUS, "ISIIS"),
    ("key", "seen", AUS, "UVP6"),
    ("key", "unseen", CUS, "UVP6"),
    ("test", "unseen", CUS, "ISIIS"),
    ("unused", "unnamed", {}, "UVP6"),
    ("key", "seen", AUS, "UVP6"),
]


def hash_of(number):
    """Hashes that differ in 20 bits or more."""
    return f"{(number + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}"


def clean_rows():
    """Records that share nothing but the size of their images, each class on two instruments."""
    return [
        {
            **names,
            "instrument": instrument,
            "specimen_id": f"specimen {row}",
            "image_sha256": f"image {row}",
            "haplotype": f"haplotype {row}",
            "image_phash": hash_of(row),
            "image_width_px": 50,
            "image_height_px": 60,
            "acquisition_id": f"bin {row}",
            "sample_id": f"haul {row}",
            "site": f"station {row}",
            "cruise": f"cruise {row}",
            "country": f"country {row}",
            "collected_on": f"20{row + 10}-06-0{row + 1}",
        }
        for row, (_, _, names, instrument) in enumerate(PLACES)
    ]


def audited(records_of, rows, made_by):
    made = Split(
        record_id=tuple(f"r{row}" for row in range(len(rows))),
        role_N=np.array([role for role, *_ in PLACES]),
        status_N=np.array([status for _, status, *_ in PLACES]),
        group_N=np.arange(len(rows)),
        reason_N=tuple("left" if role == "unused" else None for role, *_ in PLACES),
        made_by=made_by,
    )
    return audit_split(made, records_of(rows))


def lines(audit, method=None):
    """Lines that are not 0, with their weight."""
    return {f.line: f.weight.value for f in findings(audit, method=method) if f.count}


def test_a_clean_split_has_no_line(records_of):
    found = audited(records_of, clean_rows(), {})
    assert found == {
        "clean": True,
        "crossing": {"specimen_id": 0, "image_sha256": 0, "haplotype": 0},
        "shared": {
            "acquisition_id": 0, "sample_id": 0, "site": 0, "cruise": 0, "date": 0, "near_duplicates": 0,
        },
        "near_bits": 2,
        "unseen_rank": "species",
        "unseen_in_train": [],
        "may_be_unseen_in_train": 0,
        "seen_not_in_train": 0,
        "without_key": 0,
        "conflicting_labels": 0,
        "tested_upstream_in_train": 0,
        "listed_twice": 0,
        "classes_not_in_train": 0,
        "on_one_instrument": 0,
        "unused": {"left": 1},
        "counts": {
            "key seen": 2, "key unseen": 1, "test seen": 1, "test unseen": 1, "train seen": 2,
            "unused unnamed": 1, "val seen": 1,
        },
        "examples": {},
    }  # fmt: skip
    assert told(found) == "audit: nothing crosses"


COPIED = [
    ("specimen_id", "specimen_id", "leak", {}),
    ("image_sha256", "image_sha256", "leak", {}),
    ("haplotype", "haplotype", "leak", {}),
    ("image_phash", "near_duplicates", "notice", {}),
    ("image_phash", "near_duplicates", "leak", {"near_duplicates": 0}),
    ("acquisition_id", "acquisition_id", "notice", {}),
    ("acquisition_id", "acquisition_id", "leak", {"keep_together": ["acquisition_id"]}),
    ("sample_id", "sample_id", "notice", {}),
    ("sample_id", "sample_id", "leak", {"keep_together": ["sample_id"]}),
    ("site", "site", "notice", {}),
    ("site", "site", "leak", {"by": "site"}),
    ("cruise", "cruise", "notice", {}),
    ("cruise", "cruise", "leak", {"by": "cruise"}),
    ("country", "country", "leak", {"by": "country"}),
    ("collected_on", "date", "notice", {}),
    ("collected_on", "date", "leak", {"keep_together": ["date"]}),
]


@pytest.mark.parametrize(("column", "line", "weight", "made_by"), COPIED)
@pytest.mark.parametrize(("row", "other"), [(3, 0), (6, 1)])
def test_a_planted_value_is_found_on_its_line_alone(
    records_of, column, line, weight, made_by, row, other
):
    rows = clean_rows()
    rows[row][column] = rows[other][column]
    conflict = {"conflicting_labels": "notice"} if (column, row) == ("image_sha256", 6) else {}
    found = audited(records_of, rows, made_by)
    assert lines(found) == {line: weight} | conflict
    assert found["clean"] == (weight == "notice")
    assert found["examples"][line] == [[f"r{other}", f"r{row}"]]
    assert lines(audited(records_of, clean_rows(), made_by)) == {}


@pytest.mark.parametrize("other", [3, 6])
def test_a_year_that_crosses(records_of, other):
    rows = clean_rows()
    rows[other]["collected_on"] = rows[0]["collected_on"][:4] + "-12-31"
    assert lines(audited(records_of, rows, {"by": "year"})) == {"year": "leak"}
    assert lines(audited(records_of, rows, {})) == {}


def test_in_a_leave_out_train_and_val_are_one_side(records_of):
    rows = clean_rows()
    rows[2]["site"] = rows[0]["site"]
    assert lines(audited(records_of, rows, {"by": "site"})) == {}
    rows[3]["site"] = rows[0]["site"]
    assert lines(audited(records_of, rows, {"by": "site"})) == {"site": "leak"}


def change(row, **values):
    return lambda rows: rows[row].update(values)


def both(*changes):
    def make(rows):
        for one in changes:
            one(rows)

    return make


PLANTED = {
    "unseen species in train": (change(1, **CUS), {}, "unseen_in_train", "leak"),
    "unseen genus in train": (
        change(1, **CUS | {"species": "Cus eus"}), {"rank": "genus"}, "unseen_in_train", "leak",
    ),
    "unseen family in train, by lineage": (
        change(1, family=None, genus="Cus", species="Cus fus"), {"rank": "family"},
        "unseen_in_train", "leak",
    ),
    "unseen genus named by the binomial alone": (
        change(1, family=None, genus=None, species="Cus fus"), {"rank": "genus"},
        "unseen_in_train", "leak",
    ),
    "might be of the unseen genus": (
        change(1, family="Cidae", genus=None, species=None), {"rank": "genus"},
        "may_be_unseen_in_train", "notice",
    ),
    "might be the unseen species": (
        change(1, family="Cidae", genus="Cus", species=None), {}, "may_be_unseen_in_train", "notice",
    ),
    "has no name, so it might be anything": (
        change(1, family=None, genus=None, species=None), {}, "may_be_unseen_in_train", "notice",
    ),
    "seen species without training": (
        change(8, genus="Fus", species="Fus gus"), {}, "seen_not_in_train", "notice",
    ),
    "query without key": (
        change(6, species="Cus eus", instrument=None), {}, "without_key", "notice",
    ),
    "class that training lacks": (
        change(3, species=None, instrument=None), {}, "classes_not_in_train", "notice",
    ),
    "class on one instrument": (
        both(change(1, instrument="UVP6"), change(3, instrument="UVP6")), {},
        "on_one_instrument", "notice",
    ),
    "published test in train": (
        change(0, upstream_split="Test"), {}, "tested_upstream_in_train", "notice",
    ),
    "published test in train of upstream": (
        change(0, upstream_split="val_unseen"), {"method": "upstream"},
        "tested_upstream_in_train", "leak",
    ),
    "listed twice": (change(0), {"listed_twice": 1}, "listed_twice", "leak"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_on_its_line_alone(records_of, name):
    plant, made_by, line, weight = PLANTED[name]
    rows = clean_rows()
    plant(rows)
    found = audited(records_of, rows, made_by)
    assert lines(found, made_by.get("method")) == {line: weight}
    assert found["clean"] == (weight == "notice")


@pytest.mark.parametrize(
    "harmless",
    [
        change(1, family="Didae", genus=None, species=None),  # another family: not the unseen genus
        change(1, family=None, genus=None, species=None, group="detritus", kind="detritus"),
        change(7, **CUS, image_sha256="image 0", haplotype="haplotype 0", image_phash=hash_of(0)),
        change(6, source="another", specimen_id="specimen 0", acquisition_id="bin 0"),
        change(3, image_phash=hash_of(0), image_width_px=80),  # alike, but of another size
        change(0, upstream_split="train"),
    ],
)
def test_what_is_no_leak_is_not_called_one(records_of, harmless):
    rows = clean_rows()
    harmless(rows)
    assert lines(audited(records_of, rows, {"rank": "genus"})) == {}


@pytest.mark.parametrize(("bits", "found"), [(2, {}), (3, {"near_duplicates": "leak"})])
def test_near_duplicates_within_the_bits_of_the_split(records_of, bits, found):
    rows = clean_rows()
    rows[3]["image_phash"] = f"{int(rows[0]['image_phash'], 16) ^ 0b111:016x}"
    assert lines(audited(records_of, rows, {"near_duplicates": bits})) == found


def test_near_duplicates_are_counted_as_records_that_are_asked(records_of):
    rows = clean_rows()
    for row in (1, 3, 6, 7):  # train, test, test and unused: two records are asked
        rows[row]["image_phash"] = rows[0]["image_phash"]
    found = audited(records_of, rows, {})
    assert found["shared"]["near_duplicates"] == 2
    assert len(found["examples"]["near_duplicates"]) == 1


def test_every_line_has_a_sentence_and_a_planted_fault(records_of):
    planted = {line for _, line, *_ in COPIED} | {line for *_, line, _ in PLANTED.values()}
    planted |= {"year", "conflicting_labels"}
    by_leave_out = {"instrument", "source"}  # as site and country
    assert planted | by_leave_out == {*CROSSING, *LEAKS, *NOTICES}


def test_what_is_told_of_leaks(records_of):
    rows = clean_rows()
    rows[6] |= {"haplotype": "haplotype 0", "site": "station 0"}
    text = told(audited(records_of, rows, {})).splitlines()
    assert text == [
        "audit: LEAKS",
        "  leak          1  identical barcodes in more than one role (e.g. r0 = r6)",
        "  notice        1  sites in more than one role (e.g. r0 = r6)",
    ]
