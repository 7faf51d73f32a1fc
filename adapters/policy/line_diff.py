"""Two policy files beside each other, line by line, as it is kept with a version."""

from collections.abc import Iterator
from difflib import unified_diff

import yaml

from adapters.policy.bundle import Bundle


def line_diff(before: Bundle | None, after: Bundle) -> str:
    """A unified diff of what both mean, without layout and comments; empty where they mean the same."""
    lines = unified_diff(
        [*_lines(before)] if before else [], [*_lines(after)], "before", "after", lineterm="", n=2
    )
    return "\n".join(lines)


def _lines(bundle: Bundle) -> Iterator[str]:
    yield from yaml.safe_dump(bundle.content(), sort_keys=False, allow_unicode=True, width=120).splitlines()
