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
from holotype.inputs.dna import encode_barcodes

_CERTAIN = 0.999
_TINY = 1e-12


class BarcodeTower(nn.Module):
    """Features of DNA barcodes from a k-mer spectrum and a transformer over nucleotide patches.

    The spectrum is the square root of the k-mer counts at length one (Hellinger), weighted per
    k-mer and projected; windows with an ambiguous base are not counted. The transformer reads
    overlapping patches of soft bases with rotary (relative) positions and is averaged over the
    patches, so that a shift of the read changes little. Its last layer starts at zero.

    Reference:
        Blaisdell, 1986, "A measure of the similarity of sets of sequences not requiring sequence
        alignment", doi:10.1073/pnas.83.14.5155 (k-mer counts compared without alignment).
        Rao, 1995, "A review of canonical coordinates and an alternative to correspondence
        analysis using Hellinger distance", Questiio 19 (square root of the profile).
        Arias et al., 2023, "BarcodeBERT", arXiv:2311.02401 (transformer on COI barcodes).
        Su et al., 2021, "RoFormer", arXiv:2104.09864 (rotary positions).
    Deviations: no k-mer tokens in the transformer, whose vocabulary one lost base shifts or one N
    empties, but convolutional patches over soft bases; the spectrum as a residual path beside the
    transformer; no masked pre-training.

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
            patch_bp: Bases of one patch; at least `stride_bp`.
            stride_bp: Bases between the starts of two patches; a multiple of 3 keeps the codon
                position of all patches equal.
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

        num_kmers = 4**kmer_bp
        self.kmer_weight_S = nn.Parameter(torch.ones(num_kmers))
        self.spectrum_projection = nn.Linear(num_kmers, feature_dim)
        self.patches = nn.Conv1d(4, width, kernel_size=patch_bp, stride=stride_bp)
        self.blocks = nn.ModuleList(_Block(width, num_heads, dropout) for _ in range(depth))
        self.final_norm = nn.LayerNorm(width)
        self.transformer_projection = nn.Linear(width, feature_dim)
        self._initialise(seed)

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Soft bases (B, L, 4) float32 and their mask (B, L) bool, L at least as said."""
        base_BL4, mask_BL = encode_barcodes(texts, max_bp=self.longest, pad_to_bp=at_least)
        return torch.from_numpy(base_BL4), torch.from_numpy(mask_BL)

    def forward(self, base_BL4: Tensor, mask_BL: Tensor) -> Tensor:
        """Features, (B, D) float32, not normalised; compare them by cosine.

        Args:
            base_BL4: (B, L, 4) float32 probabilities of A, C, G and T: one-hot for a certain
                base, equal shares for an ambiguity code.
            mask_BL: (B, L) bool, True on bases; padding is on the right.

        Padding does not change a record's features. A record without one certain k-mer, or
        without any base, gets finite features too.
        """
        base_BL4 = base_BL4 * mask_BL.unsqueeze(-1)
        spectrum_BS = kmer_spectrum(base_BL4, kmer_bp=self._kmer_bp)
        # Near neighbours differ in the third decimal of the cosine: bfloat16 would lose them.
        with torch.autocast(base_BL4.device.type, enabled=False):
            features_BD: Tensor = self.spectrum_projection(spectrum_BS * self.kmer_weight_S)
        return features_BD + self._read_patches(base_BL4, mask_BL).to(features_BD.dtype)

    def _read_patches(self, base_BL4: Tensor, mask_BL: Tensor) -> Tensor:
        """The transformer's share of the features, (B, D): zeros before training."""
        # A patch belongs to the record in which it starts; bases past the end are zeros. So the
        # number of patches of a record depends on its own length alone.
        overhang_bp = self._patch_bp - 1
        base_B4L = functional.pad(base_BL4.transpose(1, 2), (0, overhang_bp))
        x_BTE = self.patches(base_B4L).transpose(1, 2)
        mask_BT = mask_BL[:, :: self._stride_bp]
        # A record without any base attends to one empty patch, as softmax needs a target.
        is_empty_B1 = ~mask_BT.any(dim=1, keepdim=True)
        mask_BT = torch.cat([mask_BT[:, :1] | is_empty_B1, mask_BT[:, 1:]], dim=1)
        for block in self.blocks:
            x_BTE = block(x_BTE, mask_BT)
        weight_BT1 = mask_BT.unsqueeze(-1).to(x_BTE.dtype)
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
    num_records, num_bases = base_BL4.shape[:2]
    num_kmers = 4**kmer_bp
    count_BS = torch.zeros(num_records, num_kmers, device=base_BL4.device)
    if num_bases < kmer_bp:
        return count_BS
    certainty_BL, letter_BL = base_BL4.max(dim=-1)
    # Windows as (B, L - k + 1, K) views; the first base is the most significant digit.
    letter_BLK = letter_BL.unfold(1, kmer_bp, 1)
    is_certain_BL = (certainty_BL > _CERTAIN).unfold(1, kmer_bp, 1).all(dim=-1)
    digit_K = 4 ** torch.arange(kmer_bp - 1, -1, -1, device=base_BL4.device)
    index_BL = (letter_BLK * digit_K).sum(dim=-1)
    count_BS.scatter_add_(1, index_BL, is_certain_BL.to(count_BS.dtype))
    total_B1 = count_BS.sum(dim=1, keepdim=True)
    return (count_BS / total_B1.clamp_min(_TINY)).sqrt()


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
