"""The service as a Ray Serve deployment: `serve run service.ray_serve:build`; see docs/ray.md.

The application, its settings and its metrics are those of `python -m service`. Ray adds replicas with the load, places
them on nodes, checks their health, and replaces them one by one after a change.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from ray import serve
from ray.serve import Application

from service import logs
from service.machine import tune
from service.pipeline.runtime import CUDA_PLACES
from service.ray.worker_settings import sized
from service.server.app import App, create_app
from service.server.prometheus import exposition, merged
from service.server.readiness import readiness
from service.settings import Settings

_ASK_S = 2.0
"""Seconds that a replica has to return its metrics; otherwise they are missing in the answer."""


class Arguments(BaseModel):
    """Arguments of `build`: `NAME=VALUE` of `serve run`, or `args` in a Serve config file."""

    model_config = ConfigDict(extra="forbid")

    cpus: Annotated[int, Field(ge=1, le=1024, description="CPUs of each replica.")] = 2
    gpus: Annotated[
        float, Field(ge=0, le=1, description="GPU of each replica; 0.25 lets four share one.")
    ] = 0.0
    min_replicas: Annotated[int, Field(ge=1, le=10_000)] = 1
    max_replicas: Annotated[int, Field(ge=1, le=10_000)] = 4
    target: Annotated[
        float,
        Field(
            ge=0,
            description="Requests in a replica, on average, beyond which there are to be more replicas; 0 for as "
            "many as its CPUs, or for 32 on a GPU.",
        ),
    ] = 0.0
    upscale_delay_s: Annotated[
        float,
        Field(ge=0, le=3600, description="Seconds of too many requests before there are more replicas."),
    ] = 10.0
    downscale_delay_s: Annotated[
        float, Field(ge=0, le=86_400, description="Seconds of few requests before there are fewer.")
    ] = 300.0
    surge: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="Per cent of replicas, rounded up, that a change may start before it ends old ones; 0 "
            "where the cluster has no room for one more.",
        ),
    ] = 25
    settings: Annotated[
        dict[str, Any],
        Field(description="Settings by the names of `service.settings`, over those of the environment."),
    ] = {}

    @field_validator("settings")
    @classmethod
    def _known(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(settings.keys() - Settings.model_fields.keys()):
            raise ValueError(f"not settings: {', '.join(unknown)}")
        return settings


class _Replica:
    """A replica: one process with its own engine and decoder processes."""

    def __init__(self, settings: Settings) -> None:
        """`settings` suit the resources of this replica: see `sized`."""
        # Must precede the allocations of the model.
        tune()
        self._settings = settings
        self._app: App | None = None

    def __serve_build_asgi_app__(self) -> App:
        logs.configure(self._settings.log_level)
        self._app = create_app(self._settings, gather=self._gathered)
        return self._app

    def check_health(self) -> None:
        """Health check of Ray, which replaces a replica that raises.

        Raises:
            RuntimeError: it cannot serve requests; the message says why.
        """
        state = readiness(self._application.state.services)
        if not state.ready:
            raise RuntimeError("; ".join(state.reasons))

    def exposition(self) -> tuple[str, bytes]:
        """The ID and the metrics of this replica."""
        return serve.get_replica_context().replica_id.unique_id, exposition(self._application)

    async def _gathered(self, _: App) -> bytes:
        """The metrics of all replicas, by whichever replica is asked."""
        context = serve.get_replica_context()
        siblings = serve.get_deployment_handle(context.deployment, context.app_name)
        try:
            answers = await siblings.broadcast("exposition").results_async(
                timeout_s=_ASK_S, return_exceptions=True
            )
        except TimeoutError:
            answers = []
        told: dict[str, bytes] = dict(answer for answer in answers if isinstance(answer, tuple))
        return merged(dict(sorted((told | dict([self.exposition()])).items())))

    @property
    def _application(self) -> App:
        if self._app is None:
            raise RuntimeError("the application has not been built")
        return self._app


def build(arguments: Arguments) -> Application:
    """The deployment for these arguments and the settings in the environment.

    Raises:
        ValidationError: a setting is invalid.
    """
    settings = sized(Settings(**arguments.settings), cpus=arguments.cpus, gpu=arguments.gpus > 0)
    at_work = settings.concurrency or CUDA_PLACES
    deployment = serve.deployment(
        serve.ingress()(_Replica),
        name="qrsr",
        ray_actor_options={"num_cpus": arguments.cpus, "num_gpus": arguments.gpus},
        autoscaling_config={
            "min_replicas": arguments.min_replicas,
            "max_replicas": max(arguments.max_replicas, arguments.min_replicas),
            # As many as keep the CPUs busy, or half of a GPU's concurrent requests.
            "target_ongoing_requests": arguments.target
            or (at_work / 2 if arguments.gpus else arguments.cpus),
            "upscale_delay_s": arguments.upscale_delay_s,
            "downscale_delay_s": arguments.downscale_delay_s,
        },
        # One more than the replica has places for, so that it refuses that one itself, with 429 and `Retry-After`.
        max_ongoing_requests=at_work + settings.queue + 1,
        graceful_shutdown_timeout_s=settings.shutdown_grace_s,
        health_check_period_s=5,
        health_check_timeout_s=15,
        max_surge_percent=arguments.surge,
    )
    return deployment.bind(settings)
