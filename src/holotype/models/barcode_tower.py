"""DNA barcodes to features: a small transformer that refines a k-mer spectrum.

Two paths read the same bases. The spectrum path counts k-mers and projects them near-orthogonally,
so that the untrained tower already ranks barcodes as a nearest neighbour by k-mers does. The
transformer path starts with a weight of zero, so that training can only refine that ranking.
Not here: letters to bases (`holotype.inputs.dna`), the shared space, losses.

Shape legend: B records, L bases, T patches, D feature width, E transformer width, H attention
heads, C width of one head, S = 4**k distinct k-mers, K bases of one k-mer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from holotype.errors import RecipeError
from holotype.inputs.dna import WORD_BP, encode_barcodes, learn_strand
from holotype.media.primers import without_primers

_CERTAIN = 0.999
_TINY = 1e-12


class BarcodeTower(nn.Module):
    """Features of DNA barcodes from a k-mer spectrum and a transformer over motifs of soft bases.

    Primers at the ends are taken off, and the read is turned to the strand that most barcodes of
    the training part are on (`learn_from`). The spectrum is the square root of the k-mer counts at
    length one (Hellinger), weighted per k-mer and projected; windows with an ambiguous base are
    not counted. The transformer reads motifs that are looked for at every base and averaged over
    patches of some bases, with rotary (relative) positions, and is averaged over the patches:
    neither path knows a reading frame. Its last layer starts at zero.

    Reference:
        Blaisdell, 1986, "A measure of the similarity of sets of sequences not requiring sequence
        alignment", doi:10.1073/pnas.83.14.5155 (k-mer counts compared without alignment).
        Rao, 1995, "A review of canonical coordinates and an alternative to correspondence
        analysis using Hellinger distance", Questiio 19 (square root of the profile).
        Arias et al., 2023, "BarcodeBERT", arXiv:2311.02401 (transformer on COI barcodes).
        Su et al., 2021, "RoFormer", arXiv:2104.09864 (rotary positions).
    Deviations: no k-mer tokens in the transformer, whose frame one lost base shifts and whose
    vocabulary one N empties, but convolutions over soft bases; strand and primers found; the
    spectrum as a residual path beside the transformer; no masked pre-training.

    Attributes:
        feature_dim: Width D of the features.
        longest: Bases that are read of one barcode at most.
    """

    def __init__(
        self,
        *,
        max_bp: int = 700,
        feature_dim: int = 1024,
        kmer_bp: int = 5,
        patch_bp: int = 15,
        stride_bp: int = 9,
        width: int = 96,
        depth: int = 2,
        num_heads: int = 4,
        dropout: float = 0.1,
        seed: int = 0,
    ) -> None:
        """Build the tower; equal arguments give equal weights, whatever the global generator.

        Args:
            max_bp: Longer barcodes are cut at their end.
            feature_dim: Width D of the features. At 4**kmer_bp the untrained projection is a
                rotation and loses nothing; at half of it distances carry an error of some 4 %.
            kmer_bp: Bases of one counted k-mer, in [1, 7].
            patch_bp: Bases of one motif, read at every base; at least `stride_bp`.
            stride_bp: Bases whose motifs are averaged into one patch.
            width: Width E of the transformer; a multiple of twice `num_heads`.
            depth: Transformer blocks; 0 leaves a bag of patches.
            num_heads: Attention heads H.
            dropout: Probability of dropping a unit in the transformer while training.
            seed: Seed of the initial weights.

        Raises:
            RecipeError: If a number is outside what is said above.
        """
        super().__init__()
        if not 1 <= kmer_bp <= 7:
            raise RecipeError(f"kmer_bp is {kmer_bp}; must be in [1, 7].")
        if not 1 <= stride_bp <= patch_bp:
            raise RecipeError(f"stride_bp is {stride_bp}; must be in [1, patch_bp = {patch_bp}].")
        if width % (2 * num_heads):
            raise RecipeError(f"width is {width}; must be a multiple of 2 * {num_heads} heads.")
        self.feature_dim = feature_dim
        self.longest = max_bp
        self._kmer_bp = kmer_bp
        self._patch_bp = patch_bp
        self._stride_bp = stride_bp

        self.strand_evidence_S: Tensor
        self.register_buffer("strand_evidence_S", torch.zeros(4**WORD_BP))
        num_kmers = 4**kmer_bp
        self.kmer_weight_S = nn.Parameter(torch.ones(num_kmers))
        self.spectrum_projection = nn.Linear(num_kmers, feature_dim)
        self.motifs = nn.Conv1d(4, width, kernel_size=patch_bp)
        self.blocks = nn.ModuleList(_Block(width, num_heads, dropout) for _ in range(depth))
        self.final_norm = nn.LayerNorm(width)
        self.transformer_projection = nn.Linear(width, feature_dim)
        self._initialise(seed)

    def learn_from(self, sequences: Sequence[str]) -> None:
        """Learn the strand of barcodes from those of the training part, before training.

        What is learnt is a buffer, so it is kept with the weights; the same barcodes give the same.
        Before this, and after it with no barcodes, the strand is taken as it comes.
        """
        inside = [without_primers(sequence) for sequence in sequences]
        self.strand_evidence_S.copy_(torch.from_numpy(learn_strand(inside)))

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, Tensor]:
        """Soft bases (B, L, 4) float32 and their mask (B, L) bool, without primers at the ends.

        Args:
            texts: Cleaned barcodes (`holotype.media.barcodes`); longer ones than `longest` are cut
                at their end.
            at_least: Least L; `longest` makes the shape the same whatever the barcodes.
        """
        reads = [without_primers(text) for text in texts]
        base_BL4, mask_BL = encode_barcodes(reads, max_bp=self.longest, pad_to_bp=at_least)
        return torch.from_numpy(base_BL4), torch.from_numpy(mask_BL)

    def forward(self, base_BL4: Tensor, mask_BL: Tensor) -> Tensor:
        """Features, (B, D) float32, not normalised; compare them by cosine.

        Args:
            base_BL4: (B, L, 4) float32 probabilities of A, C, G and T: one-hot for a certain
                base, equal shares for an ambiguity code.
            mask_BL: (B, L) bool, True on bases; padding is on the right.

        A barcode and its reverse complement have the same features, once `learn_from` has found what
        strand is the common one. Padding does not change a record's features. A record without one
        certain k-mer, or without any base, gets finite features too.
        """
        base_BL4 = base_BL4 * mask_BL.unsqueeze(-1)
        base_BL4 = on_one_strand(base_BL4, mask_BL, self.strand_evidence_S)
        spectrum_BS = kmer_spectrum(base_BL4, kmer_bp=self._kmer_bp)
        # Near neighbours differ in the third decimal of the cosine: bfloat16 would lose them.
        with torch.autocast(base_BL4.device.type, enabled=False):
            features_BD: Tensor = self.spectrum_projection(spectrum_BS * self.kmer_weight_S)
        return features_BD + self._read_patches(base_BL4, mask_BL).to(features_BD.dtype)

    def _read_patches(self, base_BL4: Tensor, mask_BL: Tensor) -> Tensor:
        """The transformer's share of the features, (B, D): zeros before training."""
        # Motifs are read at every base, then averaged over the bases of a patch: a base lost before it
        # moves a patch by one base and changes a ninth of it, where a stride would change all of it.
        # A motif belongs to the record in which it starts; bases past the end are zeros.
        stride_bp, overhang_bp = self._stride_bp, self._patch_bp - 1
        rest_bp = -mask_BL.shape[1] % stride_bp
        base_B4L = functional.pad(base_BL4.transpose(1, 2), (0, overhang_bp))
        motif_BEL = functional.gelu(self.motifs(base_B4L)) * mask_BL.unsqueeze(1)
        shape_BET = (*motif_BEL.shape[:2], -1, stride_bp)
        sum_BET = functional.pad(motif_BEL, (0, rest_bp)).view(shape_BET).sum(-1)
        count_BT = functional.pad(mask_BL, (0, rest_bp)).view(len(mask_BL), -1, stride_bp).sum(-1)
        x_BTE = (sum_BET / count_BT.clamp_min(1).unsqueeze(1)).transpose(1, 2)
        # A record without any base attends to one empty patch, as softmax needs a target.
        count_BT[:, 0] += (count_BT.sum(dim=1) == 0).to(count_BT.dtype)
        for block in self.blocks:
            x_BTE = block(x_BTE, count_BT > 0)
        weight_BT1 = count_BT.unsqueeze(-1).to(x_BTE.dtype)
        pooled_BE = (self.final_norm(x_BTE) * weight_BT1).sum(dim=1) / weight_BT1.sum(dim=1)
        share_BD: Tensor = self.transformer_projection(pooled_BE)
        return share_BD

    @torch.no_grad()
    def _initialise(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv1d):
                std = (module.weight[0].numel()) ** -0.5
                nn.init.trunc_normal_(module.weight, std=std, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.orthogonal_(self.spectrum_projection.weight, generator=generator)
        nn.init.zeros_(self.transformer_projection.weight)


def kmer_spectrum(base_BL4: Tensor, *, kmer_bp: int) -> Tensor:
    """Square roots of k-mer counts, each row of length one, (B, 4**k) float32.

    Columns are in lexicographic order of the k-mers (A < C < G < T). Windows that hold an
    ambiguous base or padding are left out; a row without any window is zeros.

    Args:
        base_BL4: (B, L, 4) float32 probabilities of A, C, G and T, zeros on padding.
        kmer_bp: Bases of one k-mer.

    Reference: Rao, 1995, see `BarcodeTower`.
    """
    count_BS = torch.zeros(len(base_BL4), 4**kmer_bp, device=base_BL4.device)
    if base_BL4.shape[1] < kmer_bp:
        return count_BS
    index_BL, is_certain_BL = _words(base_BL4, kmer_bp)
    count_BS.scatter_add_(1, index_BL, is_certain_BL.to(count_BS.dtype))
    total_B1 = count_BS.sum(dim=1, keepdim=True)
    return (count_BS / total_B1.clamp_min(_TINY)).sqrt()


def on_one_strand(base_BL4: Tensor, mask_BL: Tensor, evidence_S: Tensor) -> Tensor:
    """The bases, each record turned to its reverse complement where its words say so, (B, L, 4).

    Args:
        base_BL4: (B, L, 4) float32 probabilities of A, C, G and T, zeros on padding.
        mask_BL: (B, L) bool, True on bases; padding is on the right.
        evidence_S: (4**6,) float32, of `holotype.inputs.dna.learn_strand`; with zeros nothing turns.
    """
    num_bases = base_BL4.shape[1]
    if num_bases < WORD_BP:
        return base_BL4
    index_BL, is_certain_BL = _words(base_BL4, WORD_BP)
    evidence_B = (evidence_S[index_BL] * is_certain_BL).sum(dim=1)
    # A turned record's last base comes first, and its padding stays on the right.
    place_L = torch.arange(num_bases, device=base_BL4.device)
    from_BL = torch.where(mask_BL, mask_BL.sum(dim=1, keepdim=True) - 1 - place_L, place_L)
    turned_BL4 = base_BL4.gather(1, from_BL.unsqueeze(-1).expand_as(base_BL4)).flip(-1)
    return torch.where((evidence_B < 0)[:, None, None], turned_BL4, base_BL4)


def _words(base_BL4: Tensor, word_bp: int) -> tuple[Tensor, Tensor]:
    """The number of the word that starts at each base, and whether its bases are certain, (B, L - k + 1)."""
    certainty_BL, letter_BL = base_BL4.max(dim=-1)
    num_words = letter_BL.shape[1] - word_bp + 1
    index_BL = torch.zeros_like(letter_BL[:, :num_words])
    is_certain_BL = torch.ones_like(index_BL, dtype=torch.bool)
    for offset in range(word_bp):  # the first base is the most significant digit
        index_BL = index_BL * 4 + letter_BL[:, offset : offset + num_words]
        is_certain_BL &= certainty_BL[:, offset : offset + num_words] > _CERTAIN
    return index_BL, is_certain_BL


class _Block(nn.Module):
    """One pre-norm transformer block with rotary positions."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self._num_heads = num_heads
        self._dropout = dropout
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.mlp_out = nn.Linear(4 * width, width)

    def forward(self, x_BTE: Tensor, mask_BT: Tensor) -> Tensor:
        x_BTE = x_BTE + self._drop(self._attend(self.attention_norm(x_BTE), mask_BT))
        hidden = functional.gelu(self.mlp_in(self.mlp_norm(x_BTE)))
        return x_BTE + self._drop(self.mlp_out(hidden))

    def _attend(self, x_BTE: Tensor, mask_BT: Tensor) -> Tensor:
        num_records, num_patches, width = x_BTE.shape
        qkv = self.query_key_value(x_BTE).view(
            num_records, num_patches, 3, self._num_heads, width // self._num_heads
        )
        query_BHTC, key_BHTC, value_BHTC = qkv.permute(2, 0, 3, 1, 4)
        out_BHTC = functional.scaled_dot_product_attention(
            rotate_by_position(query_BHTC),
            rotate_by_position(key_BHTC),
            value_BHTC,
            attn_mask=mask_BT[:, None, None, :],
        )
        out_BTE: Tensor = self.attention_out(out_BHTC.transpose(1, 2).flatten(2))
        return out_BTE

    def _drop(self, x_BTE: Tensor) -> Tensor:
        return functional.dropout(x_BTE, self._dropout, self.training)


def rotate_by_position(x_BHTC: Tensor) -> Tensor:
    """The vectors turned by their position, so that products depend on distances alone.

    Args:
        x_BHTC: (B, H, T, C) queries or keys, C even; any float dtype, kept.

    Reference: Su et al., 2021, "RoFormer", arXiv:2104.09864, with halves instead of
    neighbouring pairs.
    """
    num_patches, half = x_BHTC.shape[2], x_BHTC.shape[3] // 2
    device = x_BHTC.device
    frequency = 10_000.0 ** (-torch.arange(half, device=device, dtype=torch.float32) / half)
    angle = torch.arange(num_patches, device=device, dtype=torch.float32)[:, None] * frequency
    cos, sin = angle.cos().to(x_BHTC.dtype), angle.sin().to(x_BHTC.dtype)
    first, second = x_BHTC[..., :half], x_BHTC[..., half:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
