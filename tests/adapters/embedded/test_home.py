"""The directory for state: permissions, secrets and refusals."""

import os
import stat
from pathlib import Path

import pytest

from adapters.embedded.errors import HomeNotUsable
from adapters.embedded.files import is_locked, last_line, take_lock
from adapters.embedded.home import Home, open_home


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_sees_what_is_in_it(home: Home) -> None:
    assert _mode(home.path) == (0o711 if os.geteuid() == 0 else 0o700)
    assert {_mode(path) for path in (home.secrets, home.temporal, home.logs, home.run)} == {0o700}


def test_a_directory_that_was_open_is_closed(home: Home) -> None:
    home.secrets.chmod(0o755)

    open_home(home.path)

    assert _mode(home.secrets) == 0o700


def test_a_link_is_not_followed(home: Home) -> None:
    (home.path / "link").symlink_to(home.logs)

    with pytest.raises(HomeNotUsable, match="is a symbolic link"):
        open_home(home.path / "link")


def test_a_file_is_no_home(home: Home) -> None:
    (home.path / "file").write_text("")

    with pytest.raises(HomeNotUsable, match="is not a directory"):
        open_home(home.path / "file")


def test_a_directory_of_other_files_is_left_as_it_was(home: Home) -> None:
    foreign = home.path / "foreign"
    foreign.mkdir(mode=0o750)
    (foreign / "letter").write_text("dear")

    with pytest.raises(HomeNotUsable, match="holds other files"):
        open_home(foreign)

    assert (_mode(foreign), [path.name for path in foreign.iterdir()]) == (0o750, ["letter"])


def test_a_secret_is_made_once_and_closed(home: Home) -> None:
    words = iter(["first", "second"])

    made = [home.secret("word", lambda: next(words)) for _ in range(2)]

    assert made == ["first", "first"]
    assert _mode(home.secrets / "word") == 0o600


def test_a_lock_is_held_until_its_descriptor_is_closed(home: Home) -> None:
    held = take_lock(home.run / "lock")
    assert held is not None
    assert take_lock(home.run / "lock") is None

    os.close(held)

    assert not is_locked(home.run / "lock")


def test_the_last_line_of_a_log_is_found(home: Home) -> None:
    (home.logs / "a.log").write_text("one\ntwo\n\n")

    assert (last_line(home.logs / "a.log"), last_line(home.logs / "none.log")) == ("two", "")
