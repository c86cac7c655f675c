"""Whether the service can answer requests, by the actual state of its engine and decoder processes."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from service.pipeline.answers import DecoderState, ModelRef
from service.pipeline.runtime import Services


class ModelState(ModelRef):
    """The generator being served."""

    sha256: Annotated[str, Field(description="Of its ONNX file, in hexadecimal.")]
    parameters: Annotated[int, Field(description="Trained numbers in it.")]


class Readiness(BaseModel):
    """Whether requests can be served, judged by what there is."""

    ready: Annotated[bool, Field(description="Whether they can.")]
    reasons: Annotated[list[str], Field(description="Why not, where it is not.")]
    provider: Annotated[str, Field(description="ONNX Runtime execution provider really in use.")]
    model: Annotated[ModelState, Field(description="Which generator is being served, and its hash.")]
    draft: Annotated[
        bool, Field(description="Whether `/decode` looks at the image by the generator's 8-bit copy first.")
    ]
    decoder: Annotated[DecoderState, Field(description="State of the decoder processes.")]


class Liveness(BaseModel):
    """The process answers."""

    alive: Annotated[
        Literal[True], Field(description="Always true: a process that is not does not say so.")
    ] = True


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
