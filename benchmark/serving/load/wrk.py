"""wrk, the load tool: closed loop, with very little processor time of its own."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
local requests, at = {}, 0
local index = io.open("%s/index")
for size in index:lines() do requests[#requests + 1] = tonumber(size) end
local all = io.open("%s/requests", "rb")
for i, size in ipairs(requests) do requests[i] = all:read(size) end
function request()
  at = at %% #requests + 1
  return requests[at]
end
function done(summary, latency)
  io.write(string.format(
    '\\nRESULT {"requests": %%d, "seconds": %%f, "refused": %%d, "broken": %%d, "p50": %%f, "p99": %%f, "max": %%f}\\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6))
end
"""


class ToolMissingError(Exception):
    """wrk is not installed."""


@dataclass(frozen=True, slots=True)
class Load:
    """The results of wrk; times in seconds."""

    requests: int
    seconds: float
    refused: int
    """Answers with a status other than 2xx or 3xx."""
    broken: int
    """Failed connections, and answers that did not arrive in time."""
    p50: float
    p99: float
    max: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.requests - self.refused) / self.seconds


def drive(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Load:
    """Send `requests` in turn, each of `clients` connections one at a time.

    Raises:
        ToolMissingError: wrk is not installed.
    """
    if shutil.which("wrk") is None:
        raise ToolMissingError("wrk is needed (apt-get install wrk, or https://github.com/wg/wrk)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "index").write_text("".join(f"{len(one)}\n" for one in requests))
        (folder / "requests").write_bytes(b"".join(requests))
        (folder / "script.lua").write_text(_SCRIPT % (folder, folder))
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s"]
        command += [str(folder / "script.lua"), f"http://127.0.0.1:{port}/"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in printed.splitlines() if line.startswith("RESULT "))
    return Load(**json.loads(line.removeprefix("RESULT ")))
