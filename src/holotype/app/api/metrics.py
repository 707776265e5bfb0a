"""What the server counts, as Prometheus reads it; a registry of its own for each server."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from holotype.app.identifying import Identifier

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of requests, specimens and batches."""

    def __init__(self, identifier: Identifier) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter(
            "holotype_requests", "Requests.", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "holotype_request_seconds",
            "Time to answer a request.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._specimens = Counter(
            "holotype_specimens", "Specimens answered.", ("decision",), registry=registry
        )
        self._refused = Counter("holotype_refused_files", "Files refused.", registry=registry)
        self._batch = Histogram(
            "holotype_batch_specimens",
            "Specimens that the model read together.",
            buckets=_BATCHES,
            registry=registry,
        )
        self._model_seconds = Counter(
            "holotype_model_seconds", "Time that the model worked.", registry=registry
        )
        queued = Gauge("holotype_queued_specimens", "Specimens that wait.", registry=registry)
        queued.set_function(lambda: identifier.queued)
        identifier.tell(self._batch_done)

    def request_done(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def specimens_done(self, decisions: dict[str, int], refused: int) -> None:
        """Counts answers by decision, and files that were refused."""
        for decision, count in decisions.items():
            self._specimens.labels(decision).inc(count)
        self._refused.inc(refused)

    def text(self) -> bytes:
        """Returns everything as the text that Prometheus reads."""
        return generate_latest(self._registry)

    def _batch_done(self, count: int, seconds: float) -> None:
        self._batch.observe(count)
        self._model_seconds.inc(seconds)
