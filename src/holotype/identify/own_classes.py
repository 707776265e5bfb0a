"""Classes of the user's own: names that the model's captions are compared with, and bins of them.

As in CLIP's zero-shot naming (Radford et al. 2021, arXiv 2103.00020). The names are put into the sentences
that the model was trained with, where it has some; else they are read as they stand.
Shapes: B specimens, C classes, D numbers of an embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.errors import BundleError
from holotype.evaluation.zero_shot import embed_texts
from holotype.inputs.captions.templates import fill
from holotype.models.bundle import Bundle
from holotype.models.towers import Modality


@dataclass(frozen=True)
class ClassSpace:
    """Classes in the space of a model.

    Attributes:
        z_CD: float32, unit rows.
        scale: the inverse temperature of the space.
    """

    z_CD: NDArray[np.float32]
    scale: float

    @classmethod
    def of(cls, bundle: Bundle, names: Sequence[str]) -> "ClassSpace":
        """Returns the space of some names.

        Raises:
            BundleError: when the model reads no captions.
        """
        check_captions(bundle)
        sentences = bundle.texts.templates
        texts = [tuple(fill(one, name) for one in sentences) or (name,) for name in names]
        return cls(embed_texts(bundle.model, texts), float(bundle.model.scale.detach()))

    def scores(self, z_BD: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns the share of each class, float64 (B, C), rows adding up to 1; nan where ``z_BD`` is."""
        logit_BC = self.scale * (z_BD.astype(np.float64) @ self.z_CD.T.astype(np.float64))
        odds_BC = np.exp(logit_BC - logit_BC.max(axis=1, keepdims=True))
        shares_BC: NDArray[np.float64] = odds_BC / odds_BC.sum(axis=1, keepdims=True)
        return shares_BC


def check_captions(bundle: Bundle) -> None:
    """Raises ``BundleError`` for a model that reads no captions."""
    if Modality.CAPTION not in bundle.model.modalities:
        raise BundleError(
            f"{bundle.path}: reads no captions, so it cannot tell classes of your own apart (--cls, --bins). "
            "Name a model that was trained with captions; --subset restricts this one to labels that it has."
        )
