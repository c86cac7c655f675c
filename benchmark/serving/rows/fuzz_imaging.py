"""Coverage-guided fuzzing of image decoding and encoding (Atheris, which is based on libFuzzer).

Branches of Pillow's Python parsers and of `service.imaging` guide the mutations. A file must give a picture within the
limits, or a `ServiceError`. Anything else ends the run, and the file is kept in `build/load/findings`.
"""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.paths import ROOT

COUNT = 60_000
ENVIRONMENT = ROOT / "build" / "load" / "fuzz"
FINDINGS = ROOT / "build" / "load" / "findings"
_MAX_PIXELS = 1 << 16


class FuzzerMissingError(Exception):
    """The virtual environment of the fuzzers is missing."""


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """60,000 files, starting from those of `benchmark.serving.load.mutations`.

    Raises:
        FuzzerMissingError: `make bench-serve` makes the environment that is missing.
    """
    python = ENVIRONMENT / "bin" / "python"
    if not python.is_file():
        raise FuzzerMissingError(f"{ENVIRONMENT} is missing: make build/load/.fuzz")
    FINDINGS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        from benchmark.serving.load.mutations import SEEDS

        for number, data in enumerate(SEEDS):
            (Path(corpus) / str(number)).write_bytes(data)
        command = [
            str(python),
            "-m",
            "benchmark.serving.rows.fuzz_imaging",
            corpus,
            f"-atheris_runs={round(COUNT * scale)}",
        ]
        command += [
            "-max_len=8192",
            "-rss_limit_mb=2048",
            "-timeout=20",
            "-seed=1",
            f"-artifact_prefix={FINDINGS}/",
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        grown = len(list(Path(corpus).iterdir()))
    progress = re.findall(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+).*?rss: (\d+)Mb", done.stderr, re.MULTILINE)
    if not progress:
        raise RuntimeError(done.stderr[-2000:])
    first, last = progress[0], progress[-1]
    outcomes = dict(re.findall(r"^OUTCOME (\w+) (\d+)$", done.stdout, re.MULTILINE))
    return {
        "files": sum(map(int, outcomes.values())),
        "exit_status": done.returncode,
        "findings": re.findall(r"Test unit written to (\S+)", done.stderr),
        "seeds": len(SEEDS),
        "corpus": grown,
        "branches_at_first": int(first[1]),
        "branches": int(last[1]),
        "features": int(last[2]),
        "rss_mib_at_first": int(first[3]),
        "rss_mib": int(last[3]),
        "outcomes": {name: int(count) for name, count in outcomes.items()},
    }


def target(outcomes: Counter[str]) -> Callable[[bytes], None]:
    """The function that processes each file; raises AssertionError, or any exception that the service would not
    expect."""
    # Imported only after instrumentation.
    from service import imaging
    from service.errors import ServiceError

    def one(data: bytes) -> None:
        try:
            size = imaging.size_or_picture(data, max_pixels=_MAX_PIXELS, at_once=0)
            picture = imaging.decode(data, max_pixels=_MAX_PIXELS)
        except ServiceError as error:
            outcomes[error.code] += 1
            return
        outcomes["picture"] += 1
        assert picture.height * picture.width <= _MAX_PIXELS
        assert isinstance(size, tuple)
        assert sorted((picture.height, picture.width)) == sorted(size)
        assert picture.pixels.dtype == "uint8"
        assert picture.alpha is None or picture.alpha.shape == picture.pixels.shape[:2]
        if outcomes["picture"] % 8 == 0:
            for kind in ("png", "jpeg", "webp"):
                assert imaging.encode(picture, kind, jpeg_quality=92, webp_quality=90)

    return one


def _fuzz() -> None:
    """Run the fuzzer; in a process of its own."""
    import atexit

    import atheris

    with atheris.instrument_imports(include=["PIL", "service.imaging"]):
        import PIL.BmpImagePlugin
        import PIL.GifImagePlugin
        import PIL.JpegImagePlugin
        import PIL.PngImagePlugin
        import PIL.WebPImagePlugin  # noqa: F401 - for their instrumentation

        import service.imaging  # noqa: F401

    outcomes: Counter[str] = Counter()

    def told() -> None:
        for name, count in sorted(outcomes.items()):
            print(f"OUTCOME {name} {count}", flush=True)

    atexit.register(told)
    atheris.Setup(sys.argv, target(outcomes))
    atheris.Fuzz()


if __name__ == "__main__":
    _fuzz()
