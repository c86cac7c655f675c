"""Whether the service can answer, judged by what it has and not by what it was asked to have."""

from service.pipeline.answers import ModelState, Readiness
from service.pipeline.runtime import Services


def readiness(services: Services) -> Readiness:
    """State of the engine and the decoders. The engine has passed a forward pass, or the service had not
    started; one that fails is asked for another, and given up where it cannot."""
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
