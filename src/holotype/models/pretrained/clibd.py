"""CLIBD's three towers, as its released checkpoints hold them, published quirks included.

What is reproduced though one would not build it so: a barcode's tokens begin with id 0, which is the mask's;
padding is attended to and averaged; a barcode's embedding is a mean of softmax outputs; captions are averaged
over padding, and cut at 20 word pieces; images are not centred. The low-rank changes that the checkpoints
hold beside the weights (rank 4, of queries and values) are added to the weights when they are read.

Reference: Gong et al. 2024, arXiv 2405.17537.

Shapes: B records, T tokens, D the shared space.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from holotype.errors import RecipeError
from holotype.media.preparation import PreparationKind
from holotype.models.pretrained.bert import (
    bert_names,
    built_bert,
    config_of_tensors,
    fill_bert,
    read_vocabulary,
    tokenised,
    word_pieces,
)
from holotype.models.pretrained.checkpoints import Checkpoint, load_exactly, read_checkpoint
from holotype.models.pretrained.kmers import CLIBD_SPECIALS, PUBLISHED_BP, KmerTokens
from holotype.models.pretrained.places import place_of, weights_in
from holotype.models.pretrained.preprocessing import PublishedPixels, check_pixels
from holotype.models.settings import BarcodeSettings, CaptionSettings, ImageSettings

IMAGE_ARCHITECTURE = "vit_base_patch16_224"
RESIZED_PX, READ_PX = 256, 224
CAPTION_TOKENS = 20
KMER_BP = 5
_IMAGE = ("image_encoder.base_image_encoder.", "image_encoder.lora_vit.")
_BARCODE = ("dna_encoder.base_dna_encoder.", "dna_encoder.lora_barcode_bert.")
_CAPTION = ("language_encoder.base_language_encoder.", "language_encoder.lora_bert.")
"""Names in the code of today, and in the released checkpoints."""
PIXELS = PublishedPixels(
    side_px=RESIZED_PX,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    preparation=PreparationKind.CENTRE_CROP,
    told="shorter side to 256, centre 224, values in [0, 1]",
    source="CLIBD",
)
"""The recipe prepares squares of 256 px, of which the tower reads the 224 in the middle."""


class ClibdImageTower(nn.Module):
    """CLIBD's image tower: a vision transformer of timm whose classifier is the embedding.

    Attributes:
        feature_dim: D, 768 in the released models.
        layout: architecture and width, as JSON.
        log_scale: the logarithm of the inverse temperature that was learnt.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        import timm

        checkpoint = _checkpoint(settings, "images")
        name = settings.architecture or IMAGE_ARCHITECTURE
        tensors = merged_lora(_part(checkpoint, _IMAGE)) if checkpoint else {}
        if checkpoint:
            check_pixels(settings, PIXELS)
            described: dict[str, Any] = {
                "architecture": name,
                "dim": _rows(tensors, "head.bias", checkpoint),
            }
        else:
            described = json.loads(settings.layout or "{}")
        self.layout = json.dumps(described)
        self.feature_dim = int(described["dim"])
        self.model = timm.create_model(described["architecture"], num_classes=self.feature_dim)
        self.log_scale = _filled(self.model, tensors, checkpoint)

    def forward(self, image_BCSS: Tensor, size_B: Tensor) -> Tensor:
        """Returns features, float32 (B, D), of the middle of 256 px; original sizes are not read."""
        edge = (image_BCSS.shape[-1] - READ_PX) // 2
        middle_BCSS = image_BCSS[..., edge : edge + READ_PX, edge : edge + READ_PX]
        features_BD: Tensor = self.model(middle_BCSS)
        return features_BD


class ClibdBarcodeTower(nn.Module):
    """CLIBD's DNA tower: BarcodeBERT with its masked-token head turned into 768 outputs.

    Attributes:
        feature_dim: D, 768 in the released models.
        longest: tokens of a barcode, 133.
        layout: the configuration, as JSON.
        log_scale: the logarithm of the inverse temperature that was learnt.
    """

    def __init__(self, settings: BarcodeSettings) -> None:
        super().__init__()
        checkpoint = _checkpoint(settings, "barcodes")
        if settings.max_bp != PUBLISHED_BP:
            raise RecipeError(
                f"barcodes.max_bp is {settings.max_bp}; CLIBD reads {PUBLISHED_BP} bases. Set max_bp = "
                f"{PUBLISHED_BP}."
            )
        self.tokens = KmerTokens(KMER_BP, CLIBD_SPECIALS, PUBLISHED_BP, first=0)
        tensors = merged_lora(_part(checkpoint, _BARCODE)) if checkpoint else {}
        if checkpoint:
            dim = _rows(tensors, "cls.predictions.decoder.bias", checkpoint)
            described: dict[str, Any] = {
                "config": config_of_tensors(bert_names(tensors)),
                "dim": dim,
            }
        else:
            described = json.loads(settings.layout or "{}")
        self.layout = json.dumps(described)
        width = int(described["config"]["hidden_size"])
        self.feature_dim, self.longest = int(described["dim"]), self.tokens.length
        self.model = built_bert(described["config"])
        self.head = nn.ModuleDict(
            {
                "dense": nn.Linear(width, width),
                "LayerNorm": nn.LayerNorm(width, eps=1e-12),
                "decoder": nn.Linear(width, self.feature_dim),
            }
        )
        self.log_scale = None
        if checkpoint:
            fill_bert(self.model, tensors, where=str(checkpoint.path))
            head = {
                name.removeprefix("cls.predictions.").removeprefix("transform."): value
                for name, value in bert_names(tensors).items()
                if name.startswith("cls.predictions.")
            }
            self.log_scale = _filled(self.head, head, checkpoint, ignored=("bias",))

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Returns token ids, int64 (B, 133)."""
        return (torch.from_numpy(self.tokens.tokenise(texts)[0]),)

    def forward(self, token_BT: Tensor) -> Tensor:
        """Returns features, float32 (B, D): shares that add up to 1."""
        every_BT = torch.ones_like(token_BT)
        read_BTD = self.model(input_ids=token_BT, attention_mask=every_BT).last_hidden_state
        read_BTD = self.head["LayerNorm"](functional.gelu(self.head["dense"](read_BTD)))
        mean_BD: Tensor = self.head["decoder"](read_BTD).softmax(dim=-1).mean(dim=1)
        return mean_BD


class ClibdCaptionTower(nn.Module):
    """CLIBD's text tower: BERT-small, averaged over 20 places, and a linear map.

    Attributes:
        feature_dim: D, 768 in the released models.
        longest: word pieces of a caption, 20.
        layout: configuration and vocabulary, as JSON.
        log_scale: the logarithm of the inverse temperature that was learnt.
    """

    longest = CAPTION_TOKENS

    def __init__(self, settings: CaptionSettings) -> None:
        super().__init__()
        checkpoint = _checkpoint(settings, "captions")
        tensors = merged_lora(_part(checkpoint, _CAPTION)) if checkpoint else {}
        if checkpoint:
            projection = checkpoint.part("language_encoder.proj.")
            described: dict[str, Any] = {
                "config": config_of_tensors(bert_names(tensors)),
                "dim": _rows(projection, "bias", checkpoint),
                **read_vocabulary(
                    settings, place_of(str(settings.weights), key="captions.weights")
                ),
            }
        else:
            described, projection = json.loads(settings.layout or "{}"), {}
        self.layout = json.dumps(described)
        self.feature_dim = int(described["dim"])
        self.model = built_bert(described["config"])
        self.projection = nn.Linear(int(described["config"]["hidden_size"]), self.feature_dim)
        self.log_scale = None
        if checkpoint:
            fill_bert(self.model, tensors, where=str(checkpoint.path))
            self.log_scale = _filled(self.projection, projection, checkpoint)
        self._pieces = word_pieces(described)

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Returns ids, mask and segments, int64 (B, 20) each."""
        return tokenised(self._pieces, texts, longest=CAPTION_TOKENS, at_least=CAPTION_TOKENS)

    def forward(self, token_BT: Tensor, mask_BT: Tensor, segment_BT: Tensor) -> Tensor:
        """Returns features, float32 (B, D)."""
        read_BTD = self.model(
            input_ids=token_BT, attention_mask=mask_BT, token_type_ids=segment_BT
        ).last_hidden_state
        features_BD: Tensor = self.projection(read_BTD.mean(dim=1))
        return features_BD


def merged_lora(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns weights with CLIBD's low-rank changes added, by the names of models without them.

    A changed BERT layer holds ``query.w.weight``, ``query.w_a.weight`` and ``query.w_b.weight``; a changed
    block of timm holds ``qkv.qkv.weight`` and ``qkv.linear_a_q.weight`` and so on, the queries in the first
    third of the rows and the values in the last.
    """
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        stem, _, leaf = name.rpartition(".")
        if stem.endswith(".w"):
            whole = value
            if leaf == "weight":
                whole = value + tensors[f"{stem}_b.weight"] @ tensors[f"{stem}_a.weight"]
            found[f"{stem.removesuffix('.w')}.{leaf}"] = whole
        elif stem.endswith(".qkv.qkv"):
            outer = stem.removesuffix(".qkv")
            found[f"{outer}.{leaf}"] = _with_q_and_v(tensors, outer, value, leaf)
        elif not stem.endswith((".w_a", ".w_b")) and ".qkv.linear_" not in name:
            found[name] = value
    return found


def _with_q_and_v(tensors: Mapping[str, Tensor], outer: str, value: Tensor, leaf: str) -> Tensor:
    if leaf != "weight":
        return value
    whole, width = value.clone(), value.shape[1]
    for letter, rows in (("q", slice(0, width)), ("v", slice(2 * width, 3 * width))):
        up, down = (tensors[f"{outer}.linear_{side}_{letter}.weight"] for side in ("b", "a"))
        whole[rows] += up @ down
    return whole


def _checkpoint(
    settings: ImageSettings | BarcodeSettings | CaptionSettings, key: str
) -> Checkpoint | None:
    if settings.layout is not None:
        return None
    if settings.weights is None:
        raise RecipeError(
            f"{key}.tower = clibd needs {key}.weights: a released checkpoint (best.pth) or published:NAME."
        )
    return read_checkpoint(weights_in(place_of(settings.weights, key=f"{key}.weights")))


def _part(checkpoint: Checkpoint, prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    found = checkpoint.part(*prefixes)
    if not found:
        raise RecipeError(
            f"{checkpoint.path}: no '{prefixes[0]}*', so this checkpoint of CLIBD has no such tower."
        )
    return found


def _rows(tensors: Mapping[str, Tensor], name: str, checkpoint: Checkpoint) -> int:
    if name not in tensors:
        raise RecipeError(f"{checkpoint.path}: no '{name}', so it is not a checkpoint of CLIBD.")
    return int(tensors[name].shape[0])


def _filled(
    module: nn.Module,
    tensors: Mapping[str, Tensor],
    checkpoint: Checkpoint | None,
    ignored: tuple[str, ...] = (),
) -> float | None:
    if checkpoint is None:
        return None
    load_exactly(module, tensors, where=str(checkpoint.path), ignored=ignored)
    scale = checkpoint.tensors.get("logit_scale")
    return None if scale is None else float(scale.reshape(()))
