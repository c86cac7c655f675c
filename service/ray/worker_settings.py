"""Settings for a process that has a share of a machine: what is set to 0, by itself, would take all of it."""

from pydantic import SecretStr

from service.machine import concurrency
from service.settings import Settings


def sized(settings: Settings, *, cpus: int, gpu: bool) -> Settings:
    """The same settings for a process that may use `cpus` CPUs, and a GPU or none."""
    share = {
        "lanes": settings.lanes or cpus,
        "decoders": settings.decoders or cpus,
        "concurrency": settings.concurrency or (0 if gpu else concurrency(cpus)),
        "device": settings.device if gpu else "cpu",
    }
    return settings.model_copy(update=share)


def without_keys(settings: Settings) -> Settings:
    """The same settings for a process that answers no clients."""
    return settings.model_copy(update={"api_keys": SecretStr(""), "api_keys_file": ""})
