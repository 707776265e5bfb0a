"""A library of barcodes: what is found, on which strand, how far the next species is; files; refusals."""

import collections
import csv
import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from holotype.errors import CollectionError
from holotype.index.barcodes.absent import absence, features_of, learn_absence
from holotype.index.barcodes.alike import features, most_alike
from holotype.index.barcodes.fairness import fair_distances
from holotype.index.barcodes.frames import frames
from holotype.index.barcodes.identity import overlap_at
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.masks import masks_of, tidy
from holotype.index.barcodes.places import where_alike
from holotype.index.barcodes.rare import rare_words_of, share_rare_words
from holotype.index.barcodes.search import search
from holotype.index.barcodes.storage import load, save
from holotype.index.barcodes.votes import species_by_votes
from holotype.media.strands import reverse_complement
from holotype.randomness import generator
from holotype.simulate.codons import ancestor, constraints, mutate, to_text

BASES = list("ACGT")


def evolved(parent, share, rng):
    letters = np.array(list(parent))
    hit = rng.random(len(letters)) < share
    letters[hit] = rng.choice(BASES, int(hit.sum()))
    return "".join(letters)


@pytest.fixture(scope="module")
def tree():
    """120 species in 30 genera, three haplotypes each: barcodes, species codes."""
    rng = np.random.default_rng(2)
    root = "".join(rng.choice(BASES, 600, p=[0.3, 0.16, 0.16, 0.38]))
    barcodes, species = [], []
    for _ in range(30):
        genus = evolved(root, 0.2, rng)
        for _ in range(4):
            own = evolved(genus, 0.06, rng)
            number = len(species) // 3
            barcodes += [evolved(own, 0.004, rng) for _ in range(3)]
            species += [number] * 3
    return barcodes, np.array(species)


@pytest.fixture(scope="module")
def library(tree):
    return BarcodeLibrary.of(tree[0], species_N=tree[1])


@pytest.fixture(scope="module")
def queries(tree):
    rng = np.random.default_rng(4)
    return [evolved(barcode, 0.003, rng)[20:570] for barcode in tree[0][::3]]


def same(first, second):
    for field in dataclasses.fields(first):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


def test_each_query_finds_its_species_whatever_the_strand(library, tree, queries):
    given = search(library, queries, k=5)
    turned = search(library, [reverse_complement(query) for query in queries], k=5)
    assert (given.species_QK[:, 0] == tree[1][::3]).all()
    assert set(given.strand_Q.tolist()) == {1}
    assert set(turned.strand_Q.tolist()) == {-1}
    same(dataclasses.replace(turned, strand_Q=given.strand_Q), given)


def test_hits_are_in_order_and_gaps_are_to_the_next_species(library, queries):
    hits = search(library, queries, k=8)
    assert (np.diff(hits.distance_QK, axis=1) >= 0).all()
    for query in range(len(queries)):
        own = hits.species_QK[query] == hits.species_QK[query, 0]
        if not own.all():
            first = int(np.flatnonzero(~own)[0])
            assert hits.other_Q[query] == hits.row_QK[query, first]
            gap = hits.identity_QK[query, 0] - hits.identity_QK[query, first]
            assert hits.gap_Q[query] == pytest.approx(gap)
    assert (hits.gap_Q > 1).mean() > 0.9


def test_the_next_species_is_found_behind_any_number_of_own_haplotypes(tree):
    rng = np.random.default_rng(8)
    barcodes, species = tree[0][:6], [0, 0, 0, 1, 1, 1]
    crowd = [evolved(barcodes[0], 0.003, rng) for _ in range(150)]
    crowded = BarcodeLibrary.of([*barcodes, *crowd], species_N=[*species, *[0] * 150])
    hits = search(crowded, [barcodes[0]], k=3)
    plain = search(BarcodeLibrary.of(barcodes, species_N=species), [barcodes[0]], k=3)
    assert hits.other_Q[0] == plain.other_Q[0] >= 3
    assert hits.gap_Q[0] == plain.gap_Q[0] > 0


def test_no_reference_is_nearer_than_the_best_hit(library, tree):
    rng = np.random.default_rng(12)
    queries = [evolved(tree[0][row], 0.1, rng)[:400] for row in range(0, 360, 24)]
    hits = search(library, queries, k=3)
    for query, text in enumerate(queries):
        alone, every = masks_of([text]), np.arange(len(library.sequences))
        places = where_alike(alone, library.seeds, np.zeros_like(every), every)
        nearest = min(
            overlap_at(alone.of(0), library.sequences.of(row), int(places.shift_P[row])).distance
            for row in every.tolist()
        )
        assert hits.distance_QK[query, 0] == pytest.approx(nearest)


def test_threads_and_rounds_change_nothing(library, queries):
    same(search(library, queries, k=4, threads=3), search(library, queries, k=4))
    one_by_one = [search(library, [query], k=4) for query in queries[:7]]
    together = search(library, queries[:7], k=4)
    for query, alone in enumerate(one_by_one):
        np.testing.assert_array_equal(alone.row_QK[0], together.row_QK[query])


def test_equal_references_tie_and_all_species_are_told():
    rng = np.random.default_rng(9)
    shared, near = "".join(rng.choice(BASES, 300)), "".join(rng.choice(BASES, 300))
    hits = search(
        BarcodeLibrary.of(
            [near, shared, shared, shared, shared.lower()], species_N=[9, 4, 7, 7, None]
        ),
        [shared],
        k=5,
    )
    # Most records first, then the row given first; a haplotype is one reference for each species.
    assert hits.row_QK[0].tolist()[:3] == [2, 1, 4]
    assert hits.species_QK[0].tolist()[:3] == [7, 4, -1]
    assert hits.records_QK[0].tolist()[:3] == [2, 1, 1]
    assert hits.identity_QK[0].tolist()[:3] == [100.0] * 3
    assert hits.tied_Q[0] == 2
    assert hits.gap_Q[0] == 0.0
    assert hits.other_Q[0] == 1


def test_a_short_reference_does_not_win_by_luck(tree):
    barcode = tree[0][0]
    near = barcode[:100] + barcode[100].translate(str.maketrans("ACGT", "GTAC")) + barcode[101:]
    hits = search(BarcodeLibrary.of([barcode[200:310], near], species_N=[0, 1]), [barcode], k=2)
    assert hits.species_QK[0].tolist() == [1, 0]
    assert hits.overlap_QK[0].tolist() == [600, 110]
    assert hits.identity_QK[0].tolist() == pytest.approx([100 * 599 / 600, 100.0])


def test_gaps_and_n_of_records_are_no_bases(tree):
    barcode = tree[0][0]
    written = "NN--" + barcode[:50].lower() + "---" + barcode[50:].replace("T", "U") + "nnn"
    library = BarcodeLibrary.of([written, barcode], species_N=[0, 0])
    assert len(library.sequences) == 1
    assert library.references.records_N.tolist() == [2]
    hits = search(library, [barcode[:300] + "N" * 20 + barcode[320:]], k=1)
    assert (hits.identity_QK[0, 0], hits.overlap_QK[0, 0]) == (100.0, 580)


def test_what_is_no_barcode_is_listed_and_costs_no_other(tree):
    barcodes = [tree[0][0], None, "", "NNN", "ACGEEE", tree[0][30], "ACGEEE"]
    library = BarcodeLibrary.of(barcodes, species_N=[0, 1, 2, 3, 4, 5, 6])
    assert [row for row, _ in library.left_out] == [1, 2, 3, 4, 6]
    assert library.left_out[0][1] == "no barcode"
    assert "'E' at base 4" in library.left_out[3][1]
    assert library.references.row_N.tolist() == [0, 5]
    hits = search(library, [None, "ACGT" * 5, "PROTEIN" * 40, tree[0][30], "ACGT" * 100], k=2)
    assert hits.species_QK[:, 0].tolist() == [-1, -1, -1, 5, -1]
    assert hits.failure_Q[0] == "no barcode"
    assert hits.failure_Q[1] == "20 bp; at least 100 bp are compared"
    assert "'P' at base 1" in str(hits.failure_Q[2])
    assert hits.failure_Q[3:] == (None, "no reference overlaps it far enough")
    assert np.isnan(hits.identity_QK[[0, 1, 2, 4]]).all()
    assert hits.strand_Q.tolist() == [0, 0, 0, 1, 0]


def test_empty_libraries_and_no_queries(library):
    empty = BarcodeLibrary.of([])
    hits = search(empty, ["ACGT" * 50], k=3)
    assert hits.row_QK.tolist() == [[-1, -1, -1]]
    assert hits.failure_Q == ("no reference overlaps it far enough",)
    assert search(library, [], k=3).row_QK.shape == (0, 3)
    with pytest.raises(ValueError, match="2 species codes for 1 barcodes"):
        BarcodeLibrary.of(["ACGT"], species_N=[1, 2])


def test_references_on_the_other_strand_are_turned():
    rng = generator(1, "test")
    rule = constraints(rng)
    root = ancestor(rng)
    barcodes = [
        to_text(mutate(root, num_changes=40, constraint_C=rule, rng=rng)) for _ in range(60)
    ]
    given = [reverse_complement(b) if row % 10 == 3 else b for row, b in enumerate(barcodes)]
    library = BarcodeLibrary.of(given)
    assert np.flatnonzero(library.turned_H).tolist() == [3, 13, 23, 33, 43, 53]
    hits = search(library, [barcodes[3], given[3]], k=1)
    assert hits.row_QK[:, 0].tolist() == [3, 3]
    assert hits.strand_Q.tolist() == [1, -1]


def test_frames_are_told_on_the_strand_that_was_found():
    rng = generator(2, "test")
    rule = constraints(rng)
    root = ancestor(rng)
    barcodes = [
        to_text(mutate(root, num_changes=60, constraint_C=rule, rng=rng)) for _ in range(40)
    ]
    library = BarcodeLibrary.of(barcodes[:30])
    queries = [
        barcodes[30],
        barcodes[31][1:],
        barcodes[32][2:],
        reverse_complement(barcodes[33][:-1]),
        "",
    ]
    hits = search(library, queries)
    whole = frames(library, [barcodes[33]], search(library, [barcodes[33]]), codes=[5])[0]
    first = int(frames(library, barcodes[30:31], search(library, barcodes[30:31]), codes=[5])[0])
    found = frames(library, queries, hits, codes=[5]).tolist()
    assert found == [first, (first - 1) % 3, (first - 2) % 3, whole, -1]


def test_saved_and_loaded_it_answers_the_same(tree, queries, tmp_path):
    for many in (10, 10_000):
        library = BarcodeLibrary.of([*tree[0], None], species_N=[*tree[1], 0], many=many)
        save(library, tmp_path / "library")
        loaded = load(tmp_path / "library")
        assert (loaded.rare is None) == (many == 10_000)
        assert loaded.left_out == library.left_out
        same(search(loaded, queries, k=4), search(library, queries, k=4))
    assert not (tmp_path / "library" / "seed.npy").read_bytes().startswith(b"\x80")


def test_damaged_folders_are_told(library, tmp_path):
    save(library, tmp_path)
    with pytest.raises(CollectionError, match=r"no barcode-library\.json here"):
        load(tmp_path / "none")
    np.save(tmp_path / "length.npy", np.zeros(3, np.int64))
    with pytest.raises(CollectionError, match=r"length\.npy: int64 of shape \(3,\) where"):
        load(tmp_path)
    (tmp_path / "length.npy").unlink()
    with pytest.raises(CollectionError, match=r"length\.npy: cannot be read"):
        load(tmp_path)
    manifest = json.loads((tmp_path / "barcode-library.json").read_text())
    manifest["version"] = 99
    (tmp_path / "barcode-library.json").write_text(json.dumps(manifest))
    with pytest.raises(CollectionError, match="version 99"):
        load(tmp_path)


def test_rare_words_find_what_the_scan_finds(tree, library, queries):
    rare = BarcodeLibrary.of(tree[0], species_N=tree[1], many=1)
    assert rare.rare is not None
    assert library.rare is None
    found, scanned = search(rare, queries, k=3), search(library, queries, k=3)
    np.testing.assert_array_equal(found.row_QK[:, 0], scanned.row_QK[:, 0])
    np.testing.assert_array_equal(found.identity_QK[:, 0], scanned.identity_QK[:, 0])


def test_far_queries_are_scanned_for_when_no_rare_word_is_shared(tree):
    rng = np.random.default_rng(3)
    rare = BarcodeLibrary.of(tree[0], species_N=tree[1], many=1)
    # Every fourth base or so differs: hardly a word of twelve is left.
    hits = search(rare, [evolved(tree[0][0], 0.3, rng)], k=1)
    assert hits.identity_QK[0, 0] < 85


def test_rare_words_name_each_reference_once_a_word(library):
    rare = rare_words_of(library.sequences)
    for word in np.flatnonzero(np.diff(rare.start_V))[:200].tolist():
        places = rare.reference_P[rare.start_V[word] : rare.start_V[word + 1]]
        assert (np.diff(places) > 0).all()
    assert share_rare_words(library.sequences.of(17), rare, most=1).tolist() == [17]


def test_absent_species_are_told_from_those_that_are_there(tree):
    barcodes, species = tree
    rng = np.random.default_rng(7)
    kept = np.flatnonzero((species % 4 != 0) & (np.arange(len(species)) % 3 != 2))
    asked = np.flatnonzero(np.arange(len(species)) % 3 == 2)
    library = BarcodeLibrary.of([barcodes[row] for row in kept], species_N=species[kept])
    model = learn_absence(library, seed=0)
    assert model is not None
    assert learn_absence(library, seed=0).weight_F.tolist() == model.weight_F.tolist()
    queries = [*(barcodes[row] for row in asked), "".join(rng.choice(BASES, 500))]
    hits = search(library, queries)
    probability = absence(library, hits, model)
    away = species[asked] % 4 == 0
    assert probability[-1] > 0.99
    nothing = search(library, ["", None])
    assert absence(library, nothing, model).tolist() == [1.0, 1.0]
    assert (probability[:-1][away] > 0.5).mean() > 0.9
    assert (probability[:-1][~away] < 0.5).mean() > 0.9
    assert features_of(library, hits).shape == (len(queries), len(model.weight_F))


def test_absence_is_not_learnt_from_next_to_nothing(tree):
    assert learn_absence(BarcodeLibrary.of(tree[0][:12]), seed=0) is None
    assert learn_absence(BarcodeLibrary.of(tree[0][:12], species_N=tree[1][:12]), seed=0) is None


@pytest.mark.real
def test_real_copepods_find_their_species_whatever_the_strand(real_data):
    with (real_data / "dna/copepods/sequences.tsv").open(newline="", encoding="utf-8") as handle:
        rows = [
            (tidy(row["nucleotides"]), row["species"])
            for row in csv.DictReader(handle, delimiter="\t")
            if row["marker"] == "COI-5P" and row["species"]
        ]
    names = sorted({name for _, name in rows})
    unique = sorted({text: name for text, name in rows if len(text) > 300}.items())
    count = collections.Counter(name for _, name in unique)
    asked = [pair for place, pair in enumerate(unique) if place % 7 == 0 and count[pair[1]] > 3]
    kept = [pair for pair in unique if pair not in set(asked)]
    library = BarcodeLibrary.of([t for t, _ in kept], species_N=[names.index(n) for _, n in kept])
    # About one in twelve of these records lies on the other strand.
    assert 0.02 < library.turned_H.mean() < 0.2
    hits = search(library, [text for text, _ in asked])
    right = hits.species_QK[:, 0] == [names.index(name) for _, name in asked]
    assert right.mean() > 0.96
    assert set(hits.strand_Q.tolist()) == {-1, 1}


def test_what_a_short_reference_lacks_is_charged_as_the_others_have_it(tree):
    """A reference without the variable part is not nearer for that; worked by hand."""
    barcode, turn = tree[0][0], str.maketrans("ACGT", "GTAC")
    near = barcode[:100] + barcode[100:104].translate(turn) + barcode[104:]
    short = barcode[110:300] + barcode[300].translate(turn) + barcode[301:]
    hits = search(BarcodeLibrary.of([short, near], species_N=[0, 1]), [barcode], k=2)
    # 1 difference found and 4 charged against 4: though 1 of 490 is less than 4 of 600.
    assert hits.species_QK[0].tolist() == [1, 0]
    assert hits.distance_QK[0].tolist() == pytest.approx([5 / 602, 6 / 602])
    assert hits.identity_QK[0].tolist() == pytest.approx([100 * 596 / 600, 100 * 489 / 490])


def test_votes_outweigh_one_stray_label(tree):
    barcode, turn = tree[0][0], str.maketrans("ACGT", "GTAC")
    near = [barcode[:p] + barcode[p].translate(turn) + barcode[p + 1 :] for p in range(50, 530, 20)]
    hits = search(BarcodeLibrary.of([barcode, *near], species_N=[9, *[4] * 24]), [barcode], k=20)
    voted = species_by_votes(hits)
    assert hits.species_QK[0, 0] == 9
    assert (voted.taxon_Q.tolist(), voted.place_Q.tolist()) == ([4], [1])
    against = 19 * np.exp(-2.5 * 600 / 602)
    assert voted.share_Q[0] == pytest.approx(against / (1 + against))
    few = species_by_votes(
        search(BarcodeLibrary.of([barcode, *near[:3]], species_N=[9, 4, 4, 4]), [barcode])
    )
    assert few.taxon_Q.tolist() == [9]


def test_hits_without_a_species_do_not_vote(tree):
    library = BarcodeLibrary.of(tree[0][:2], species_N=[None, 3])
    voted = species_by_votes(search(library, [tree[0][0], "", tree[0][1]]))
    assert voted.taxon_Q.tolist() == [3, -1, 3]
    assert voted.place_Q.tolist() == [1, -1, 0]
    assert np.isnan(voted.share_Q[1])
    assert species_by_votes(search(library, [])).taxon_Q.tolist() == []


def changed(barcode, places):
    """The barcode with a transition at each of the places."""
    letters, turn = list(barcode), str.maketrans("ACGT", "GTAC")
    for place in places:
        letters[place] = letters[place].translate(turn)
    return "".join(letters)


def test_far_hits_vote_more_evenly_than_near_ones(tree):
    """A difference more is much beside an equal hit, and chance beside one of fifty: e^-2.5 and e^-0.9."""
    barcode = tree[0][0]
    differing = partial(changed, barcode)

    def voted(best, *others):
        library = BarcodeLibrary.of([best, *others], species_N=[9, *[4] * len(others)])
        return species_by_votes(search(library, [barcode])).taxon_Q.tolist()

    near = [differing([at]) for at in (50, 150, 250)]
    far = [differing([at, *range(0, 600, 12)]) for at in (50, 150, 250)]
    assert voted(barcode, *near) == [9]
    assert voted(differing(range(0, 600, 12)), *far) == [4]


def test_far_from_all_a_species_with_many_haplotypes_leaves_place_for_others(tree):
    """The nearer one differs all over, and so in more words; 60 of the other are more alike by words."""
    barcode = tree[0][0]
    differing = partial(changed, barcode)

    many = [differing([*range(0, 200, 2), 201 + 2 * at]) for at in range(60)]
    nearer = differing(range(0, 600, 10))
    library = BarcodeLibrary.of([*many, nearer], species_N=[*[1] * 60, 2])
    hits = search(library, [barcode])
    assert hits.species_QK[0, :2].tolist() == [2, 1]
    assert hits.identity_QK[0, 0] == pytest.approx(90.0)


def test_bases_that_an_alignment_left_over_are_charged():
    """200 columns at the shift, 80 after alignment: the 120 lost count with the share of all that differ."""
    different_K, compared_K = np.array([40, 50]), np.array([80, 200])
    compared_KL = np.ones((2, 200), np.bool_)
    different_KL = np.zeros((2, 200), np.bool_)
    different_KL[1, :50] = True
    distance_K = fair_distances(
        different_K,
        compared_K,
        different_KL=different_KL,
        compared_KL=compared_KL,
        gapped_K=np.array([True, False]),
    )
    charged = 120 * 90 / 280
    assert distance_K.tolist() == pytest.approx([(40 + charged + 1) / 202, 51 / 202])


@pytest.mark.parametrize(("columns", "most"), [(30, 48), (90, 48), (5000, 48), (1999, 7)])
def test_the_most_alike_are_those_of_a_full_sort(columns, most):
    rng = np.random.default_rng(6)
    count = rng.integers(0, 9, (columns, 256)).astype(np.uint8)
    query = features(rng.integers(0, 9, (5, 256)).astype(np.uint8))
    with ThreadPoolExecutor(2) as pool:
        found = most_alike(query, count, most=most, pool=pool)
    likeness = query @ features(count).T
    wanted = np.sort(likeness, axis=1)[:, ::-1][:, :most]
    ordered = np.sort(np.take_along_axis(likeness, found, axis=1), axis=1)[:, ::-1]
    np.testing.assert_allclose(ordered, wanted, rtol=1e-5)


def test_a_search_is_the_same_whatever_stands_beside_a_query(tree, library):
    """Blocks and rounds: gaps, N, both strands and defects, alone and among others."""
    rng = np.random.default_rng(21)
    asked = []
    for row in range(0, 360, 5):
        text = evolved(tree[0][row], 0.02, rng)
        text = text[:200] + text[200 + row % 4 :]
        asked.append(reverse_complement(text) if row % 2 else text[: 300 + row // 2])
    asked[7] = None
    together = search(library, asked, k=6, threads=2)
    for query in (0, 6, 31, 33, 71):
        alone = search(library, [asked[query]], k=6)
        np.testing.assert_array_equal(alone.row_QK[0], together.row_QK[query])
        np.testing.assert_array_equal(alone.distance_QK[0], together.distance_QK[query])
