"""A bundle and prepared specimens -> calibrated probabilities of labels."""

import numpy as np
from numpy.typing import NDArray

from holotype.errors import BundleError
from holotype.evaluation.zero_shot import trained_texts
from holotype.inputs.captions import written_or_next
from holotype.inputs.materials import Materials
from holotype.models.bundle import Bundle, softmax
from holotype.models.encode import Encoded, encode, encode_captions
from holotype.models.towers import Modality

BATCH = 32


class Scorer:
    """A bundle ready to score: by its head, or by the captions of its labels where it has none."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._caption_LD: NDArray[np.float32] | None = None
        if bundle.model.head is None:
            if Modality.CAPTION not in bundle.model.modalities:
                raise BundleError(
                    f"{bundle.path}: neither a head nor captions, so it names nothing."
                )
            text_type = trained_texts(bundle).types[0]
            texts = [
                written_or_next(label.concept, text_type, vernacular=None)[0]
                for label in bundle.labels.labels
            ]
            self._caption_LD = encode_captions(bundle.model, texts)

    def probabilities(self, materials: Materials) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Returns the rows that could be scored, int64 (B,), and their probabilities, (B, L).

        A record with image and barcode is scored by the mean of its two logits (their geometric mean).
        """
        count, size = len(materials), len(self.bundle.labels)
        total_NL, votes_N = np.zeros((count, size)), np.zeros(count)
        for modality, encoded in encode(self.bundle.model, materials, batch_size=BATCH).items():
            logit = self._logits(encoded) / self.bundle.temperature.get(modality, 1.0)
            total_NL[encoded.row_R] += logit
            votes_N[encoded.row_R] += 1
        row_B = np.flatnonzero(votes_N)
        mean_BL = total_NL[row_B] / votes_N[row_B, None]
        return row_B, softmax(mean_BL.astype(np.float32))

    def _logits(self, encoded: Encoded) -> NDArray[np.float64]:
        if encoded.logit_RL is not None:
            return encoded.logit_RL.astype(np.float64)
        assert self._caption_LD is not None
        scale = float(self.bundle.model.scale.detach())
        return scale * (encoded.z_RD @ self._caption_LD.T).astype(np.float64)
