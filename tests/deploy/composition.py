"""`docker-compose.yml` as the checks see it. No engine is needed to read it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
# ${NAME}, ${NAME:-default}, ${NAME:?sentence}
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\}")

Composition = dict[str, Any]
Service = Mapping[str, Any]
OURS = "countersign:"


def composition() -> Composition:
    """The file, without interpolation."""
    loaded: Composition = yaml.safe_load(COMPOSE.read_text())
    return loaded


def services(found: Composition) -> Iterator[tuple[str, Service]]:
    """Every service by its name."""
    yield from found["services"].items()


def environment(service: Service) -> Mapping[str, str | None]:
    """A null is passed through from the environment where it is set there."""
    given: Mapping[str, str | None] = service.get("environment", {})
    return given


def is_ours(service: Service) -> bool:
    """Whether it runs our image."""
    return str(service["image"]).startswith(OURS)


def runs_on(service: Service) -> bool:
    """Whether it is meant to run for ever; the others do one thing and end."""
    return service.get("restart") != "no"


def texts(value: object) -> Iterator[str]:
    """Every string in it, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from texts(inner)


def with_defaults(text: str) -> str:
    """As Compose reads it where nothing is set."""
    return VARIABLE.sub(lambda found: found["rest"] if found["kind"] == ":-" else "", text)


def container_port(published: str) -> str:
    """Of `127.0.0.1:8000:8000`."""
    return published.rpartition(":")[2]
