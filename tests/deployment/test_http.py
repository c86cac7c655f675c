"""The service's own HTTP tests, against the replica behind the proxy."""

import os
import re
import subprocess
import sys
from pathlib import Path

from service.settings import Settings
from tests.builders.model import TINY, write_tiny_model
from tests.builders.process import ROOT
from tests.deployment.stack import project
from tests.service.conftest import LIMITS


def test_the_services_http_tests_pass_through_the_proxy(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_tiny_model(store)
    # The container's user is another one.
    for path in (tmp_path, store, *store.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    # The page tells its patience, which follows from the deadline: the service's own, not the stacks' long one.
    deadline = {"QRSR_DEADLINE_S": f"{Settings().deadline_s:g}"}
    limits = {f"QRSR_{name.upper()}": str(value) for name, value in LIMITS.items()}
    variables = {"MODEL_STORE": str(store), "QRSR_MODEL": TINY, **deadline, **limits}
    with project(tmp_path, variables) as stack:
        stack.up("qrsr", "proxy")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "tests/service", "-q", "-p", "no:cacheprovider"],
            cwd=ROOT,
            env={**os.environ, "QRSR_TEST_URL": f"http://127.0.0.1:{stack.ports['PORT']}"},
            capture_output=True,
            text=True,
            timeout=500,
        )
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed.group(1)) > 200
    print(done.stdout.splitlines()[-1])
