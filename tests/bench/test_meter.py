"""CPU time of process trees, measured on processes of our own."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.meter import CpuMeter, Part

BURN = "t = __import__('time'); end = t.process_time() + 0.2\nwhile t.process_time() < end: pass"
# Says a line once a child of its own has worked and died, then waits to be told.
PARENT = f"""
import subprocess, sys
sys.stdin.readline()
subprocess.run([sys.executable, "-c", {BURN!r}], check=True)
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(  # noqa: S603 - the test's own words
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_work_of_a_child_that_is_gone_still_counts(parent: "subprocess.Popen[str]") -> None:
    assert parent.stdin
    assert parent.stdout
    meter = CpuMeter.start((Part("tree", (parent.pid,)),))

    parent.stdin.write("\n")
    parent.stdin.flush()
    parent.stdout.readline()

    assert meter.seconds()["tree"] >= 0.2


def test_a_tree_has_the_memory_of_all_its_processes(parent: "subprocess.Popen[str]") -> None:
    alone, both = Part("alone", (os.getpid(),)), Part("both", (os.getpid(), parent.pid))

    assert both.memory_mib() > alone.memory_mib() > 1
