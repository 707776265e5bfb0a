"""How long a run takes, how fast it learns, and which weights it keeps."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from holotype.config import Settings


class PixelsIn(StrEnum):
    """Where the pixels of a run are."""

    AUTO = "auto"
    MEMORY = "memory"
    STREAM = "stream"


class Schedule(Settings):
    """How long, how fast."""

    epochs: int = Field(30, ge=1)
    """Passes over the training records."""
    batch_size: int = Field(64, ge=2)
    """Records a step."""
    peak_lr: float = Field(2e-3, gt=0)
    """Learning rate after warm-up; a cosine takes it to a thousandth of that."""
    weight_decay: float = Field(0.05, ge=0)
    """Of matrices; vectors (biases, norms, temperatures) have none."""
    warmup: float = Field(0.08, ge=0, lt=1)
    """Share of the steps in which the rate rises."""
    clip: float | None = Field(None, gt=0)
    """Largest norm of the gradient."""
    average: float | None = Field(None, gt=0, lt=1)
    """Decay of the running mean of weights that is kept as the model; none keeps the last."""
    balance: float = Field(0.0, ge=0, le=1)
    """Records are drawn with the frequency of their label to the power of minus this: 0 as they are, 1
    every label alike."""
    balance_instruments: float = Field(0.0, ge=0, le=1)
    """The same for instruments; with ``balance`` too, instruments are evened within each label."""
    chunk_size: int | None = Field(None, ge=2)
    """Records that a process reads at a time, when a batch is larger than memory: the same gradients for a
    second reading (gradient caching); none reads the batch at once."""
    pixels: PixelsIn = PixelsIn.AUTO
    """Where pixels are: ``memory`` decodes all once, ``stream`` decodes them anew in each epoch as steps ask
    for them, ``auto`` streams what takes more than 3 GiB."""
    shuffle_groups: int = Field(64, ge=2)
    """When streaming: the row groups (of 256 records) that the shuffle mixes and memory holds."""
    checkpoint_minutes: float = Field(10.0, gt=0)
    """Minutes between saved states within an epoch; every epoch ends with one."""
    checkpoint_steps: int | None = Field(None, ge=1)
    """Steps between saved states within an epoch, beside the minutes."""
    small_sides: tuple[tuple[float, int], ...] = ()
    """(until this share of the epochs, side in px): smaller images first are faster."""
    keep: Literal["last", "best"] = "last"
    """Which epoch's weights are the model; ``best`` is by the validation score."""
    patience: int | None = Field(None, ge=1)
    """Stop after so many epochs without a better validation score."""
    validate_every: int = Field(1, ge=1)
    """Epochs between validations; the last epoch always has one."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Schedule":
        if self.patience is not None and self.keep != "best":
            raise ValueError("schedule.patience needs keep = 'best'")
        return self
