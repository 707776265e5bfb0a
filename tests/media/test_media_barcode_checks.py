"""Strand, frame, stops and words of barcodes: on simulated genes with faults put in, and on real ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.media.barcode_checks import check_barcodes, learn_marker
from holotype.media.barcode_neighbours import NONE, choose_references, differing_share, nearest
from holotype.media.genetic_codes import GENETIC_CODES, Genome, codes_for, genome_of
from holotype.media.reading_frames import fewest_stops, learn_codon_use, read_frames
from holotype.media.strands import codons_of, reverse_complement, words_of
from holotype.simulate.codons import ancestor, constraints, evolve, to_text

CODES = (5,)
NUCLEOTIDES = st.text("ACGTRYSWKMBDHVN", min_size=1, max_size=60)


@pytest.fixture(scope="module")
def genes():
    """Two hundred relatives of one simulated gene, open in frame 2 under code 5."""
    rng = np.random.default_rng(5)
    first, constraint = ancestor(rng), constraints(rng)
    return [
        to_text(evolve(first, mutations_per_bp=0.5, constraint_C=constraint, rng=rng))
        for _ in range(200)
    ]


@pytest.fixture(scope="module")
def model(genes):
    return learn_marker("COI-5P", genes, CODES)


def with_stop(gene, codon=70):
    start = 1 + 3 * codon
    return gene[:start] + "TAA" + gene[start + 3 :]


def foreign(bases=600, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), bases))


@given(NUCLEOTIDES)
def test_the_other_strand_of_the_other_strand(text):
    assert reverse_complement(reverse_complement(text)) == text
    assert len(reverse_complement(text)) == len(text)


def test_codons_by_hand():
    assert codons_of(["TTTCN", "ATG"]).tolist() == [[0, 1, -1], [35, -1, -1]]
    assert words_of(["TTTTTC", "TTTTT"]).tolist() == [[1], [-1]]
    assert codons_of(["AC"]).shape == (1, 0)


@pytest.mark.parametrize(
    ("code", "codon", "amino_acid"),
    [
        (1, "TGA", "*"), (2, "AGA", "*"), (2, "TGA", "W"), (4, "TGA", "W"), (4, "ATA", "I"),
        (5, "AGA", "S"), (5, "ATA", "M"), (9, "AAA", "N"), (13, "AGG", "G"), (14, "TAA", "Y"),
        (14, "TAG", "*"), (6, "TAA", "Q"), (6, "TAG", "Q"), (6, "TGA", "*"), (11, "TGA", "*"),
        (16, "TAG", "L"), (22, "TCA", "*"), (24, "AGG", "K"), (3, "CTG", "T"),
    ],
)  # fmt: skip
def test_the_codes_where_they_differ(code, codon, amino_acid):
    assert GENETIC_CODES[code][int(codons_of([codon])[0, 0])] == amino_acid


def test_every_code_has_64_codons():
    assert {len(letters) for letters in GENETIC_CODES.values()} == {64}


@pytest.mark.parametrize(
    ("marker", "lineage", "codes"),
    [
        ("COI-5P", {"kingdom": "Animalia", "phylum": "Arthropoda"}, (5,)),
        ("COI-5P", {"kingdom": "Animalia", "phylum": "Chordata", "class": "Aves"}, (2,)),
        ("COI-5P", {"kingdom": "Metazoa", "phylum": "Chordata", "class": "Ascidiacea"}, (13,)),
        ("COI-5P", {"phylum": "Chordata"}, (2, 13)),
        ("COI-5P", {"phylum": "Chordata", "class": "Chordata incertae sedis"}, (2, 13)),
        ("COI-5P", {"phylum": "Chordata", "class": "Tunicata"}, (13,)),
        ("COI-5P", {"phylum": "Chordata", "class": "Teleostei"}, (2,)),
        ("H3", {"phylum": "Ciliophora"}, (6, 1)),
        ("COI-5P", {"phylum": "Ciliophora"}, (4,)),
        ("H3", {"phylum": "Chordata"}, (1,)),
        ("CYTB", {"phylum": "Echinodermata"}, (9,)),
        ("COI", {"phylum": "Platyhelminthes"}, (9, 14)),
        ("COX1", {"phylum": "Cnidaria"}, (4,)),
        ("rbcLa", {"kingdom": "Plantae"}, (11,)),
        ("matK", {}, (11,)),
        ("EF1-alpha", {"kingdom": "Animalia"}, (1,)),
        ("18S", {"kingdom": "Animalia"}, ()),
        ("ITS2", {}, ()),
        ("trnH-psbA", {"kingdom": "Plantae"}, ()),
        (None, {"kingdom": "Animalia"}, ()),
    ],
)
def test_the_code_follows_marker_and_lineage(marker, lineage, codes):
    assert codes_for(marker, lineage) == codes


def test_the_genome_of_a_marker():
    assert genome_of("COI-5P") is Genome.MITOCHONDRION
    assert genome_of("rbcL") is Genome.PLASTID
    assert genome_of("something") is None


def test_stops_by_hand():
    # TTT TAA C, T TTA AC, TT TAA C: one stop in the first and the third frame, none in the second
    assert fewest_stops(["TTTTAAC"], (5,)).tolist() == [[1, 0, 0]]
    assert fewest_stops(["TGATTT"], (1,))[0, 0] == 1
    assert fewest_stops(["TGATTT"], (1, 4))[0, 0] == 0
    assert read_frames(["TTTTAATTTTAG"], (5,), None).stops_N == [()]


def test_sound_genes_have_no_fault(genes, model):
    found = check_barcodes(genes, model, CODES)
    assert not found.reversed_N.any()
    assert not found.off_marker_N.any()
    assert not found.odd_length_N.any()
    assert set(found.reading.frame_N.tolist()) == {1}
    assert set(found.reading.stops_N) == {()}
    assert not any(found.shifts(place) for place in range(len(genes)))


@pytest.mark.parametrize("start", [0, 1, 2, 200])
def test_the_other_strand_is_found_wherever_the_barcode_starts(genes, model, start):
    turned = [reverse_complement(gene[start:]) for gene in genes[:20]]
    found = check_barcodes(turned, model, CODES)
    assert found.reversed_N.all()
    assert set(found.reading.frame_N.tolist()) == {(1 - start) % 3}


@pytest.mark.parametrize("share_turned", [0.1, 0.9])
def test_the_strand_of_a_gene_is_the_open_one_even_where_it_is_rare(genes, share_turned):
    turn = np.random.default_rng(0).random(len(genes)) < share_turned
    mixed = [reverse_complement(g) if t else g for g, t in zip(genes, turn, strict=True)]
    found = check_barcodes(mixed, learn_marker("COI-5P", mixed, CODES), CODES)
    assert found.reversed_N.tolist() == turn.tolist()


def test_without_translation_the_strand_of_the_majority_counts(genes):
    turn = np.arange(len(genes)) % 5 == 0
    mixed = [reverse_complement(g) if t else g for g, t in zip(genes, turn, strict=True)]
    found = check_barcodes(mixed, learn_marker("18S", mixed, ()), ())
    assert found.reversed_N.tolist() == turn.tolist()
    assert found.reading is None


def test_a_stop_codon_is_found_at_its_base(genes, model):
    found = check_barcodes([with_stop(genes[0]), genes[0]], model, CODES)
    assert found.reading.stops_N == [(212,), ()]
    assert not found.shifts(0)


def test_one_code_reads_what_another_stops_at(genes, model):
    gene = genes[0][:211] + "TGA" + genes[0][214:]
    assert check_barcodes([gene], model, (5,)).reading.stops_N == [()]
    assert check_barcodes([gene], model, (1,)).reading.stops_N[0] != ()


@pytest.mark.parametrize("place", [150, 330, 500])
@pytest.mark.parametrize("change", [-2, -1, 1, 2])
def test_a_lost_or_gained_base_shifts_the_frame_there(genes, model, place, change):
    for gene in genes[:5]:
        broken = gene[: place + min(change, 0)] + "A" * max(change, 0) + gene[place:]
        found = check_barcodes([broken], model, CODES)
        assert found.shifts(0)
        assert found.reading.shift_place_N[0] == pytest.approx(place, abs=45)


def test_a_lost_codon_is_no_shift(genes, model):
    assert not check_barcodes([genes[0][:300] + genes[0][303:]], model, CODES).shifts(0)


def test_foreign_bases_are_off_the_marker(genes, model):
    found = check_barcodes([foreign(), genes[0]], model, CODES)
    assert found.off_marker_N.tolist() == [True, False]
    assert found.reversed_N.tolist() == [False, False]


def test_length_and_ambiguity(genes, model):
    found = check_barcodes([genes[0][:300], genes[0] * 2, "ACGN" * 50, genes[0]], model, CODES)
    assert found.odd_length_N.tolist() == [True, True, True, False]
    assert found.ambiguous_N.tolist() == [0, 0, 0.25, 0]


def test_from_few_barcodes_nothing_is_claimed_but_stops(genes):
    few = learn_marker("COI-5P", genes[:5], CODES)
    found = check_barcodes([with_stop(genes[0]), reverse_complement(genes[1])], few, CODES)
    assert few.word_S is None
    assert few.codon_use is None
    assert not found.reversed_N.any()
    assert not found.off_marker_N.any()
    assert found.reading.stops_N[0] == (212,)
    assert learn_codon_use([], CODES) is None
    assert check_barcodes([], few, CODES).reversed_N.tolist() == []


def test_differing_share_by_hand():
    assert differing_share("ACGTACGTAC", "ACGTACGTAC") == 0
    assert differing_share("ACGTACGTAC", "ACGTTCGTAC") == 0.1
    assert differing_share("ACGTRCGTAC", "ACGTACGTAC") == 0
    assert differing_share("ACGTRCGTAC", "ACGTCCGTAC") == 0.1
    assert differing_share("ACGT", "TTACGTTT") == 0


def test_the_nearest_inside_and_outside_of_a_taxon(genes):
    texts = [genes[0], with_stop(genes[0]), genes[1], with_stop(genes[1]), foreign()]
    taxa = np.array([[0, 0], [1, 0], [1, 0], [0, 1], [NONE, NONE]])
    ((_, found),) = nearest(lambda rows: [texts[row] for row in rows], taxa, np.arange(5))
    assert found.inside_NR[:, 0].tolist() == [3, 2, 1, 0, NONE]
    assert found.outside_NR[:, 0].tolist() == [1, 0, 3, 2, NONE]
    assert found.outside_NR[:, 1].tolist() == [3, 3, 3, 2, NONE]
    assert found.outside_likeness_NR[0, 0] > 0.98


def test_references_come_from_every_taxon_first():
    taxa = np.array([[0]] * 6 + [[1]] * 3 + [[2]])
    chosen = choose_references(taxa, most=5)
    assert [int(taxa[row, 0]) for row in chosen] == [0, 0, 1, 1, 2]
    assert choose_references(taxa, most=10).tolist() == list(range(10))
