"""The DNA tower reads what a sequencer gives: either strand, primers left on, doubtful bases, windows."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from holotype.inputs.dna import (
    BarcodeDamage,
    corrupt_barcodes,
    encode_barcodes,
    reverse_complement,
)
from holotype.media.barcodes import clean_barcode
from holotype.models.barcode_tower import BarcodeTower, on_one_strand

LCO1490, HCO2198 = "GGTCAACAAATCATAAAGATATTGG", "TAAACTTCAGGGTGACCAAAAAATCA"


def relatives(count: int, *, length_bp: int = 400) -> list[str]:
    """Barcodes of one marker: an ancestor with 10 % of its bases changed."""
    rng = np.random.default_rng(0)
    letters = np.array(list("ACGT"))
    ancestor = rng.choice(letters, size=length_bp, p=[0.3, 0.2, 0.1, 0.4])
    changed = rng.random((count, length_bp)) < 0.1
    drawn = letters[rng.integers(0, 4, size=(count, length_bp))]
    return ["".join(np.where(c, d, ancestor)) for c, d in zip(changed, drawn, strict=True)]


RELATIVES = relatives(40)
TAUGHT, NEW = RELATIVES[:30], RELATIVES[30:]


def taught_tower() -> BarcodeTower:
    """A tower that knows the strand and whose every weight is at random: nothing hides behind a zero."""
    tower = BarcodeTower(feature_dim=64, kmer_bp=3, width=16, depth=1)
    tower.learn_from(TAUGHT)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return tower.eval()


TOWER = taught_tower()


@torch.no_grad()
def read(sequences: list[str], tower: BarcodeTower = TOWER, *, at_least: int = 1) -> Tensor:
    features_BD: Tensor = tower(*tower.tokenise(sequences, at_least=at_least))
    return features_BD


def farthest(first_BD: Tensor, second_BD: Tensor) -> float:
    return float((first_BD - second_BD).abs().max())


def test_the_other_strand_has_the_same_features() -> None:
    turned = [reverse_complement(sequence) for sequence in NEW]
    assert farthest(read(NEW), read(turned)) <= 1e-5
    assert farthest(read(NEW), read(turned, at_least=500)) <= 1e-5  # padding does not come first
    untaught = BarcodeTower(feature_dim=64, kmer_bp=3, width=16, depth=1).eval()
    assert farthest(read(NEW, untaught), read(turned, untaught)) > 1e-2


def test_the_strand_is_learnt_alike_when_half_of_the_barcodes_are_turned() -> None:
    mixed = [reverse_complement(s) if i % 2 else s for i, s in enumerate(TAUGHT)]
    tower = BarcodeTower(feature_dim=64, kmer_bp=3, width=16, depth=1).eval()
    tower.learn_from(mixed)
    assert farthest(read(mixed, tower), read([*map(reverse_complement, mixed)], tower)) <= 1e-5
    upright = read(TAUGHT, tower)
    assert farthest(upright, read(mixed, tower)) <= 1e-5


def test_mixed_strands_in_one_batch_are_turned_one_by_one() -> None:
    together = read([NEW[0], reverse_complement(NEW[1])[:250], NEW[2][:90]])
    alone = torch.cat(
        [read([NEW[0]]), read([reverse_complement(NEW[1])[:250]]), read([NEW[2][:90]])]
    )
    assert farthest(together, alone) <= 1e-5


def test_turning_by_hand() -> None:
    base_BL4, mask_BL = map(torch.from_numpy, encode_barcodes(["AAAACCCCR", "AAAACCC"], max_bp=20))
    evidence_S = torch.zeros(4**6)
    evidence_S[0b000000000101] = -1.0  # AAAACC, in two bits a base
    evidence_S[0b000000010101] = 0.5  # AAACCC
    evidence_S[0b000001010101] = 2.0  # AACCCC is in the first alone: -1 + 0.5 + 2 > 0
    found = on_one_strand(base_BL4, mask_BL, evidence_S)
    expected, _ = map(torch.from_numpy, encode_barcodes(["AAAACCCCR", "GGGTTTT"], max_bp=20))
    assert torch.equal(found, expected)


def test_primers_left_on_change_nothing() -> None:
    amplicons = [LCO1490 + sequence + reverse_complement(HCO2198) for sequence in NEW]
    assert farthest(read(NEW), read(amplicons)) <= 1e-5
    assert farthest(read(NEW), read([*map(reverse_complement, amplicons)])) <= 1e-5


def test_lower_case_gaps_and_rna_are_the_same_barcode_once_cleaned() -> None:
    written = [
        "--" + sequence[:100].lower() + "-\n-" + sequence[100:].replace("T", "u")
        for sequence in NEW
    ]
    cleaned = [clean_barcode(text).nucleotides for text in written]
    assert farthest(read(NEW), read(cleaned)) == 0.0


def test_a_lost_base_changes_little_where_tokens_without_overlap_change_all() -> None:
    whole, lost, other = read(NEW), read([s[1:] for s in NEW]), read(NEW[1:] + NEW[:1])
    drift = (whole - lost).norm(dim=1)
    apart = (whole - other).norm(dim=1)
    assert float((drift / apart).max()) < 0.5


def test_soft_bases_by_hand() -> None:
    # R is half an A and half a G; where only bases count, it reads between the two.
    tower = BarcodeTower(feature_dim=64, kmer_bp=1, patch_bp=3, stride_bp=3, width=16, depth=0)
    with torch.no_grad():
        tower.spectrum_projection.weight.zero_()  # k-mers leave a doubtful base out
        tower.transformer_projection.weight.normal_(generator=torch.Generator().manual_seed(0))
    base_BL4, _ = tower.tokenise(["CARTTA", "CAATTA", "CAGTTA"])
    assert base_BL4[0, 2].tolist() == [0.5, 0.0, 0.5, 0.0]
    assert torch.equal(base_BL4[0], (base_BL4[1] + base_BL4[2]) / 2)
    code, first, second = read(["CARTTA", "CAATTA", "CAGTTA"], tower.eval())
    apart = float((first - second).norm())
    assert 0 < float((code - first).norm()) < apart
    assert 0 < float((code - second).norm()) < apart


def test_tokens_are_padded_and_cut_as_asked() -> None:
    tower = BarcodeTower(max_bp=300, feature_dim=64, kmer_bp=3, width=16, depth=1)
    assert tower.longest == 300
    base_BL4, mask_BL = tower.tokenise([NEW[0], NEW[1][:60]], at_least=tower.longest)
    assert base_BL4.shape == (2, 300, 4)
    assert mask_BL.sum(dim=1).tolist() == [300, 60]
    assert tower.tokenise([NEW[1][:60]])[0].shape == (1, 60, 4)
    assert tower.tokenise([], at_least=5)[0].shape == (0, 5, 4)


def test_what_was_learnt_travels_with_the_weights() -> None:
    other = BarcodeTower(feature_dim=64, kmer_bp=3, width=16, depth=1).eval()
    other.load_state_dict(TOWER.state_dict())
    assert torch.equal(read(NEW, other), read(NEW))
    again = BarcodeTower(feature_dim=64, kmer_bp=3, width=16, depth=1)
    again.learn_from(TAUGHT)
    assert torch.equal(again.strand_evidence_S, TOWER.strand_evidence_S)
    assert not again.strand_evidence_S.requires_grad


@pytest.mark.parametrize("barcodes", [[], ["ACG"], ["N" * 50]])
def test_a_tower_may_learn_from_next_to_nothing(barcodes: list[str]) -> None:
    tower = BarcodeTower(feature_dim=64, kmer_bp=3, width=16, depth=1).eval()
    before = read(NEW, tower)
    tower.learn_from(barcodes)
    assert torch.equal(read(NEW, tower), before)


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet="ACGTRYSWKMBDHVN", max_size=120), st.integers(0, 60))
def test_any_read_and_its_other_strand_agree(text: str, padding: int) -> None:
    features = read([text, reverse_complement(text)], at_least=padding + 1)
    assert torch.isfinite(features).all()
    base_BL4, mask_BL = map(torch.from_numpy, encode_barcodes([text], max_bp=120))
    turned = on_one_strand(base_BL4, mask_BL, TOWER.strand_evidence_S)
    back = on_one_strand(turned, mask_BL, TOWER.strand_evidence_S)
    assert torch.equal(turned, back)  # what stands on the common strand is not turned again
    if not torch.equal(turned, base_BL4):
        assert farthest(features[:1], features[1:]) <= 1e-5


@pytest.mark.real
def test_damaged_real_copepods_are_still_their_own_nearest(real_data: Path) -> None:
    with (real_data / "dna/copepods/sequences.tsv").open() as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["marker"] == "COI-5P"]
    barcodes = sorted({clean_barcode(row["nucleotides"]).nucleotides for row in rows})[::4]
    tower = BarcodeTower(feature_dim=256, kmer_bp=4, width=16, depth=1).eval()
    tower.learn_from(barcodes)
    keys = torch.nn.functional.normalize(read(barcodes, tower), dim=1)
    damage = BarcodeDamage(
        trim_bp=10, window_probability=0, reverse_probability=0.5, primer_probability=0.5
    )
    damaged = corrupt_barcodes(barcodes, damage=damage, generator=np.random.default_rng(0))
    queries = torch.nn.functional.normalize(read(damaged, tower), dim=1)
    best = (queries @ keys.T).argmax(dim=1)
    # Before any training; haplotypes that differ by one base may be mistaken for each other.
    right = torch.diagonal(queries @ keys.T) > (queries @ keys.T).max(dim=1).values - 0.02
    assert float((best == torch.arange(len(best))).float().mean()) > 0.6
    assert float(right.float().mean()) > 0.97
