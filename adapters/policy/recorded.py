"""Policies as they were published: the files that they were made of, level by level."""

import json
from collections.abc import Mapping

from adapters.policy.bundle import Bundle, Level
from adapters.policy.file import parse, read_published
from domain.errors import BundleRefused


def levels_of(content: str) -> Mapping[Level, Bundle]:
    """The files of a published policy by their level, whatever release wrote it. Raises `BundleRefused`."""
    sources = _sources(content)
    if sources is None:
        return {Level.TENANT: read_published(content)}
    try:
        return {Level(level): parse(json.dumps(source)) for level, source in sources.items()}
    except ValueError:
        raise BundleRefused("it names a level that nobody knows") from None


def _sources(content: str) -> Mapping[str, object] | None:
    """None for what earlier releases stored: one document without levels."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise BundleRefused("it is not a published policy") from None
    sources = document.get("sources") if isinstance(document, dict) else None
    return sources if isinstance(sources, dict) else None
