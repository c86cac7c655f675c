"""Prometheus metrics of one application; each has its own registry, so that two can live in one process."""

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
    """The children of a metric by the values of its labels.

    The library makes strings of the values and takes a lock to find a child, for each of the dozen of a request.
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
    """All series of the service. Label values come from the code or from fixed sets, never from a request."""

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
        # What is counted under fixed names is shown from the beginning, at 0, so that a rate can be taken of it.
        for reason in REASONS:
            self.rejected.labels(reason)
        if self._decoder_state is not None:
            self.registry.register(_DecoderEvents(self._decoder_state))

    def _counter(self, name: str, what: str, *labels: str) -> Labelled[Counter]:
        return Labelled(Counter(name, what, labels, registry=self.registry))

    def _durations(self, name: str, what: str, *labels: str) -> Labelled[Histogram]:
        return Labelled(Histogram(name, what, labels, buckets=_SECONDS, registry=self.registry))

    def count_decoder_events(self, state: Callable[[], DecoderState]) -> None:
        """Show, from now on, what the decoder has counted itself."""
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
        """Start counting from nothing; what was counted so far was the service's own warm-up."""
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
    """Durations of one request's stages: for its answer, its `Server-Timing` header and the histograms.

    They do not overlap: a stage that begins within another interrupts it.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seconds: dict[str, float] = {}
        self._inner: list[float] = []
        """For each stage under way, the seconds that belong to stages within it."""

    def __call__(self, stage: str) -> AbstractContextManager[None]:
        """Time a block; a stage that comes again adds up."""
        return _Stage(self, stage)

    def began(self) -> float:
        """A stage begins now. Returns when that is."""
        self._inner.append(0.0)
        return time.perf_counter()

    def ended(self, stage: str, started: float) -> None:
        """The stage that began last, at `started`, ends now."""
        whole = time.perf_counter() - started
        own = whole - self._inner.pop()
        if self._inner:
            self._inner[-1] += whole
        self._count(stage, own)

    def add(self, stage: str, seconds: float) -> None:
        """Count a duration measured elsewhere; a stage under way is interrupted by it."""
        if self._inner:
            self._inner[-1] += seconds
        self._count(stage, seconds)

    def _count(self, stage: str, seconds: float) -> None:
        seconds = max(seconds, 0.0)
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
        self._metrics.stage(stage, seconds)

    def milliseconds(self) -> dict[str, float]:
        """What has been timed so far, to a tenth."""
        return {stage: round(seconds * 1e3, 1) for stage, seconds in self._seconds.items()}

    def server_timing(self, total: float) -> str:
        """The header's value; durations in milliseconds."""
        parts = [f"{stage};dur={seconds * 1e3:.1f}" for stage, seconds in self._seconds.items()]
        return ", ".join([*parts, f"total;dur={total * 1e3:.1f}"])


class _Stage(AbstractContextManager[None]):
    # Not `contextlib.contextmanager`, whose generator costs more than all that it is to time here.
    def __init__(self, stages: Stages, stage: str) -> None:
        self._stages, self._stage = stages, stage

    def __enter__(self) -> None:
        self._started = self._stages.began()

    def __exit__(self, *_: object) -> None:
        self._stages.ended(self._stage, self._started)
