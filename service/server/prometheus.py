"""The text of `/metrics` in Prometheus' exposition format: of this process, or of several replicas."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from service.pipeline.runtime import Services
from service.server.readiness import readiness

Gather = Callable[[FastAPI], Awaitable[bytes]]
"""Gives the body of `/metrics`."""


def exposition(app: FastAPI) -> bytes:
    """The metrics of this process; gauges are set to their present values first."""
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
    """The metrics of this process, for a Prometheus that scrapes every process."""
    return exposition(app)


def merged(expositions: Mapping[str, bytes]) -> bytes:
    """Merge the metrics of several replicas; the label `replica` has the keys of `expositions`."""
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
