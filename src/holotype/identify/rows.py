"""What channels say of a specimen -> one row of the answer table, with its reason in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import LABEL_LEVEL, LEVELS, AnswerTree
from holotype.decisions.channels import Channel
from holotype.decisions.risk import Threshold
from holotype.decisions.verdicts import Verdicts, common_ancestor, contradict
from holotype.identify.columns import MACHINE, RANKS, Decision
from holotype.taxonomy.tree import linnaean_columns

TOP_K = 5
DIGITS = 6
RIVALS = 2
"""How many of the likeliest taxa below an ambiguous answer are told."""


@dataclass(frozen=True)
class Said:
    """What a channel says of one specimen: row ``at`` of its verdicts.

    Attributes:
        verdicts: of the channel.
        probability_RL: its probabilities of labels.
        at: the row.
        without_prior: verdicts before the user's priors, None without priors.
    """

    verdicts: Verdicts
    probability_RL: NDArray[np.float64]
    at: int
    without_prior: Verdicts | None = None

    @property
    def answer(self) -> int:
        """The node that is answered, -1 for none."""
        return int(self.verdicts.answer_B[self.at])


@dataclass(frozen=True)
class RowWriter:
    """Writes rows of answers.

    Attributes:
        tree: the possible answers.
        model: fingerprint.
        thresholds: by channel.
    """

    tree: AnswerTree
    model: str
    thresholds: Mapping[Channel, Threshold]

    def row(self, said: Mapping[Channel, Said]) -> tuple[dict[str, Any], Channel]:
        """Returns the answer's columns, and the channel that gives it.

        Args:
            said: by channel, at least one.
        """
        channel = self._speaker(said)
        one, clash = said[channel], None
        pair = (said.get(Channel.IMAGE), said.get(Channel.BARCODE))
        node, told = one.answer, {}
        if pair[0] is not None and pair[1] is not None:
            first, second = pair[0].answer, pair[1].answer
            told = {
                "image_answer": self._name(first),
                "barcode_answer": self._name(second),
                "agreed": self._name(common_ancestor(self.tree, first, second)),
                "conflict": contradict(self.tree, first, second),
            }
            if told["conflict"]:
                node = common_ancestor(self.tree, first, second)
                clash = f"image says {self._name(first)}, barcode says {self._name(second)}"
        decision, reason = self._reason(one, node, channel, clash)
        row = {
            **told,
            **self._named(one, node),
            **self._best_label(one),
            "decision": decision.value,
            "decision_reason": reason,
            "novelty": _rounded(one.verdicts.novelty_B[one.at]),
            "novelty_rank": self._level(int(one.verdicts.fits_B[one.at])),
            "status": MACHINE,
            "model": self.model,
        }
        if one.without_prior is not None:
            row["answer_without_prior"] = self._name(int(one.without_prior.answer_B[one.at]))
        return row, channel

    def _speaker(self, said: Mapping[Channel, Said]) -> Channel:
        """Returns the channel that answers: both, where that was calibrated, else the deeper one."""
        if Channel.BOTH in said and (len(said) == 1 or self.thresholds[Channel.BOTH].holds):
            return Channel.BOTH
        alone = [channel for channel in (Channel.BARCODE, Channel.IMAGE) if channel in said]
        return max(alone, key=lambda channel: int(said[channel].verdicts.level_B[said[channel].at]))

    def _named(self, one: Said, node: int) -> dict[str, Any]:
        """Returns the answer's names and scores."""
        found, at = one.verdicts, one.at
        scores: dict[str, Any] = {
            f"score_{rank}": _rounded(found.confidence_BK[at, level])
            for level, rank in enumerate(RANKS)
        }
        if node < 0:
            return scores
        lineage = self.tree.lineage(node)
        on_way = found.node_BK[at] == node
        score = (
            found.confidence_BK[at, on_way].max() if on_way.any() else found.calibrated_BN[at, node]
        )
        return {
            **scores,
            "answer": self.tree.name(node),
            "answer_level": LEVELS[int(self.tree.level_N[node])],
            "answer_score": _rounded(score),
            **linnaean_columns(lineage),
            "taxon": lineage.name,
            "taxon_rank": lineage.rank.value if lineage.rank is not None else None,
        }

    def _best_label(self, one: Said) -> dict[str, Any]:
        probability_L = one.probability_RL[one.at]
        best_K = np.argsort(-probability_L, kind="stable")[:TOP_K].tolist()
        names = self.tree.labels.names
        top = [{"label": names[k], "score": _rounded(probability_L[k])} for k in best_K]
        return {**top[0], "top_k": json.dumps(top, ensure_ascii=False)}

    def _reason(
        self, one: Said, node: int, channel: Channel, clash: str | None
    ) -> tuple[Decision, str]:
        """Returns the decision and why; where no error rate is promised, why not."""
        decision, text = self._judged(one, node, channel, clash)
        threshold = self.thresholds[channel]
        if not threshold.holds:
            text += f". An error of {threshold.max_error:g} is not promised: {threshold.reason}"
        return decision, text

    def _judged(
        self, one: Said, node: int, channel: Channel, clash: str | None
    ) -> tuple[Decision, str]:
        threshold, found, at = self.thresholds[channel], one.verdicts, one.at
        promise = (
            f"the {threshold.value:.2f} that keeps the error at {threshold.max_error:g}"
            if threshold.holds
            else f"{1 - threshold.max_error:g}"
        )
        if clash is not None:
            shared = f"both are {self._told(node)}" if node >= 0 else "they share no taxon"
            return (Decision.AMBIGUOUS if node >= 0 else Decision.UNPLACED), (
                f"image and barcode contradict one another: {clash}; {shared}"
            )
        if node >= 0 and int(self.tree.level_N[node]) == LABEL_LEVEL:
            score = found.confidence_BK[at, LABEL_LEVEL]
            return Decision.NAMED, f"{self._name(node)} at {score:.2f}, at least {promise}"
        novel = bool(found.is_novel_B[at])
        below = self._below(one, node)
        if novel:
            level = int(found.fits_B[at])
            fits = (
                f"fits to {self._told(int(found.node_BK[at, level]))}"
                if level >= 0
                else "fits nowhere"
            )
            text = (
                f"unlike anything learnt (novelty {found.novelty_B[at]:.2f}; known records seldom reach "
                f"{found.alarm:.2f}); {fits}; likeliest: {below}"
            )
            return (Decision.NOVEL if node >= 0 else Decision.UNPLACED), text
        if node < 0:
            return Decision.UNPLACED, f"nothing reaches {promise}; likeliest: {below}"
        return (
            Decision.AMBIGUOUS,
            f"{self._told(node)} is safe; below it no one reaches {promise}: {below}"
            if threshold.holds
            else f"{self._told(node)} reaches {promise}, nothing below it does: {below}",
        )

    def _below(self, one: Said, node: int) -> str:
        """Returns the likeliest nodes below one, on the level where the answers part."""
        children = self.tree.children(node)
        while len(children) == 1 and len(self.tree.children(int(children[0]))):
            children = self.tree.children(int(children[0]))
        mass = one.verdicts.calibrated_BN[one.at, children]
        order = np.argsort(-mass, kind="stable")[:RIVALS].tolist()
        return ", ".join(f"{self._name(int(children[i]))} {mass[i]:.2f}" for i in order)

    def _name(self, node: int) -> str | None:
        return self.tree.name(node) if node >= 0 else None

    def _told(self, node: int) -> str:
        level = LEVELS[int(self.tree.level_N[node])]
        return f"{level} {self.tree.name(node)}"

    @staticmethod
    def _level(level: int) -> str | None:
        return LEVELS[level] if level >= 0 else None


def _rounded(value: float | np.floating[Any]) -> float | None:
    return None if np.isnan(value) else min(1.0, round(float(value), DIGITS))
