"""What is published: the file of one level, under a version of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from adapters.policy import first_version
from adapters.policy.bundle import Bundle, Level, canonical, digest
from adapters.policy.effective import Effective
from domain.errors import BundleRefused
from domain.model import Digest


@dataclass(frozen=True)
class Published:
    """A file as it is stored. `agent` is empty but for the level of an agent."""

    version: Digest
    level: Level
    agent: str
    content: str


def published(bundle: Bundle, level: Level = Level.TENANT, *, agent: str = "") -> Published:
    """The same file for another level or agent is another version."""
    sources: dict[str, JsonValue] = {level.value: bundle.content()}
    content = canonical({"sources": sources, **({"agent": agent} if agent else {})})
    return Published(digest(content.encode()), level, agent, content)


def file_versions(policy: Effective, agent: str) -> tuple[Digest, ...]:
    """Under which versions the files of a composed policy were published."""
    return tuple(_version(Level(level), source, agent) for level, source in policy.sources.items())


def _version(level: Level, source: JsonValue, agent: str) -> Digest:
    named: dict[str, JsonValue] = {"agent": agent} if level is Level.AGENT else {}
    return digest(canonical({"sources": {level.value: source}, **named}).encode())


def read_levels(content: str) -> Mapping[Level, Bundle]:
    """The files in what was published, by level. Raises `BundleRefused`.

    Also reads what earlier releases stored: a compiled policy with its files, or one document.
    """
    try:
        document = json.loads(content)
        sources = {"tenant": document["bundle"]} if "bundle" in document else document["sources"]
        read = {Level(level): _bundle(source) for level, source in sources.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BundleRefused("it is not a published policy") from None
    if not read:
        raise BundleRefused("it is not a published policy")
    return read


def read_published(content: str) -> Bundle:
    """The one file in what was published. Raises `BundleRefused`."""
    levels = read_levels(content)
    if len(levels) != 1:
        raise BundleRefused("it is more than one level of policy")
    return next(iter(levels.values()))


def _bundle(source: JsonValue) -> Bundle:
    if isinstance(source, dict) and source.get("schema_version") == 1:
        source = first_version.translated(source)
    try:
        return Bundle.model_validate_json(json.dumps(source))
    except ValidationError:
        raise BundleRefused("it is not a published policy") from None
