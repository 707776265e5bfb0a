"""BarcodeBERT: a BERT over k-mers of a barcode, from published weights or from nothing.

Shapes: B barcodes, T tokens, D features.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from holotype.errors import RecipeError
from holotype.models.pretrained.bert import bert_config, built_bert, fill_bert, masked_mean
from holotype.models.pretrained.checkpoints import Checkpoint, read_checkpoint
from holotype.models.pretrained.kmers import (
    BARCODEBERT_SPECIALS,
    PUBLISHED_BP,
    KmerTokens,
    tokens_for,
)
from holotype.models.pretrained.own_bundle import bundled_tower
from holotype.models.pretrained.places import place_of, weights_in
from holotype.models.settings import BarcodeSettings, Modality
from holotype.progress import note

_FIRST_VERSION = {"num_hidden_layers": 12, "num_attention_heads": 12, "hidden_size": 768}
"""Of checkpoints that say nothing of themselves: the size of BERT-base, which the first version had."""


class BarcodeBertTower(nn.Module):
    """BarcodeBERT; the mean over the last layer's tokens, those of padding left out, is the feature.

    Reference: Millan Arias et al. 2023, arXiv 2311.02401; its evaluation averages so.
    Deviation: a barcode shorter than one k-mer gives zeros, not NaN.

    Attributes:
        feature_dim: D, the width of the last layer.
        longest: tokens of a barcode.
        layout: the configuration, as JSON.
    """

    def __init__(self, settings: BarcodeSettings) -> None:
        super().__init__()
        checkpoint: Checkpoint | None = None
        if settings.layout is not None:
            config = json.loads(settings.layout)
        elif settings.weights is None:
            note("barcodes: no weights named, so the tower barcodebert starts at random")
            config = _own_config(settings)
        else:
            place = place_of(settings.weights, key="barcodes.weights")
            checkpoint, config, max_bp = _trained(place)
            if settings.max_bp != max_bp:
                raise RecipeError(
                    f"barcodes.max_bp is {settings.max_bp}; the weights of {place} read {max_bp} bases. Set "
                    f"max_bp = {max_bp}."
                )
        self.tokens = tokens_for(config["vocab_size"], max_bp=settings.max_bp, where="barcodes")
        if self.tokens.length > config["max_position_embeddings"]:
            raise RecipeError(
                f"barcodes.max_bp = {settings.max_bp} makes {self.tokens.length} tokens; there are places "
                f"for {config['max_position_embeddings']}. Set a smaller max_bp."
            )
        self.layout = json.dumps(config)
        self.model = built_bert(config)
        if checkpoint is not None:
            fill_bert(self.model, checkpoint.tensors, where=str(checkpoint.path))
        self.feature_dim = int(config["hidden_size"])
        self.longest = self.tokens.length

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Returns ids and mask, int64 (B, T) each; T is always ``longest``, as published."""
        ids_BT, mask_BT = self.tokens.tokenise(texts)
        return torch.from_numpy(ids_BT), torch.from_numpy(mask_BT)

    def forward(
        self, token_BT: Tensor, mask_BT: Tensor, wanted_BT: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Returns features, float32 (B, D); with ``wanted_BT`` (bool) also those tokens' states, (M, D)."""
        read_BTD = self.model(input_ids=token_BT, attention_mask=mask_BT).last_hidden_state
        mean_BD = masked_mean(read_BTD, mask_BT)
        return mean_BD if wanted_BT is None else (mean_BD, read_BTD[wanted_BT])


def _trained(place: Path) -> tuple[Checkpoint, dict[str, Any], int]:
    """Returns weights, configuration and bases read: of a bundle of ours, or as published."""
    own = bundled_tower(place, Modality.BARCODE, tower="barcodebert")
    if own is None:
        checkpoint = read_checkpoint(weights_in(place))
        return (
            checkpoint,
            _published_config(checkpoint, place_config(place, checkpoint)),
            PUBLISHED_BP,
        )
    checkpoint = Checkpoint(own.checkpoint.path, own.checkpoint.part("model."), {})
    return checkpoint, json.loads(own.settings["layout"]), int(own.settings["max_bp"])


def place_config(place: Any, checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what is said of the configuration, or that of the first version where nothing is."""
    if "bert.encoder.layer.11.output.dense.weight" in checkpoint.tensors:
        from holotype.models.pretrained.places import beside

        if beside(place, "config.json") is None and "bert_config" not in checkpoint.others:
            return dict(_FIRST_VERSION)
    return bert_config(place, checkpoint, key="barcodes.weights")


def _published_config(checkpoint: Checkpoint, said: dict[str, Any]) -> dict[str, Any]:
    """Returns the configuration with the sizes that only the tensors tell."""
    words = checkpoint.tensors.get("bert.embeddings.word_embeddings.weight")
    places = checkpoint.tensors.get("bert.embeddings.position_embeddings.weight")
    if words is None or places is None:
        raise RecipeError(
            f"{checkpoint.path}: no 'bert.embeddings.*', so this is not a BarcodeBERT. Check the file."
        )
    return {**said, "vocab_size": words.shape[0], "max_position_embeddings": places.shape[0]}


def _own_config(settings: BarcodeSettings) -> dict[str, Any]:
    tokens = KmerTokens(settings.kmer_bp, BARCODEBERT_SPECIALS, settings.max_bp)
    heads = settings.heads or next(
        h for h in (12, 8, 4, 2, 1) if settings.width % h == 0 and settings.width // h >= 8
    )
    return {
        "vocab_size": tokens.vocabulary,
        "hidden_size": settings.width,
        "num_hidden_layers": max(1, settings.depth),
        "num_attention_heads": heads,
        "intermediate_size": 4 * settings.width,
        "max_position_embeddings": max(512, tokens.length),
    }
