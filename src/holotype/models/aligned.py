"""N towers, one space: a supervised classifier is one tower and a head, CLIP is two, tri-modal three.

Shapes: B records, I images, K barcodes, U captions, L labels, D the shared space.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from holotype.inputs.batches import Batch, CaptionBatch, Tokenise
from holotype.models import towers
from holotype.models.model_settings import MAX_SCALE, ClassifierSettings, ModelSettings
from holotype.models.pretrained.kmers import KmerTokens
from holotype.models.settings import Projection, TuningKind, TuningSettings
from holotype.models.space import first_log_scale, into_space
from holotype.models.towers import Modality
from holotype.models.tuning import Tuned, counted, merged_weights, tune
from holotype.objectives.masked import masked_token_sums

__all__ = [
    "MAX_SCALE",
    "AlignedModel",
    "ClassifierSettings",
    "Embeddings",
    "ModelSettings",
    "Projection",
    "evaluating",
    "merged",
]

ImageEngine = Callable[[Tensor, Tensor], Tensor]
"""What else computes ``embed_images``."""
Embeddings = dict[Modality, Tensor]
"""By modality, float32 rows before normalisation."""


class Read(NamedTuple):
    """What a model makes of a batch: embeddings, and what each barcode's hidden tokens add (K, 3)."""

    embedding: Embeddings
    masked_K3: Tensor | None = None


class AlignedModel(nn.Module):
    """Towers into one space, and a head over it.

    Its ``settings`` are those given, and the ``layout`` of each tower that others trained: what a bundle must
    say so that it can be opened without their files.

    Args:
        settings: the parts.
        num_labels: L; without labels there is no head.
        seed: of the initial weights of the DNA tower; the rest uses torch's generator.
        num_groups: groups of like barcodes to tell apart.
        tells_tokens: whether it learns to tell hidden tokens of barcodes.
    """

    def __init__(
        self,
        settings: ModelSettings,
        *,
        num_labels: int,
        seed: int = 0,
        num_groups: int = 0,
        tells_tokens: bool = False,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.image_engine: ImageEngine | None = None
        self.pixel_mean: Tensor
        self.pixel_std: Tensor
        built: dict[str, nn.Module] = {}
        if settings.images is not None:
            built[Modality.IMAGE.value] = towers.image_tower(settings.images)
            for name in ("mean", "std"):
                value = torch.tensor(getattr(settings.images, name)).reshape(-1, 1, 1)
                self.register_buffer(f"pixel_{name}", value, persistent=False)
        if settings.barcodes is not None:
            built[Modality.BARCODE.value] = towers.barcode_tower(settings.barcodes, seed=seed)
        if settings.captions is not None:
            built[Modality.CAPTION.value] = towers.caption_tower(settings.captions)
        self.towers = nn.ModuleDict(built)
        self.settings = settings.with_parts(
            {
                Modality(name): {"layout": tower.layout}
                for name, tower in built.items()
                if _has(tower, "layout")
            }
        )
        for modality in self.modalities:
            tune(self.towers[modality], self._tuning(modality), key=f"{modality}s.tuning")
        widths = {name: int(tower.feature_dim) for name, tower in built.items()}  # type: ignore[arg-type]
        shared = settings.embedding_dim
        self.projections = nn.ModuleDict(
            {
                name: into_space(name, width, shared, settings.projection)
                for name, width in widths.items()
            }
        )
        self.embedding_dim = shared or next(iter(widths.values()))
        published = {n: float(t.log_scale) for n, t in built.items() if _has(t, "log_scale")}  # type: ignore[arg-type]
        self.log_scale = nn.Parameter(torch.tensor(first_log_scale(published, settings.projection)))
        self.sigmoid_bias = nn.Parameter(torch.tensor(-10.0))
        self.groups_GD: nn.Parameter | None = None
        if num_groups:
            start_GD = torch.randn(num_groups, self.embedding_dim) / self.embedding_dim**0.5
            self.groups_GD = nn.Parameter(start_GD)
        self.head: nn.Linear | None = None
        if settings.classifier is not None and num_labels:
            cosine = settings.classifier.kind == "cosine"
            self.head = nn.Linear(self.embedding_dim, num_labels, bias=not cosine)
            self.log_head_scale = nn.Parameter(torch.tensor(math.log(settings.classifier.scale)))
            self.dropout = nn.Dropout(settings.classifier.dropout)
        self.token_head: nn.Linear | None = None
        if tells_tokens:
            self.token_head = nn.Linear(widths["barcode"], 4**self.kmers.k)

    def train(self, mode: bool = True) -> "AlignedModel":  # noqa: FBT001, FBT002 - torch's signature
        """Sets training or evaluation; a frozen tower stays in evaluation, so that nothing in it moves."""
        super().train(mode)
        for modality in self.modalities:
            if self._tuning(modality).kind is TuningKind.FROZEN:
                self.towers[modality].eval()
        return self

    def for_reading(self) -> "AlignedModel":
        """Returns itself in evaluation, with towers laid out as they read soonest; no figure changes."""
        for tower in self.towers.values():
            if _has(tower, "keep_for_reading"):
                tower.keep_for_reading()  # type: ignore[operator]
        return self.eval()

    @property
    def learning(self) -> dict[str, Tuned]:
        """How much of each part learns: by modality, and ``all`` for the whole model."""
        parts = {modality.value: counted(self.towers[modality]) for modality in self.modalities}
        return {**parts, "all": counted(self)}

    def _tuning(self, modality: Modality) -> TuningSettings:
        part = self.settings.part(modality)
        assert part is not None
        return part.tuning

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities that have a tower."""
        return tuple(Modality(name) for name in self.towers)

    def forward(self, batch: Batch) -> Embeddings:
        """Returns the embeddings of what the batch has and the model reads."""
        return self.read(batch).embedding

    def read(self, batch: Batch) -> Read:
        """Returns the same, and the sums of ``masked_token_sums`` where tokens are hidden."""
        embedding: Embeddings = {}
        masked_K3 = None
        if batch.images is not None and Modality.IMAGE in self.modalities:
            image_ICSS = (batch.images.image_ICSS - self.pixel_mean) / self.pixel_std
            embedding[Modality.IMAGE] = self.embed_images(image_ICSS, batch.images.size_I4)
        if batch.barcodes is not None and Modality.BARCODE in self.modalities:
            tokens, target_KT = batch.barcodes.tokens, batch.barcodes.target_KT
            if target_KT is None:
                read = self.towers["barcode"](*tokens)
            else:
                assert self.token_head is not None
                is_hidden_KT = target_KT >= 0
                read, state_MD = self.towers["barcode"](*tokens, is_hidden_KT)
                masked_K3 = masked_token_sums(
                    self.token_head(state_MD),
                    target_KT[is_hidden_KT],
                    is_hidden_KT.nonzero()[:, 0],
                    count=len(target_KT),
                )
            embedding[Modality.BARCODE] = self.projections["barcode"](read)
        if batch.captions is not None and Modality.CAPTION in self.modalities:
            embedding[Modality.CAPTION] = self.embed_captions(batch.captions)
        return Read(embedding, masked_K3)

    def embed_images(self, image_ICSS: Tensor, size_I4: Tensor) -> Tensor:
        """Returns the embeddings of normalised images, float32 (I, D), before normalisation.

        By the engine, where there is one, nothing is learnt, and the images lie on the CPU.
        """
        is_learning = self.training or torch.is_grad_enabled()
        if self.image_engine is not None and not is_learning and image_ICSS.device.type == "cpu":
            return self.image_engine(image_ICSS, size_I4)
        read: Tensor = self.projections["image"](self.towers["image"](image_ICSS, size_I4))
        return read

    def learn_from(self, barcodes: Sequence[str]) -> None:
        """Lets the DNA tower learn what it needs to know of barcodes before training, as their strand."""
        for modality in self.modalities:
            if modality is Modality.BARCODE and _has(self.towers[modality], "learn_from"):
                self.towers[modality].learn_from(barcodes)  # type: ignore[operator]

    def tokenise(self, modality: Modality) -> Tokenise:
        """Returns how a tower turns texts (barcodes, captions) into what it reads."""
        found: Tokenise = self.towers[modality.value].tokenise  # type: ignore[assignment]
        return found

    @property
    def kmers(self) -> KmerTokens:
        """How its DNA tower cuts barcodes into tokens; only some towers do."""
        found: KmerTokens = self.towers["barcode"].tokens  # type: ignore[assignment]
        return found

    def longest(self, modality: Modality) -> int:
        """Returns the length that every text of a modality fits in, in the tower's tokens."""
        return int(self.towers[modality.value].longest)  # type: ignore[arg-type]

    def fix_temperature(self, temperature: float | None) -> None:
        """Sets the temperature of the shared space for good; None leaves it as it is."""
        if temperature is not None:
            self.log_scale.data.fill_(math.log(1 / temperature))
        self.log_scale.requires_grad = False

    @property
    def scale(self) -> Tensor:
        """The inverse temperature of the shared space."""
        return self.log_scale.clamp(0.0, math.log(MAX_SCALE)).exp()

    @property
    def head_scale(self) -> Tensor | float:
        """The inverse temperature of a cosine head; 1 for a linear one or none."""
        classifier = self.settings.classifier
        if classifier is None or classifier.kind == "linear":
            return 1.0
        return self.log_head_scale.clamp(0.0, math.log(MAX_SCALE)).exp()

    def embed_captions(self, captions: CaptionBatch) -> Tensor:
        """Returns the embeddings of captions, float32 (U, D), before normalisation."""
        read: Tensor = self.projections["caption"](self.towers["caption"](*captions.tokens))
        return read

    def label_logits(self, embedding_BD: Tensor) -> Tensor:
        """Returns the head's logits, float32 (B, L), of embeddings of any modality."""
        assert self.head is not None
        assert self.settings.classifier is not None
        if self.settings.classifier.kind == "linear":
            logit_BL: Tensor = self.head(self.dropout(embedding_BD))
            return logit_BL
        direction_BD = functional.normalize(embedding_BD, dim=1)
        class_LD = functional.normalize(self.head.weight, dim=1)
        return self.head_scale * direction_BD @ class_LD.T


def merged(
    settings: ModelSettings, weights: Mapping[str, Tensor]
) -> tuple[ModelSettings, dict[str, Tensor]]:
    """Returns settings and weights of the same model without low-rank changes: they are added to the weights.

    Args:
        settings: of the model, complete (``AlignedModel.settings``).
        weights: its state, or an average of states.
    """
    changed = {
        modality: part.tuning
        for modality in Modality
        if (part := settings.part(modality)) is not None and part.tuning.kind is TuningKind.LORA
    }
    scales = {f"towers.{modality}.": tuning.lora_scale for modality, tuning in changed.items()}
    plain = settings.with_parts({modality: {"tuning": TuningSettings()} for modality in changed})
    return plain, merged_weights(weights, scales)


@contextmanager
def evaluating(model: AlignedModel) -> Iterator[None]:
    """Has a model evaluate, and leaves it in the mode that it was in."""
    if not model.training:
        yield
        return
    model.eval()
    try:
        yield
    finally:
        model.train()


def _has(tower: nn.Module, name: str) -> bool:
    return getattr(tower, name, None) is not None
