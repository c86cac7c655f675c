"""Settings for a process that may use a part of its machine only. Settings of 0 would otherwise take all of it."""

from pydantic import SecretStr

from service.machine import concurrency
from service.settings import Settings


def sized(settings: Settings, *, cpus: int, gpu: bool) -> Settings:
    """Settings for a process with `cpus` CPUs, and with or without a GPU."""
    share = {
        "lanes": settings.lanes or cpus,
        "decoders": settings.decoders or cpus,
        "concurrency": settings.concurrency or (0 if gpu else concurrency(cpus)),
        "device": settings.device if gpu else "cpu",
    }
    return settings.model_copy(update=share)


def without_keys(settings: Settings) -> Settings:
    """Settings without API keys, for a process that does not serve clients."""
    return settings.model_copy(update={"api_keys": SecretStr(""), "api_keys_file": ""})
