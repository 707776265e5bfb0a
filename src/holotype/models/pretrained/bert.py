"""BERT as transformers builds it: its configuration, its weights, its word pieces.

Shapes: B texts, T tokens, D features.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from holotype.errors import RecipeError
from holotype.models.pretrained.checkpoints import (
    Checkpoint,
    load_exactly,
    read_checkpoint,
    read_json,
)
from holotype.models.pretrained.places import beside, place_of, weights_in
from holotype.models.settings import CaptionSettings

CONFIGURATION, VOCABULARY = "config.json", "vocab.txt"
HEAD_WIDTH = 64
"""Width of an attention head in every published size of BERT (Turc et al. 2019, arXiv 1908.08962)."""
_KEPT = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
    "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings",
    "type_vocab_size", "layer_norm_eps", "pad_token_id",
)  # fmt: skip
_OLD_NAMES = {".LayerNorm.gamma": ".LayerNorm.weight", ".LayerNorm.beta": ".LayerNorm.bias"}
_UNUSED = ("pooler.", "cls.", "classifier.", "embeddings.position_ids", "embeddings.token_type_ids")


class BertCaptionTower(nn.Module):
    """A BERT for captions; the mean over its last layer's tokens, padding left out, is the feature.

    Reference: Devlin et al. 2019, arXiv 1810.04805; Turc et al. 2019, arXiv 1908.08962 (BERT-small).

    Attributes:
        feature_dim: D, the width of the last layer.
        longest: word pieces of a caption, the two at its ends among them; longer ones are cut.
        layout: configuration and vocabulary, as JSON.
    """

    def __init__(self, settings: CaptionSettings) -> None:
        super().__init__()
        checkpoint: Checkpoint | None = None
        if settings.layout is not None:
            described = json.loads(settings.layout)
        elif settings.weights is None:
            raise RecipeError(
                "captions.tower = bert needs captions.weights: a folder with config.json, vocab.txt and the "
                "weights, hf-hub:ORG/NAME or published:NAME. For a tower from nothing take tower = ngrams."
            )
        else:
            place = place_of(settings.weights, key="captions.weights")
            checkpoint = read_checkpoint(weights_in(place))
            described = {
                "config": bert_config(place, checkpoint, key="captions.weights"),
                **read_vocabulary(settings, place),
            }
        self.layout = json.dumps(described)
        self.model = built_bert(described["config"])
        if checkpoint is not None:
            fill_bert(self.model, checkpoint.tensors, where=str(checkpoint.path))
        self.feature_dim = int(described["config"]["hidden_size"])
        self.longest = min(settings.max_tokens, described["config"]["max_position_embeddings"])
        self._pieces = word_pieces(described)

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Returns ids and mask, int64 (B, T) each, T the longest text's and at least as said."""
        return tokenised(self._pieces, texts, longest=self.longest, at_least=at_least)[:2]

    def forward(self, token_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """Returns features, float32 (B, D)."""
        read_BTD = self.model(input_ids=token_BT, attention_mask=mask_BT).last_hidden_state
        return masked_mean(read_BTD, mask_BT)


def masked_mean(read_BTD: Tensor, mask_BT: Tensor) -> Tensor:
    """Returns the mean over the tokens of each text; zeros for a text without tokens."""
    weight_BT1 = mask_BT.unsqueeze(2).to(read_BTD.dtype)
    mean_BD: Tensor = (read_BTD * weight_BT1).sum(dim=1) / weight_BT1.sum(dim=1).clamp(min=1)
    return mean_BD


def built_bert(config: Mapping[str, Any]) -> nn.Module:
    """Returns a BERT without pooler at random, of the given configuration."""
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(**config), add_pooling_layer=False)


def bert_config(place: Path, checkpoint: Checkpoint, *, key: str) -> dict[str, Any]:
    """Returns the configuration of a BERT: from ``config.json`` beside it, or inside its file.

    Raises:
        RecipeError: when there is none; the number of attention heads cannot be seen in weights.
    """
    found = beside(place, CONFIGURATION)
    said = read_json(found) if found is not None else checkpoint.others.get("bert_config")
    if said is None:
        raise RecipeError(
            f"{key}: {place} has no config.json, and its weights do not tell the number of attention heads. "
            "Put the published config.json beside it."
        )
    return {name: said[name] for name in _KEPT if name in said}


def config_of_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Returns the configuration that the shapes of a BERT tell, with heads of the published width."""
    words, positions = (
        tensors[f"embeddings.{kind}_embeddings.weight"].shape for kind in ("word", "position")
    )
    layers = {name.split(".")[2] for name in tensors if name.startswith("encoder.layer.")}
    inner = tensors["encoder.layer.0.intermediate.dense.weight"].shape[0]
    return {
        "vocab_size": words[0],
        "hidden_size": words[1],
        "num_hidden_layers": len(layers),
        "num_attention_heads": max(1, words[1] // HEAD_WIDTH),
        "intermediate_size": inner,
        "max_position_embeddings": positions[0],
    }


def fill_bert(model: nn.Module, tensors: Mapping[str, Tensor], *, where: str) -> None:
    """Loads a published BERT, with or without its heads; every layer must be there.

    Raises:
        RecipeError: names what is missing or left over.
    """
    load_exactly(model, bert_names(tensors), where=where, ignored=_UNUSED)


def bert_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns tensors by the names of a bare BERT: without ``bert.``, with today's names of norms."""
    found = {}
    for name, value in tensors.items():
        bare = name.removeprefix("bert.")
        for old, new in _OLD_NAMES.items():
            if bare.endswith(old):
                bare = bare.removesuffix(old) + new
        found[bare] = value
    return found


def read_vocabulary(settings: CaptionSettings, place: Path) -> dict[str, Any]:
    """Returns the word pieces, in the order of their ids, and whether texts are lowered first.

    Raises:
        RecipeError: when there is no ``vocab.txt``.
    """
    root = (
        place_of(settings.vocabulary, key="captions.vocabulary") if settings.vocabulary else place
    )
    found = root if root.is_file() and root.suffix == ".txt" else beside(root, VOCABULARY)
    if found is None:
        raise RecipeError(
            f"captions: no {VOCABULARY} beside {root}. Put the published one there, or name it with "
            "captions.vocabulary."
        )
    pieces = found.read_text(encoding="utf-8").splitlines()
    described = beside(found, "tokenizer_config.json")
    said = read_json(described) if described is not None else {}
    return {"pieces": pieces, "lower": bool(said.get("do_lower_case", True))}


def word_pieces(described: Mapping[str, Any]) -> Any:
    """Returns the tokeniser of transformers for a vocabulary."""
    from transformers import BertTokenizer

    pieces = {piece: number for number, piece in enumerate(described["pieces"])}
    if len(pieces) > described["config"]["vocab_size"]:
        raise RecipeError(
            f"captions: the vocabulary has {len(pieces):,} pieces, the weights are for "
            f"{described['config']['vocab_size']:,}. Take the vocab.txt of the same model."
        )
    return BertTokenizer(vocab=pieces, do_lower_case=described["lower"])


def tokenised(
    pieces: Any, texts: Sequence[str], *, longest: int, at_least: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns ids, mask and segments, int64 (B, T) each."""
    said = pieces(list(texts), padding="longest", truncation=True, max_length=longest)
    length = max(at_least, *(len(row) for row in said["input_ids"]))
    token, mask, segment = (
        torch.tensor([row + [fill] * (length - len(row)) for row in said[name]], dtype=torch.int64)
        for name, fill in (
            ("input_ids", int(pieces.pad_token_id)),
            ("attention_mask", 0),
            ("token_type_ids", 0),
        )
    )
    return token, mask, segment
