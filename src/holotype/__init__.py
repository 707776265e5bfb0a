"""Holotype: names organisms from images, DNA barcodes and words, and says how sure it is.

Each command of the command line is one function here, in the same words::

    import holotype
    holotype.import_("image-folder", ["crops.zip"], into="crops")
    holotype.split("crops", out="crops.split.parquet")
    holotype.train("crops-supervised", collection="crops", split="crops.split.parquet", out="run")
    holotype.evaluate("run", collection="crops", split="crops.split.parquet", out="report")
    holotype.predict("run", ["new.zip"], out="predictions.csv")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from holotype._version import __version__

if TYPE_CHECKING:
    from holotype.collection.intake import import_
    from holotype.demonstration import demo
    from holotype.diagnosis import doctor
    from holotype.evaluation.embed import embed
    from holotype.evaluation.evaluate import evaluate
    from holotype.identify.predict import predict
    from holotype.splits.split import split
    from holotype.training.train import train

_COMMANDS = {
    "import_": "holotype.collection.intake",
    "split": "holotype.splits.split",
    "train": "holotype.training.train",
    "evaluate": "holotype.evaluation.evaluate",
    "embed": "holotype.evaluation.embed",
    "predict": "holotype.identify.predict",
    "demo": "holotype.demonstration",
    "doctor": "holotype.diagnosis",
}

__all__ = [
    "__version__",
    "demo",
    "doctor",
    "embed",
    "evaluate",
    "import_",
    "predict",
    "split",
    "train",
]


def __getattr__(name: str) -> Any:
    """Imports a command's function when it is first asked for: ``import holotype`` stays light."""
    if name in _COMMANDS:
        return getattr(import_module(_COMMANDS[name]), name)
    raise AttributeError(f"module 'holotype' has no attribute '{name}'")
