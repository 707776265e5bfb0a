"""Readers of folders, archives and sequences: the same content gives the same records."""

import tarfile
import zipfile

import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import SourceError

SEQUENCE = "ACGTACGTTGCA"


def records(folder):
    collection = open_collection(folder)
    found = collection.columns().to_pylist()
    for row, (_, content) in zip(found, collection.images(), strict=True):
        row["content"] = content
    return sorted(found, key=lambda row: row["record_id"])


def import_fasta(tmp_path, text):
    (tmp_path / "in.fasta").write_text(text)
    holotype.import_("fasta", [tmp_path / "in.fasta"], into=tmp_path / "c")
    return records(tmp_path / "c")


def test_folder_zip_and_tar_give_equal_records(crops, tmp_path):
    files = [path for path in sorted(crops.rglob("*")) if path.is_file()]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in files:
            archive.write(path, path.relative_to(crops).as_posix())
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for path in reversed(files):
            archive.add(path, path.relative_to(crops).as_posix())
    found = []
    for place in (crops, tmp_path / "a.zip", tmp_path / "a.tar.gz"):
        into = tmp_path / f"of-{place.name}"
        report = holotype.import_("image-folder", [place], into=into, source="net2")
        assert report.outcomes == {"imported": 11, "skipped": 1}
        found.append(records(into))
    assert found[0] == found[1] == found[2]
    assert [row["written_label"] for row in found[0]] == ["copepod"] * 5 + ["egg_Calanus"] * 5 + [
        None
    ]
    assert {row["qualifier"] for row in found[0] if row["written_label"] == "egg_Calanus"} == {
        "egg"
    }


def test_the_label_is_the_innermost_folder(tmp_path, png):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("set/2015/copepod/1.png", png(1))
        archive.writestr("set\\2015\\egg\\2.png", png(2))
    holotype.import_("image-folder", [tmp_path / "a.zip"], into=tmp_path / "c")
    assert {row["written_label"] for row in records(tmp_path / "c")} == {"copepod", "egg"}


def test_fasta_records(tmp_path):
    found = import_fasta(
        tmp_path,
        f">b;tax=g:Calanus,s:Calanus_glacialis;\n{SEQUENCE}\n>a\n{SEQUENCE[:6]}\n--{SEQUENCE[6:]}\n",
    )
    assert [row["record_id"] for row in found] == ["in/a", "in/b"]
    assert [row["barcode"] for row in found] == [SEQUENCE, SEQUENCE]
    assert found[0]["haplotype"] == found[1]["haplotype"]
    assert found[1]["species"] == "Calanus glacialis"
    assert found[0]["species"] is None
    assert found[0]["written_label"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no sequence in it"),
        ("ACGT\n", "after sequence 0: not FASTA"),
        ("\x00\x01", "not FASTA"),
    ],
)
def test_what_is_no_fasta(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        import_fasta(tmp_path, text)
    assert not (tmp_path / "c" / "collection.json").exists()


def test_an_unknown_kind_is_told_the_nearest(tmp_path):
    with pytest.raises(
        SourceError, match=r"no kind of input 'image-foldr'. Did you mean 'image-folder'"
    ):
        holotype.import_("image-foldr", [tmp_path], into=tmp_path / "c")


def test_simulated_settings_are_named_when_wrong(tmp_path):
    (tmp_path / "s.toml").write_text("num_speces = 3\n")
    with pytest.raises(SourceError, match="num_speces"):
        holotype.import_("simulated", [tmp_path / "s.toml"], into=tmp_path / "c")


@pytest.mark.real
def test_real_mkcoinr_fasta(real_data, tmp_path):
    path = real_data / "dna" / "metazoan_orders" / "one_seq_per_order_658.fas"
    report = holotype.import_("fasta", [path], into=tmp_path / "c")
    assert report.records == report.items == 568
    found = records(tmp_path / "c")
    assert len({row["phylum"] for row in found}) == 40  # 39 phyla, and those of none
    assert all(600 < len(row["barcode"]) < 700 for row in found)
    (limpet,) = [row for row in found if row["source_item"] == "NC_007782_1"]
    assert limpet["order"] is None
    assert (limpet["species"], limpet["ncbi_id"]) == ("Lottia digitalis", "225159")
