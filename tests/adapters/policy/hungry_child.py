"""A child bound like that of the smoke evaluation, which takes memory instead."""

from typing import Any

from adapters.policy import smoke_functions


def take(megabytes: Any) -> int:
    return len(bytearray(megabytes * 1024**2))


FUNCTIONS = {"take": take}
warm = smoke_functions.warm
