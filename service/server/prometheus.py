"""What `/metrics` shows: of this process, or of all replicas of it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from service.pipeline.runtime import Services
from service.server.readiness import readiness

Gather = Callable[[FastAPI], Awaitable[bytes]]
"""Gives `/metrics` its answer, in Prometheus' text format."""


def exposition(app: FastAPI) -> bytes:
    """What this process has counted, and the gauges as they stand now."""
    services: Services = app.state.services
    shown = services.metrics
    shown.in_flight.set(app.state.gate.taken)
    shown.arriving.set(app.state.gate.arriving)
    shown.pixels_held.set(services.pixels.total - services.pixels.free)
    shown.engine_queue.set(services.engine.waiting)
    state = readiness(services)
    shown.decoders.set(state.decoder.children)
    shown.ready.set(state.ready)
    return shown.render()


async def own_only(app: FastAPI) -> bytes:
    """Of this process alone, as where each process is scraped by itself."""
    return exposition(app)


def merged(expositions: Mapping[str, bytes]) -> bytes:
    """The expositions of several replicas as one; the label `replica` is each one's key."""
    registry = CollectorRegistry()
    registry.register(_Merged(expositions))
    return generate_latest(registry)


class _Merged(Collector):
    def __init__(self, expositions: Mapping[str, bytes]) -> None:
        self._expositions = expositions

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for replica, text in self._expositions.items():
            for family in text_string_to_metric_families(text.decode()):
                kept = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    kept.add_sample(sample.name, {**sample.labels, "replica": replica}, sample.value)
        yield from families.values()
