"""Prometheus metrics of one application; each has its own registry, so that two can live in one process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """All series of the service. Label values come from the code or from fixed sets, never from a request."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "qrsr_requests", "Answered requests", ["route", "method", "status"], registry=self.registry
        )
        self.errors = Counter("qrsr_errors", "Problems answered, by code", ["code"], registry=self.registry)
        self.request_seconds = Histogram(
            "qrsr_request_seconds",
            "From first byte to answer",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "qrsr_stage_seconds", "Duration of a stage", ["stage"], buckets=_SECONDS, registry=self.registry
        )
        self.attempt_seconds = Histogram(
            "qrsr_attempt_seconds",
            "Duration of a reading attempt",
            ["attempt", "outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.symbols = Counter("qrsr_symbols", "Symbols read", ["reader", "attempt"], registry=self.registry)
        self.in_flight = Gauge("qrsr_requests_in_flight", "Admitted requests", registry=self.registry)
        self.engine_queue = Gauge("qrsr_engine_queue_length", "Tiles that wait", registry=self.registry)
        self.decoders = Gauge("qrsr_decoders", "Decoder children", registry=self.registry)
        self.decoder_events = Gauge(
            "qrsr_decoder_events",
            "Restarts, crashes and timeouts of decoder children since the start",
            ["event"],
            registry=self.registry,
        )
        self.loop_lag = Gauge(
            "qrsr_event_loop_lag_seconds", "Latest delay of the event loop", registry=self.registry
        )
        self.model = Info("qrsr_model", "The generator in use and where it runs", registry=self.registry)

    def stage(self, stage: str, seconds: float) -> None:
        """Count one duration of a stage."""
        self.stage_seconds.labels(stage).observe(seconds)

    def forget(self) -> None:
        """Start counting from nothing; what was counted so far was the service's own warm-up."""
        for series in (
            self.requests,
            self.errors,
            self.request_seconds,
            self.stage_seconds,
            self.attempt_seconds,
            self.symbols,
        ):
            series.clear()

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)


class Stages:
    """Durations of one request's stages, for its `Server-Timing` header and the histograms."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time a block; a stage that comes again adds up."""
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
            self._metrics.stage(stage, seconds)

    def server_timing(self, total: float) -> str:
        """The header's value; durations in milliseconds."""
        parts = [f"{stage};dur={seconds * 1e3:.1f}" for stage, seconds in self._seconds.items()]
        return ", ".join([*parts, f"total;dur={total * 1e3:.1f}"])
