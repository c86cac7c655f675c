"""Prometheus metrics, in a registry of each application, so that one process can run two; and the times of stages."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from service.pipeline.answers import DecoderState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_SIZES = (1, 2, 4, 8, 16, 32, 64)
REASONS = ("places", "bytes", "uploads", "engine_queue", "deadline", "not_ready", "unauthorized")


M = TypeVar("M", Counter, Histogram)


class Labelled(Generic[M]):
    """Caches the children of a metric by the values of their labels.

    The library's own lookup takes a lock and builds strings each time, a dozen times for every request.
    """

    def __init__(self, metric: M) -> None:
        self._metric: M = metric
        self._children: dict[tuple[str, ...], M] = {}

    def labels(self, *values: str) -> M:
        """The child with these values, in the order in which the labels were declared."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._metric.labels(*values)
        return child


class Metrics:
    """All metrics of the service. Label values come from the code or from fixed sets, never from a request."""

    def __init__(self) -> None:
        self._decoder_state: Callable[[], DecoderState] | None = None
        self._create()

    def _create(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = self._counter("qrsr_requests", "Answered requests", "route", "method", "status")
        self.errors = self._counter("qrsr_errors", "Problems answered, by code", "code")
        self.rejected = self._counter("qrsr_rejected", "Requests refused for the service's sake", "reason")
        self.request_seconds = self._durations("qrsr_request_seconds", "From first byte to answer", "route")
        self.stage_seconds = self._durations("qrsr_stage_seconds", "Duration of a stage", "stage")
        self.attempt_seconds = self._durations(
            "qrsr_attempt_seconds", "Duration of a reading attempt", "attempt", "outcome"
        )
        self.symbols = self._counter("qrsr_symbols", "Symbols read", "reader", "attempt")
        self.in_flight = Gauge("qrsr_requests_in_flight", "Admitted requests", registry=self.registry)
        self.arriving = Gauge(
            "qrsr_requests_arriving", "Requests whose body is on its way", registry=self.registry
        )
        self.places = Gauge(
            "qrsr_requests_limit", "Requests that may be admitted at the same time", registry=self.registry
        )
        self.pixels_held = Gauge(
            "qrsr_pixels_held", "Part of the pixel budget that is in use", registry=self.registry
        )
        self.engine_queue = Gauge("qrsr_engine_queue_length", "Tiles that wait", registry=self.registry)
        self.batch_size = Histogram(
            "qrsr_batch_size", "Tiles run together", buckets=_SIZES, registry=self.registry
        )
        self.engine_busy = Counter(
            "qrsr_engine_busy_seconds",
            "Time that the engine's threads were at work; its rate over their number is the busy share",
            registry=self.registry,
        )
        self.engine_lanes = Gauge("qrsr_engine_threads", "Threads that take tiles", registry=self.registry)
        self.decoders = Gauge("qrsr_decoders", "Decoder children", registry=self.registry)
        self.loop_lag = Histogram(
            "qrsr_event_loop_lag_seconds",
            "How late the event loop woke from its sleep",
            buckets=_LAG_SECONDS,
            registry=self.registry,
        )
        self.ready = Gauge("qrsr_ready", "1 when requests can be served", registry=self.registry)
        self.model = Info("qrsr_model", "The generator in use and where it runs", registry=self.registry)
        # Counters with fixed label values start at 0, so that a rate can be computed from the first event on.
        for reason in REASONS:
            self.rejected.labels(reason)
        if self._decoder_state is not None:
            self.registry.register(_DecoderEvents(self._decoder_state))

    def _counter(self, name: str, what: str, *labels: str) -> Labelled[Counter]:
        return Labelled(Counter(name, what, labels, registry=self.registry))

    def _durations(self, name: str, what: str, *labels: str) -> Labelled[Histogram]:
        return Labelled(Histogram(name, what, labels, buckets=_SECONDS, registry=self.registry))

    def count_decoder_events(self, state: Callable[[], DecoderState]) -> None:
        """Include the events that the decoder counts itself."""
        self._decoder_state = state
        self.registry.register(_DecoderEvents(state))

    def stage(self, stage: str, seconds: float) -> None:
        """Count one duration of a stage."""
        self.stage_seconds.labels(stage).observe(seconds)

    def batch(self, size: int, seconds: float) -> None:
        """Count one run of the engine."""
        self.batch_size.observe(size)
        self.engine_busy.inc(seconds)

    def forget(self) -> None:
        """Reset all metrics, after the warm-up."""
        self._create()

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)


class _DecoderEvents(Collector):
    def __init__(self, state: Callable[[], DecoderState]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        state = self._state()
        family = CounterMetricFamily(
            "qrsr_decoder_events",
            "Decoder children replaced, ended over a job, ended while idle; jobs that took too long",
            labels=["event"],
        )
        family.add_metric(["restart"], state.restarts)
        family.add_metric(["crash"], state.crashes)
        family.add_metric(["idle_exit"], state.idle_exits)
        family.add_metric(["timeout"], state.timeouts)
        yield family


class Stages:
    """Times of the stages of one request, for its answer, its `Server-Timing` header and the histograms.

    Stages do not overlap: a stage that starts inside another one interrupts it.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seconds: dict[str, float] = {}
        self._inner: list[float] = []
        """For each running stage, the seconds that belong to stages inside it."""

    def __call__(self, stage: str) -> AbstractContextManager[None]:
        """Measure a block; the times of a repeated stage are added."""
        return _Stage(self, stage)

    def began(self) -> float:
        """Start a stage. Returns the start time."""
        self._inner.append(0.0)
        return time.perf_counter()

    def ended(self, stage: str, started: float) -> None:
        """End the stage that was started last, at `started`."""
        whole = time.perf_counter() - started
        own = whole - self._inner.pop()
        if self._inner:
            self._inner[-1] += whole
        self._count(stage, own)

    def add(self, stage: str, seconds: float) -> None:
        """Add a duration that was measured elsewhere; it interrupts a running stage."""
        if self._inner:
            self._inner[-1] += seconds
        self._count(stage, seconds)

    def _count(self, stage: str, seconds: float) -> None:
        seconds = max(seconds, 0.0)
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
        self._metrics.stage(stage, seconds)

    def milliseconds(self) -> dict[str, float]:
        """Milliseconds of each stage so far, rounded to a tenth."""
        return {stage: round(seconds * 1e3, 1) for stage, seconds in self._seconds.items()}

    def server_timing(self, total: float) -> str:
        """Value of the `Server-Timing` header, in milliseconds."""
        parts = [f"{stage};dur={seconds * 1e3:.1f}" for stage, seconds in self._seconds.items()]
        return ", ".join([*parts, f"total;dur={total * 1e3:.1f}"])


class _Stage(AbstractContextManager[None]):
    # `contextlib.contextmanager` would take longer than some of the stages.
    def __init__(self, stages: Stages, stage: str) -> None:
        self._stages, self._stage = stages, stage

    def __enter__(self) -> None:
        self._started = self._stages.began()

    def __exit__(self, *_: object) -> None:
        self._stages.ended(self._stage, self._started)
