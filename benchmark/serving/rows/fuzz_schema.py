"""Schemathesis on the OpenAPI document of the running service: the service does what the document says."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmark.serving.process import serving
from benchmark.serving.rows.fuzz_imaging import ENVIRONMENT, FuzzerMissingError

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Examples, coverage and fuzzing phases.

    Raises:
        FuzzerMissingError: `make bench-serve` makes the environment that is missing.
    """
    program = ENVIRONMENT / "bin" / "schemathesis"
    if not program.is_file():
        raise FuzzerMissingError(f"{ENVIRONMENT} is missing: make build/load/.fuzz")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        command = [
            str(program),
            "run",
            f"http://127.0.0.1:{service.port}/openapi.json",
            "--checks",
            ",".join(CHECKS),
        ]
        command += ["--max-examples", str(max(round(150 * scale), 5)), "--seed", "1", "--no-color"]
        command += [
            "--phases",
            "examples,coverage,fuzzing",
            "--request-timeout",
            "60",
            "--continue-on-failure",
        ]
        command += ["--report", "json", "--report-dir", folder, "--suppress-health-check", "all"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        with service.client() as client:
            ready = client.get("/readyz").json()["ready"]
        reports = {path.name: path.read_text() for path in Path(folder).glob("*.json")}
    print(done.stdout[-6000:], done.stderr[-1000:])
    cases = re.search(r"([\d,]+) generated", done.stdout)
    return {
        "exit_status": done.returncode,
        "cases": int(cases.group(1).replace(",", "")) if cases else None,
        "checks": CHECKS,
        "summary": [line.strip() for line in done.stdout.splitlines() if line.strip()][-12:],
        "reports": {name: json.loads(text).get("statistic") for name, text in reports.items()},
        "ready_afterwards": ready,
    }
