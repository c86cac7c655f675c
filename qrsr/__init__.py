"""Reads QR symbols that other software gives up on: in this process, or by a service elsewhere.

    import qrsr

    for symbol in qrsr.read("crop.png"):
        print(symbol.text)
    pixels = qrsr.upscale("crop.png")  # four times as high and wide

    with qrsr.Client("http://localhost:8000") as client:
        symbols = client.decode("crop.png").symbols

`read`, `upscale` and `Reader` work in this process and need the extra `cpu` or `cuda`. The clients need neither.
"""

from typing import TYPE_CHECKING, Any

from service import VERSION
from service.client import (
    AsyncClient,
    BadUploadError,
    Client,
    ClientError,
    Decoded,
    Enlarged,
    OverloadedError,
    ProblemError,
    Retry,
    Symbol,
    TransportError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswerError,
)

if TYPE_CHECKING:
    from qrsr.in_process import ImageError, Reader, read, upscale

__version__ = VERSION

_IN_PROCESS = ("ImageError", "Reader", "read", "upscale")

__all__ = [
    "AsyncClient",
    "BadUploadError",
    "Client",
    "ClientError",
    "Decoded",
    "Enlarged",
    "ImageError",
    "OverloadedError",
    "ProblemError",
    "Reader",
    "Retry",
    "Symbol",
    "TransportError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "__version__",
    "read",
    "upscale",
]


def __getattr__(name: str) -> Any:
    """What needs OpenCV and ONNX Runtime is imported when it is asked for."""
    if name not in _IN_PROCESS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from qrsr import in_process
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] in ("qrsr", "service", "model_store"):
            raise
        raise ImportError(
            f"qrsr.{name} needs {error.name}: pip install 'qr-super-resolution[cpu]', or [cuda]"
        ) from error
    return getattr(in_process, name)
