"""Whether the service can answer requests, by the actual state of its engine and decoder processes."""

from service.pipeline.answers import ModelState, Readiness
from service.pipeline.runtime import Services


def readiness(services: Services) -> Readiness:
    """State of the engine and the decoder processes.

    The engine has run at start-up. After a failed forward pass it is tested with another one, and given up where that
    fails too.
    """
    manifest = services.engine.engine.manifest
    decoder = services.decoder.state()
    reasons = []
    if not services.engine.alive:
        reasons.append("the engine's thread has ended")
    if not decoder.children:
        reasons.append("there is no decoder process")
    return Readiness(
        ready=not reasons,
        reasons=reasons,
        provider=services.engine.engine.provider,
        model=ModelState(
            name=manifest.name,
            version=manifest.version,
            sha256=manifest.model.sha256,
            parameters=manifest.parameters,
        ),
        draft=services.upscaler.drafts,
        decoder=decoder,
    )
