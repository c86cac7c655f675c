"""The engine of a released generator."""

from model_store.versions import version_folder
from service.generator.draft import draft_of
from service.generator.engine import CPU, CudaOptions, OnnxEngine, UpscaleEngine
from service.machine import usable_cpus
from service.settings import MEBI, Settings


def build_engine(settings: Settings) -> UpscaleEngine:
    """Build the engine for the generator in the settings, on a CPU with its draft.

    Raises:
        ManifestError, EngineError: see `OnnxEngine` and `draft_of`.
    """
    folder = version_folder(settings.store, settings.model, settings.model_version)
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
