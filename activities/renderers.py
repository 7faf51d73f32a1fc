"""Every renderer a bundle was ever made with. An entry is never removed or changed.

With a new `RENDERER_VERSION` the old code moves to a module of its own and stays here under its version.
"""

from collections.abc import Callable, Mapping

from activities.bundle import bundle_text
from domain.handoff import HandoffFacts
from domain.model import Version

RENDERERS: Mapping[Version, Callable[[HandoffFacts, str, str], str]] = {"1": bundle_text}
