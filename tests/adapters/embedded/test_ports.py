"""Ports: the last one, the usual one, any."""

import socket
from collections.abc import Iterator

import pytest

from adapters.embedded.home import Home
from adapters.embedded.ports import any_free_port, is_free, is_listening


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_the_usual_port_is_chosen_where_it_is_free(home: Home) -> None:
    usual = any_free_port()

    assert home.ports.choose("api", usual) == usual


def test_another_one_is_chosen_where_the_usual_one_is_taken(home: Home, taken: int) -> None:
    chosen = home.ports.choose("api", taken)

    assert chosen != taken
    assert is_free(chosen)


def test_last_times_port_comes_before_the_usual_one(home: Home) -> None:
    last = any_free_port()
    home.ports.remember({"api": last})

    assert home.ports.choose("api", any_free_port()) == last


def test_remembering_one_keeps_the_others(home: Home) -> None:
    home.ports.remember({"api": 1})
    home.ports.remember({"temporal": 2})

    assert home.ports.all() == {"api": 1, "temporal": 2}


def test_a_listening_port_is_told_from_a_free_one(taken: int) -> None:
    assert (is_listening(taken), is_free(taken)) == (True, False)
