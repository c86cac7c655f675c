"""Image files: read within the limits of an upload, written atomically."""

import os
import stat
import tempfile
from pathlib import Path


class FileError(Exception):
    """A file that cannot be read as an upload, or written; `code` is stable and meant for programs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        """`file_not_found`, `file_unreadable`, `file_too_large`, `file_empty` or `output_unwritable`."""
        self.detail = detail


def load(path: str, *, max_bytes: int) -> bytes:
    """Read a regular file of at most `max_bytes` bytes.

    Raises:
        FileError: see there.
    """
    try:
        # Non-blocking, since opening a pipe would wait for its other end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileError("file_not_found", "there is no such file") from error
    except (OSError, ValueError) as error:
        raise FileError("file_unreadable", _why(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileError("file_unreadable", "not a regular file")
    with open(descriptor, "rb") as stream:
        try:
            data = stream.read(max_bytes + 1)
        except OSError as error:
            raise FileError("file_unreadable", _why(error)) from error
    return checked(data, max_bytes=max_bytes)


def checked(data: bytes, *, max_bytes: int) -> bytes:
    """Return `data`, if an upload may have so many bytes.

    Raises:
        FileError: `file_empty` or `file_too_large`.
    """
    if not data:
        raise FileError("file_empty", "the file is empty")
    if len(data) > max_bytes:
        raise FileError("file_too_large", f"the file is larger than {max_bytes} bytes")
    return data


def save(path: Path, data: bytes, *, staging: Path | None = None) -> None:
    """Write a file atomically: it gets its name once it is complete and on disk. Its folder is made if needed.

    Args:
        staging: folder on the same file system for the unfinished file, which stays there when the process is killed;
            by default the folder of `path`.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if staging is not None:
        staging.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        # A short prefix, since the name may already be as long as the file system permits.
        dir=staging or path.parent,
        prefix=f".{path.name[:32]}.",
        suffix=".partial",
        delete=False,
    ) as stream:
        try:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), 0o666 & ~_umask())
            os.replace(stream.name, path)
        except BaseException:
            os.unlink(stream.name)
            raise


def utf8(path: str) -> str:
    """A path as valid text: bytes that are not UTF-8 are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


def _umask() -> int:
    # The umask can only be read by setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _why(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
