"""FASTA of reference libraries: the form is found once a file, and every form gives its names."""

import bz2
import gzip
import lzma
import random
import zipfile
from pathlib import Path

import pytest

from holotype.collection.sources.fasta import SOURCE
from holotype.collection.sources.fasta.forms import HeaderForm, find_form
from holotype.collection.sources.fasta.headers import read_header
from holotype.collection.sources.fasta.lineages import lineage_fields
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.testing import check_source

LETTERS = "ACGTACGTTGCA"
COPEPOD = {
    "kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda", "order": "Calanoida",
    "family": "Calanidae", "genus": "Calanus", "species": "Calanus glacialis",
}  # fmt: skip
SEVEN = "Animalia;Arthropoda;Copepoda;Calanoida;Calanidae;Calanus;Calanus_glacialis"
PREFIXED = "; ".join(
    f"{letter}__{name}" for letter, name in zip("kpcofgs", SEVEN.split(";"), strict=True)
)


HEADERS = [
    "MZ1;tax=d:Eukaryota,k:Animalia,s:Calanus_glacialis;",
    "EPAF082-03|Astraptes fulgerator|COI-5P|GU013587",
    "NC_1 225159;Metazoa;Mollusca;Gastropoda;;Lottiidae;Lottia;Lottia_digitalis",
    f"AB123456\tRoot;{SEVEN}",
    f"{SEVEN};",
    "AB1.1.<1.>658###root_1;Eukaryota_2759;Arthropoda_6656;Hexanauplia_72037;Calanus_6836",
    "AB1.1.1744_U|18S_rRNA|nucleus|x|Eukaryota|TSAR|Alveolata|D|E|F|G|Karenia|Karenia_brevis",
    f"name|MT153946|SH1.10FU|refs|{PREFIXED}",
    "S01 Lactobacillus salivarius",
]


def write(path: Path, *headers: str) -> Path:
    path.write_text("".join(f">{header}\n{LETTERS}\n" for header in headers), encoding="utf-8")
    return path


def taxa(fields):
    return {
        name: text
        for name, text in fields.items()
        if not name.startswith("extra:") and name not in {"barcode", "written_label"}
    }


@pytest.mark.parametrize(
    ("header", "form", "name", "expected"),
    [
        ("MZ1", HeaderForm.PLAIN, "MZ1", {}),
        ("MZ1 a copepod; really", HeaderForm.PLAIN, "MZ1", {}),
        ("MZ1\tsize=12;", HeaderForm.PLAIN, "MZ1", {}),
        ("MZ1;size=12;tax=g:Calanus;size=3", HeaderForm.SINTAX, "MZ1", {"genus": "Calanus"}),
        ("MZ1;size=12;", HeaderForm.PLAIN, "MZ1;size=12;", {}),
        ("gi|123|gb|AF1.1| Calanus", HeaderForm.PLAIN, "gi|123|gb|AF1.1|", {}),
        (
            "MZ1;tax=d:Eukaryota,k:Animalia,p:Arthropoda,c:uncultured,s:Calanus_glacialis,t:X1;",
            HeaderForm.SINTAX,
            "MZ1",
            {
                "rank:domain": "Eukaryota", "kingdom": "Animalia", "phylum": "Arthropoda",
                "species": "Calanus glacialis",
            },
        ),
        (
            "EPAF082-03|Astraptes fulgerator|COI-5P|GU013587",
            HeaderForm.BOLD,
            "EPAF082-03",
            {
                "genus": "Astraptes", "species": "Astraptes fulgerator", "marker": "COI-5P",
                "insdc_accession": "GU013587",
            },
        ),
        (
            "EPAF082-03|COI-5P|Cadra_cautella",
            HeaderForm.BOLD,
            "EPAF082-03",
            {"genus": "Cadra", "species": "Cadra cautella", "marker": "COI-5P"},
        ),
        ("A1|Calanus sp.|18S", HeaderForm.BOLD, "A1", {"genus": "Calanus", "marker": "18S"}),
        ("A1|123|COI-5P", HeaderForm.BOLD, "A1", {"marker": "COI-5P"}),
        ("A1|Noctuidae|COI-5P", HeaderForm.BOLD, "A1", {"marker": "COI-5P"}),
        (
            "NC_1 225159;Metazoa;Mollusca;Gastropoda;;Lottiidae;Lottia;Lottia_digitalis",
            HeaderForm.MKCOINR,
            "NC_1",
            {
                "ncbi_id": "225159", "kingdom": "Metazoa", "phylum": "Mollusca", "class": "Gastropoda",
                "family": "Lottiidae", "genus": "Lottia", "species": "Lottia digitalis",
            },
        ),
        (f"AB123456\tRoot;{SEVEN}", HeaderForm.RDP, "AB123456",
         COPEPOD | {"insdc_accession": "AB123456"}),
        (f"MZ1;Root;{SEVEN}", HeaderForm.IDTAXA, "MZ1", COPEPOD),
        (f"MZ1 {SEVEN}", HeaderForm.SPACED, "MZ1", COPEPOD),
        (f"{SEVEN};", HeaderForm.DADA2, "", COPEPOD),
        (
            (
                "Bacteria;Proteobacteria;Betaproteobacteria;Burkholderiales;"
                "Burkholderiales_incertae_sedis;Aquincola;"
            ),
            HeaderForm.DADA2,
            "",
            {
                "kingdom": "Bacteria", "phylum": "Proteobacteria", "class": "Betaproteobacteria",
                "order": "Burkholderiales", "genus": "Aquincola",
            },
        ),
        ("S01 Lactobacillus salivarius", HeaderForm.BINOMIAL, "S01",
         {"genus": "Lactobacillus", "species": "Lactobacillus salivarius"}),
        (
            (
                "AB000001.1.<1.>658###root_1;Eukaryota_2759;Arthropoda_6656;Hexanauplia_72037;"
                "Calanoida_6833;Calanidae_6834;Calanus_6836;Calanus glacialis_114070"
            ),
            HeaderForm.MIDORI,
            "AB000001.1.<1.>658",
            {
                "rank:domain": "Eukaryota", "phylum": "Arthropoda", "class": "Hexanauplia",
                "order": "Calanoida", "family": "Calanidae", "genus": "Calanus",
                "species": "Calanus glacialis", "ncbi_id": "114070", "insdc_accession": "AB000001.1",
            },
        ),
        (
            (
                "AB123.1.1744_U|18S_rRNA|nucleus|strain_X|Eukaryota|TSAR|Alveolata|Dinoflagellata|"
                "Dinophyceae|Gymnodiniales|Kareniaceae|Karenia|Karenia_brevis"
            ),
            HeaderForm.PR2,
            "AB123.1.1744_U",
            {
                "rank:domain": "Eukaryota", "class": "Dinophyceae", "order": "Gymnodiniales",
                "family": "Kareniaceae", "genus": "Karenia", "species": "Karenia brevis",
                "marker": "18S", "insdc_accession": "AB123.1",
            },
        ),
        (  # animals: PR2's class is a phylum; 8 levels; nothing below the genus
            (
                "AB124.1.1744_U|18S_rRNA|nucleus|x|Eukaryota|Opisthokonta|Metazoa|Arthropoda|Crustacea|"
                "Maxillopoda|Calanus|Calanus_sp."
            ),
            HeaderForm.PR2,
            "AB124.1.1744_U",
            {"rank:domain": "Eukaryota", "genus": "Calanus", "marker": "18S", "insdc_accession": "AB124.1"},
        ),
        (
            (
                "Abrothallus_subhalei|MT153946|SH1227328.10FU|refs|k__Fungi;p__Ascomycota;"
                "c__Dothideomycetes;o__Abrothallales;f__Abrothallaceae;g__Abrothallus;"
                "s__Abrothallus_subhalei"
            ),
            HeaderForm.UNITE,
            "MT153946|SH1227328.10FU",
            {
                "kingdom": "Fungi", "phylum": "Ascomycota", "class": "Dothideomycetes",
                "order": "Abrothallales", "family": "Abrothallaceae", "genus": "Abrothallus",
                "species": "Abrothallus subhalei", "insdc_accession": "MT153946",
            },
        ),
        ("BOLD_COI-5P_GBCB0063-06_BIN:AAJ4695", HeaderForm.PLAIN, "BOLD_COI-5P_GBCB0063-06_BIN:AAJ4695",
         {"marker": "COI-5P", "specimen_id": "GBCB0063-06", "bin_uri": "BOLD:AAJ4695"}),
    ],
    ids=lambda value: value.name if isinstance(value, HeaderForm) else None,
)  # fmt: skip
def test_headers_of_every_form(header, form, name, expected):
    assert find_form([header]) is form
    found = read_header(header, form)
    assert (found.name, taxa(found.fields), found.odd) == (name, expected, None)


def test_no_header_breaks_a_form():
    """Headers cut and spliced at random are read as every form, with an id and a note at the worst."""
    letters = random.Random(5)
    known = [*HEADERS, "", "|", ";", "###", ";tax=", "\tRoot;", "a\t;", "Root;", ">", "k__;;s__"]
    for _ in range(800):
        first, second = letters.choice(known), letters.choice(known)
        spliced = (
            first[: letters.randrange(len(first) + 1)]
            + second[letters.randrange(len(second) + 1) :]
        )
        for form in HeaderForm:
            found = read_header(spliced, form)
            assert all(text.strip() for column, text in found.fields.items() if column != "barcode")


def test_the_form_is_of_the_file_and_the_odd_header_is_told(tmp_path):
    path = write(
        tmp_path / "r.fasta",
        "A1|Calanus glacialis|COI-5P",
        "A2 Calanus glacialis",
        "A3|Calanus|18S",
    )
    first, odd, third = check_source(SOURCE, path).items
    assert (first.fields["species"], third.fields["genus"]) == ("Calanus glacialis", "Calanus")
    assert (odd.name, odd.fields) == ("A2", {"barcode": LETTERS})
    ((code, said),) = odd.notes
    assert code == "header"
    assert "r.fasta, line 3: 'A2 Calanus glacialis' is not written as BOLD" in said


def test_ids_that_come_twice_lose_nothing(tmp_path):
    path = write(tmp_path / "r.fasta", "a", "a", "", "a#2", "a")
    found = check_source(SOURCE, path).items
    assert [item.name for item in found] == ["a", "a#2", "sequence 3", "a#2#4", "a#5"]
    assert [bool(item.notes) for item in found] == [False, True, False, True, True]


def test_qiime_and_mothur_tables_give_the_names(tmp_path):
    path = write(tmp_path / "seqs.fasta", "f1", "f2", "f3 described", "f4")
    table = tmp_path / "taxonomy.tsv"
    table.write_text(
        f"Feature ID\tTaxon\tConfidence\nf1\t{PREFIXED}\t0.9\n"
        "f2\td__Bacteria; p__Bacillota; c__uncultured; o__; g__Bacillus; s__subtilis\t1\n"
        "f3\tAnimalia;Arthropoda;Copepoda;Calanoida;Calanidae;Calanus;Calanus glacialis;\t1\n"
    )
    first, second, third, fourth = check_source(
        SOURCE, path, SourceOptions(annotations=table)
    ).items
    assert taxa(first.fields) == COPEPOD == taxa(third.fields)
    assert taxa(second.fields) == {
        "rank:domain": "Bacteria", "phylum": "Bacillota", "genus": "Bacillus",
        "species": "Bacillus subtilis",
    }  # fmt: skip
    assert first.fields["extra:lineage"] == PREFIXED
    assert (taxa(fourth.fields), fourth.notes[0][0]) == ({}, "lineage")
    assert "no row 'f4' in the table of lineages" in fourth.notes[0][1]


def test_rdp_ranks_come_from_its_own_table(tmp_path):
    lineage = "Root;Eukaryota;Metazoa;Arthropoda;Crustacea;Copepoda;Calanus"
    path = write(
        tmp_path / "rdp.fasta", f"A1\t{lineage}", f"A2\t{lineage.replace('Calanus', 'Nemo')}"
    )
    ranks = ["rootrank", "domain", "kingdom", "phylum", "subphylum", "class", "genus"]
    taxid = tmp_path / "rdp.taxid"
    taxid.write_text(
        "".join(
            f"{at}*{name}*{at - 1}*{at}*{ranks[at]}\n" for at, name in enumerate(lineage.split(";"))
        )
    )
    known, unknown = check_source(SOURCE, path, SourceOptions(annotations=taxid)).items
    expected = {
        "rank:domain": "Eukaryota", "kingdom": "Metazoa", "phylum": "Arthropoda", "class": "Copepoda",
    }  # fmt: skip
    assert taxa(known.fields) == expected | {"genus": "Calanus"}
    assert taxa(unknown.fields) == expected


def test_a_lineage_whose_ranks_cannot_be_told_is_kept_and_noted(tmp_path):
    path = write(tmp_path / "rdp.fasta", "A1\tRoot;Life;Eukaryota;Metazoa;A;B;C;D;E;F")
    (item,) = check_source(SOURCE, path).items
    assert taxa(item.fields) == {}
    assert item.fields["extra:lineage"] == "Root;Life;Eukaryota;Metazoa;A;B;C;D;E;F"
    assert "9 names without ranks: name the library's table of ranks" in item.notes[0][1]


@pytest.mark.parametrize("depth", ["\xb2", "--5", "9" * 5000])
def test_a_depth_that_is_no_number_is_named(tmp_path, depth):
    path = write(tmp_path / "rdp.fasta", "A1\tRoot;Eukaryota;Metazoa")
    taxid = tmp_path / "rdp.taxid"
    taxid.write_text(f"0*Root*-1*0*rootrank\n1*Eukaryota*0*{depth}*domain\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"rdp\.taxid, line 2: .* is neither"):
        check_source(SOURCE, path, SourceOptions(annotations=taxid))


def test_an_epithet_alone_and_placeholders():
    fields, _ = lineage_fields("k__Fungi;o__[Agaricales];g__Fungi_gen_Incertae_sedis;s__Fungi_sp")
    assert taxa(fields) == {"kingdom": "Fungi", "order": "Agaricales"}
    assert taxa(lineage_fields("p__Chordata; s__glacialis")[0])["species"] == "glacialis"


def test_crabs_table(tmp_path):
    ranks = "Eukaryota\tArthropoda\tHexanauplia\tCalanoida\tCalanidae\tCalanus\tCalanus glacialis"
    (tmp_path / "db.txt").write_text(
        f"MN1\tCalanus_glacialis\t114070\t{ranks}\t{LETTERS}\nMN2\tshort\t{LETTERS}\n"
        f"MN1\tCalanus_glacialis\tNA\t{ranks.replace('Hexanauplia', 'NA')}\t{LETTERS}\n"
    )
    done = check_source(SOURCE, tmp_path / "db.txt")
    first, bad, second = done.items
    assert (first.name, second.name) == ("MN1", "MN1#3")
    expected = {**COPEPOD, "class": "Hexanauplia", "rank:domain": "Eukaryota", "ncbi_id": "114070"}
    del expected["kingdom"]
    assert taxa(first.fields) == expected
    assert taxa(second.fields).keys() == expected.keys() - {"class", "ncbi_id"}
    assert (first.fields["written_label"], first.fields["barcode"]) == (
        "Calanus glacialis",
        LETTERS,
    )
    assert bad.error.endswith(
        "line 2: 3 columns where a CRABS table has 11. Mend or remove the line."
    )


def test_wrapped_lines_gaps_blanks_and_encodings(tmp_path):
    path = tmp_path / "odd.fasta"
    path.write_bytes(
        b"\xef\xbb\xbf>a|Genus esp\xe8ce|COI-5P\r\nACGT\r\n--ac\r\n\r\n; a comment\r\nGT\r\n>b\r\n>c\nAC GT\n"
    )
    found = check_source(SOURCE, path).items
    assert [item.fields.get("barcode") for item in found] == ["ACGT--acGT", None, "AC GT"]
    assert (found[0].name, found[0].row) == ("a|Genus", 1)
    assert found[1].skip_reason == "a header without a sequence"


@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_compressed_files_and_archives_are_the_same(tmp_path, ending, pack):
    content = f">a\n{LETTERS}\n".encode()
    (tmp_path / f"x.fasta.{ending}").write_bytes(pack(content))
    (item,) = check_source(SOURCE, tmp_path / f"x.fasta.{ending}").items
    assert (item.name, item.row, item.fields["barcode"]) == ("a", 1, LETTERS)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(f"lib/x.fa.{ending}", pack(content))
        archive.writestr("lib/readme.md", "none")
    inside, readme = check_source(SOURCE, tmp_path / "x.zip").items
    assert inside == item
    assert readme.skip_reason == "not named like FASTA"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no sequence in it"),
        (b"ACGT\n", "after sequence 0: not FASTA .line 1 starts with 'ACGT', not with '>'"),
        (b">a\nAC\0GT\n", "line 2 holds zero bytes"),
        (gzip.compress(b">a\n" + b"ACGT\n" * 999)[:40], "not FASTA"),
    ],
)
def test_what_is_no_fasta(tmp_path, content, message):
    (tmp_path / "x.fasta").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        list(SOURCE.read(tmp_path / "x.fasta", SourceOptions()))


def test_a_side_table_that_is_none(tmp_path):
    (tmp_path / "t.tsv").write_text("only one cell\n")
    with pytest.raises(SourceError, match=r"t\.tsv, line 1: 'only one cell' is neither"):
        list(
            SOURCE.read(
                write(tmp_path / "a.fa", "a"), SourceOptions(annotations=tmp_path / "t.tsv")
            )
        )


@pytest.mark.real
def test_real_dada2_references(real_data):
    done = check_source(SOURCE, real_data / "formats/dada2_refs/example_train_set.fa.gz")
    assert (done.records, done.skipped, done.errors) == (100, 0, 0)
    assert done.items[0].fields["genus"] == "Mycobacterium"
    assert {item.fields["kingdom"] for item in done.items} == {"Archaea", "Bacteria"}
    assert not any("incertae" in text for item in done.items for text in taxa(item.fields).values())
    assert not any(item.notes for item in done.items)
    species = check_source(
        SOURCE, real_data / "formats/dada2_refs/example_species_assignment.fa.gz"
    )
    assert species.records == 14
    assert (species.items[0].name, species.items[0].fields["species"]) == (
        "S003281126", "Rhodococcus erythropolis",
    )  # fmt: skip


@pytest.mark.real
def test_real_plain_and_mkcoinr_files(real_data):
    counts = {"test_10": 11, "test_1000": 1000, "test_5000": 5000, "no_match_1": 1}
    for name, count in counts.items():
        done = check_source(SOURCE, real_data / f"formats/bold/boldigger3/{name}.fasta")
        assert (done.records, done.errors) == (count, 0)
        assert not any(taxa(item.fields) for item in done.items)
    done = check_source(SOURCE, real_data / "dna/metazoan_orders/one_seq_per_order_658.fas")
    assert done.records == 568
    limpet = done.items[0]
    assert (limpet.name, limpet.fields["ncbi_id"]) == ("NC_007782_1", "225159")
    assert limpet.fields["species"] == "Lottia digitalis"
    assert "order" not in limpet.fields
