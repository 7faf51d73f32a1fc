"""Homes that the database's own user can reach."""

from collections.abc import Iterator

import pytest

from adapters.embedded.home import Home, temporary_home


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as made:
        yield made
