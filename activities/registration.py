"""Collects what a worker registers from the step objects a composition root has made."""

from collections.abc import Callable, Iterator
from typing import Any

# The SDK's decorator leaves this mark on a step.
MARK = "__temporal_activity_definition"


def steps_of(*instances: object) -> list[Callable[..., Any]]:
    """Every `@activity.defn` method of the given objects, to be handed to a Worker."""
    return [step for instance in instances for step in _steps(instance)]


def _steps(instance: object) -> Iterator[Callable[..., Any]]:
    for name in dir(type(instance)):
        if hasattr(getattr(type(instance), name), MARK):
            yield getattr(instance, name)
