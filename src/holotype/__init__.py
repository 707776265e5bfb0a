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
    from holotype.adapting.adapt import adapt
    from holotype.adapting.exporting import export_model
    from holotype.adapting.shrinking import shrink
    from holotype.app.server import serve
    from holotype.assessing.assess import assess
    from holotype.assessing.queue import queue
    from holotype.assessing.suspects import suspects
    from holotype.catalogue.check import check_sources
    from holotype.catalogue.get import get_source
    from holotype.catalogue.listing import list_sources, show_source
    from holotype.collection.dropping import drop
    from holotype.collection.environment.join import environment
    from holotype.collection.intake import import_
    from holotype.collection.licensing import licences
    from holotype.collection.naming import apply_names, match_names, review_names
    from holotype.collection.quality.check import check
    from holotype.collection.summary.make import summary
    from holotype.counting.count import count
    from holotype.decisions.calibrating import calibrate
    from holotype.decisions.thresholds import thresholds
    from holotype.demonstration import demo
    from holotype.diagnosis import doctor
    from holotype.evaluation.compare.compare import compare
    from holotype.evaluation.embed import embed
    from holotype.evaluation.evaluate import evaluate
    from holotype.exchange.answers.publish import publish
    from holotype.exchange.check import check_archive
    from holotype.exchange.export import export
    from holotype.exchange.references import write_references
    from holotype.identify.evidence.making import evidence
    from holotype.identify.predict import predict
    from holotype.identify.trained_on import trained_on
    from holotype.index.build import add_to_index, build_index
    from holotype.index.search import search_index
    from holotype.models.pretrained.fetch import get_model, list_models
    from holotype.reviewing.apply import apply_review
    from holotype.reviewing.export import export_review
    from holotype.reviewing.make import new_session
    from holotype.reviewing.page import review_page
    from holotype.reviewing.review import review_status
    from holotype.splits.foreign import audit
    from holotype.splits.split import split
    from holotype.taxonomy.backbone.build import build_backbone
    from holotype.training.train import train

_COMMANDS = {
    "import_": "holotype.collection.intake",
    "drop": "holotype.collection.dropping",
    "check": "holotype.collection.quality.check",
    "summary": "holotype.collection.summary.make",
    "licences": "holotype.collection.licensing",
    "environment": "holotype.collection.environment.join",
    "split": "holotype.splits.split",
    "audit": "holotype.splits.foreign",
    "build_backbone": "holotype.taxonomy.backbone.build",
    "match_names": "holotype.collection.naming",
    "review_names": "holotype.collection.naming",
    "apply_names": "holotype.collection.naming",
    "list_sources": "holotype.catalogue.listing",
    "show_source": "holotype.catalogue.listing",
    "check_sources": "holotype.catalogue.check",
    "get_source": "holotype.catalogue.get",
    "list_models": "holotype.models.pretrained.fetch",
    "get_model": "holotype.models.pretrained.fetch",
    "train": "holotype.training.train",
    "evaluate": "holotype.evaluation.evaluate",
    "compare": "holotype.evaluation.compare.compare",
    "adapt": "holotype.adapting.adapt",
    "shrink": "holotype.adapting.shrinking",
    "embed": "holotype.evaluation.embed",
    "export": "holotype.exchange.export",
    "predict": "holotype.identify.predict",
    "trained_on": "holotype.identify.trained_on",
    "calibrate": "holotype.decisions.calibrating",
    "thresholds": "holotype.decisions.thresholds",
    "count": "holotype.counting.count",
    "evidence": "holotype.identify.evidence.making",
    "publish": "holotype.exchange.answers.publish",
    "check_archive": "holotype.exchange.check",
    "write_references": "holotype.exchange.references",
    "assess": "holotype.assessing.assess",
    "queue": "holotype.assessing.queue",
    "suspects": "holotype.assessing.suspects",
    "build_index": "holotype.index.build",
    "add_to_index": "holotype.index.build",
    "search_index": "holotype.index.search",
    "new_session": "holotype.reviewing.make",
    "review_status": "holotype.reviewing.review",
    "apply_review": "holotype.reviewing.apply",
    "export_model": "holotype.adapting.exporting",
    "export_review": "holotype.reviewing.export",
    "review_page": "holotype.reviewing.page",
    "serve": "holotype.app.server",
    "demo": "holotype.demonstration",
    "doctor": "holotype.diagnosis",
}

__all__ = [
    "__version__",
    "adapt",
    "add_to_index",
    "apply_names",
    "apply_review",
    "assess",
    "audit",
    "build_backbone",
    "build_index",
    "calibrate",
    "check",
    "check_archive",
    "check_sources",
    "compare",
    "count",
    "demo",
    "doctor",
    "drop",
    "embed",
    "environment",
    "evaluate",
    "evidence",
    "export",
    "export_model",
    "export_review",
    "get_model",
    "get_source",
    "import_",
    "licences",
    "list_models",
    "list_sources",
    "match_names",
    "new_session",
    "predict",
    "publish",
    "queue",
    "review_names",
    "review_page",
    "review_status",
    "search_index",
    "serve",
    "show_source",
    "shrink",
    "split",
    "summary",
    "suspects",
    "thresholds",
    "train",
    "trained_on",
    "write_references",
]


def __getattr__(name: str) -> Any:
    """Imports a command's function when it is first asked for: ``import holotype`` stays light."""
    if name in _COMMANDS:
        return getattr(import_module(_COMMANDS[name]), name)
    raise AttributeError(f"module 'holotype' has no attribute '{name}'")
