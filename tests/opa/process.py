"""The real OPA in a process of its own, where its library exists for this machine."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LIBRARY = Path(sys.prefix) / "oracle"
PUBLISHED_FOR = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}  # requirements/oracle.in


@contextmanager
def running_opa(token: str = "") -> Iterator[str]:
    """Its address. Skips the test only where OPA's library is not published for the machine."""
    machine = (platform.system(), platform.machine())
    if machine not in PUBLISHED_FOR:
        pytest.skip(f"OPA's library is not published for {' '.join(machine)}, so nothing is compared with it")
    assert (LIBRARY / "opa_bindings").is_dir(), "Run `make setup`: OPA's library is not installed"
    command = [sys.executable, str(Path(__file__).with_name("server.py")), str(LIBRARY), token]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own file
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()
