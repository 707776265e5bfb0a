"""The losses of an epoch, summed as they come; a loss that is no number ends the run."""

import math

import torch
from torch import Tensor

Kept = dict[str, dict[str, float]]


class Tally:
    """Sums and counts of losses by name; tensors are read from the device a few steps at a time.

    Args:
        kept: from the checkpoint of an epoch that was broken off.
    """

    def __init__(self, kept: Kept) -> None:
        self._sums = dict(kept.get("sums", {}))
        self._counts = dict(kept.get("counts", {}))
        self._waiting: list[tuple[int, dict[str, Tensor]]] = []
        self.seconds = kept.get("times", {}).get("seconds", 0.0)
        self.waited = kept.get("times", {}).get("waited", 0.0)
        self.latest = math.nan

    def add(self, step: int, losses: dict[str, Tensor]) -> None:
        """Takes note of the losses of a step."""
        self._waiting.append((step, losses))

    def settle(self) -> None:
        """Reads what waits on the device.

        Raises:
            FloatingPointError: when a loss is not finite, with its step.
        """
        waiting, self._waiting = self._waiting, []
        for step, losses in waiting:
            values = torch.stack([*losses.values()]).tolist() if losses else []
            self.latest = math.fsum(values)
            if not math.isfinite(self.latest):
                raise FloatingPointError(f"the loss is {self.latest} at step {step}")
            for name, value in zip(losses, values, strict=True):
                self._sums[name] = self._sums.get(name, 0.0) + value
                self._counts[name] = self._counts.get(name, 0) + 1

    def kept(self) -> Kept:
        """Returns what a checkpoint keeps."""
        times = {"seconds": self.seconds, "waited": self.waited}
        return {"sums": dict(self._sums), "counts": dict(self._counts), "times": times}

    def means(self) -> dict[str, float]:
        """Returns the mean of each loss over the steps that had it, and their sum."""
        means = {f"loss_{name}": v / self._counts[name] for name, v in self._sums.items()}
        return {**means, "loss": sum(means.values())}

    @property
    def data_wait(self) -> float:
        """Share of the time of the steps in which the device waited for inputs."""
        return self.waited / self.seconds if self.seconds else 0.0
