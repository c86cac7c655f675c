"""Options of every protocol of the benchmark."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.comparison.arms import NONE, Arm
from benchmark.comparison.readers import DECODE, SOFT, available
from benchmark.comparison.upscalers import KERNELS, OURS, UpscalerSpec, generator_file
from benchmark.comparison.workbench import Setup
from benchmark.errors import BenchmarkError
from benchmark.figures.machine import machine
from benchmark.paths import STORE
from model_store.versions import newest

GENERATOR = "qr_sr_x4"


@dataclass(frozen=True, slots=True)
class Options:
    """A run of the benchmark."""

    out: Path
    """Folder for JSON, tables, plots and misread pictures."""
    command: str
    """The command line, for the report."""
    seed: int
    jobs: int
    readers: tuple[str, ...]
    upscalers: tuple[UpscalerSpec, ...]
    wechat: Path
    missing: dict[str, str]
    """Readers that were requested but are not available, and why."""

    @property
    def setup(self) -> Setup:
        """The setup of the workers."""
        return Setup(self.readers, self.upscalers, self.wechat)

    @property
    def ours(self) -> UpscalerSpec | None:
        """The generator, if there is one."""
        return next((spec for spec in self.upscalers if spec.kind == "generator"), None)

    def direct(self, picture: str) -> tuple[Arm, ...]:
        """The readers on the picture as it is; the cascade only on `lr`."""
        names = [name for name in self.readers if name != SOFT and (name != DECODE or picture == "lr")]
        return tuple(Arm(picture, NONE, name) for name in names)

    def enlarged(self, readers: tuple[str, ...]) -> tuple[Arm, ...]:
        """Those of `readers` that are in use, on `lr` enlarged by each upscaler; the soft reader on our logits."""
        arms = []
        for spec in self.upscalers:
            arms += [Arm("lr", spec.name, name) for name in readers if name in self.readers]
            if spec.kind == "generator" and SOFT in self.readers:
                arms.append(Arm("lr", spec.name, SOFT))
        return tuple(arms)

    def environment(self) -> dict[str, Any]:
        """Versions and models; WeChat's nets are loaded, because `readers.wechat_files` requires them."""
        return {
            **machine(),
            "wechat_nets": "detector and super-resolution loaded, verified by SHA-256",
            "missing": self.missing,
            "upscalers": {spec.name: _identity(spec) for spec in (*self.upscalers, *self.setup.drafts)},
        }


def newest_generator(store: Path = STORE) -> Path | None:
    """Folder of the highest complete version of our generator."""
    return newest(store, GENERATOR)


def chosen_upscalers(
    kernels: tuple[str, ...], model: Path | None, peers: list[str]
) -> tuple[UpscalerSpec, ...]:
    """Kernels by name, ours if there is one, peers by `NAME=FILE`.

    Raises:
        BenchmarkError: no such kernel, or two upscalers of one name.
        UpscalerError: a peer that cannot be used.
    """
    unknown = [name for name in kernels if name not in KERNELS]
    if unknown:
        raise BenchmarkError(f"no kernel is called {unknown[0]!r}; there are {', '.join(KERNELS)}")
    specs = [UpscalerSpec.kernel(name) for name in kernels]
    if model is not None:
        generator_file(model)
        specs.append(UpscalerSpec.generator(model))
    specs += [UpscalerSpec.peer(option) for option in peers]
    names = [spec.name for spec in specs]
    if len(set(names)) != len(names) or NONE in names:
        raise BenchmarkError(f"every upscaler needs a name of its own, and not {NONE!r}: {', '.join(names)}")
    return tuple(specs)


def chosen_readers(
    wanted: tuple[str, ...], wechat: Path, generator: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The readers that can be used, and why the others cannot.

    Raises:
        BenchmarkError: WeChat, the baseline, is not available.
    """
    special = tuple(name for name in wanted if name == DECODE or (name == SOFT and generator))
    usable, missing = available(wechat, tuple(name for name in wanted if name not in (SOFT, DECODE)))
    if SOFT in wanted and not generator:
        missing[SOFT] = f"no model to read the logits of (--model); {OURS} is missing too"
    if "wechat" in missing:
        raise BenchmarkError(missing["wechat"])
    return usable + special, missing


def _identity(spec: UpscalerSpec) -> str:
    if spec.path is None:
        return "OpenCV resize"
    return generator_file(spec.path).identity
