"""Where a model works: on the CPU, or on a GPU of this machine."""

import torch

from holotype.errors import SourceError
from holotype.models.bundle import Bundle

CPU = "cpu"


def move(bundle: Bundle, device: str) -> None:
    """Moves a bundle's model to ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        SourceError: when there is no such device here.
    """
    if device == CPU:
        return
    try:
        bundle.model.to(torch.device(device))
    except (RuntimeError, AssertionError, NotImplementedError) as reason:
        said = str(reason).splitlines()[0].rstrip(".")
        raise SourceError(
            f"--device {device}: not here ({said}). Leave it out for the CPU."
        ) from reason
