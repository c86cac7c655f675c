"""Find a released generator in the model store, and build the engine that serves it."""

from pathlib import Path

from model_store.manifest import MANIFEST_NAME, ManifestError
from service.generator.draft import draft_of
from service.generator.engine import CPU, CudaOptions, OnnxEngine, UpscaleEngine
from service.machine import usable_cpus
from service.settings import MEBI, Settings


def version_folder(store: Path, name: str, version: int) -> Path:
    """Folder of a generator version; `version` 0 means the newest one that is complete (has a manifest).

    Raises:
        ManifestError: there is none.
    """
    if version:
        return store / name / str(version)
    complete = [
        int(manifest.parent.name)
        for manifest in (store / name).glob(f"*/{MANIFEST_NAME}")
        if manifest.parent.name.isdecimal()
    ]
    if not complete:
        raise ManifestError(f"{store / name}: no released version")
    return store / name / str(max(complete))


def build_engine(settings: Settings) -> UpscaleEngine:
    """The released generator that the settings name, on a CPU with its draft.

    Raises:
        ManifestError, EngineError: see `OnnxEngine` and `draft_of`.
    """
    folder = version_folder(settings.model_store, settings.model, settings.model_version)
    threads = settings.threads or usable_cpus()
    engine = OnnxEngine(
        folder,
        device=settings.device,
        threads=threads,
        tile=settings.tile,
        cuda=CudaOptions(settings.cuda_memory_mib * MEBI, settings.cuda_conv_search),
    )
    if engine.provider == CPU:
        engine.draft = draft_of(engine, folder, drafts=settings.drafts, threads=threads, tile=settings.tile)
    return engine
