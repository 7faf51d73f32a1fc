"""Policies as they were published: the files that they were made of, level by level."""

from collections.abc import Mapping

from adapters.policy.bundle import Bundle, Level
from adapters.policy.published import read_levels


def levels_of(content: str) -> Mapping[Level, Bundle]:
    """The files of a published policy by their level, whatever release wrote it. Raises `BundleRefused`."""
    return read_levels(content)
