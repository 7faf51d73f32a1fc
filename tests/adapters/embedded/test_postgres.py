"""The Postgres launcher against real servers: what it promises when things go wrong."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from adapters.embedded import postgres_wheel
from adapters.embedded.errors import HomeNotUsable, OtherServerVersion, PasswordMissing
from adapters.embedded.home import PASSABLE, Home, open_home, temporary_home
from adapters.embedded.postgres import PostgresServer, start_postgres
from adapters.embedded.postgres_data import SERVER_UID
from tests.adapters.embedded.races import python_for, run_as, run_at_once

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
for_all = pytest.mark.skipif(python_for(NOBODY) is None, reason="no Python here that other users may run")

START_AND_SAY = """
import sys
from pathlib import Path
from adapters.embedded.home import open_home
from adapters.embedded.postgres import start_postgres
server = start_postgres(open_home(Path(sys.argv[1])), None)
print(server.pid, server.port)
"""


@contextmanager
def _started(home: Home) -> Iterator[PostgresServer]:
    server = start_postgres(home, None)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Home, PostgresServer]]:
    """One server for what does not disturb it."""
    with temporary_home() as home, _started(home) as server:
        yield home, server


def _ask(server: PostgresServer, statement: str) -> object:
    with psycopg.connect(server.admin_url) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_the_server_is_postgres_18_and_takes_vectors(shared: tuple[Home, PostgresServer]) -> None:
    _, server = shared

    _ask(server, "create extension vector")

    assert str(_ask(server, "show server_version")).startswith("18.")
    assert _ask(server, "select '[1,2]'::vector <-> '[1,2]'::vector") == 0


def test_nobody_is_let_in_without_the_password(shared: tuple[Home, PostgresServer]) -> None:
    _, server = shared

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.admin_url.replace(server.password, "wrong"))


def test_the_password_is_in_no_representation(shared: tuple[Home, PostgresServer]) -> None:
    _, server = shared

    assert server.password not in repr(server)


def test_the_server_listens_on_the_loopback_only(shared: tuple[Home, PostgresServer]) -> None:
    _, server = shared

    listening = [c.laddr for c in psutil.Process(server.pid).net_connections() if c.status == "LISTEN"]

    assert listening == [("127.0.0.1", server.port)]


def test_a_killed_server_comes_back_on_its_port_with_committed_rows(home: Home) -> None:
    first = start_postgres(home, None)
    _ask(first, "create table kept as select 7 as number")

    os.kill(first.pid, signal.SIGKILL)

    with _started(home) as second:
        assert not first.is_running()
        assert second.port == first.port
        assert _ask(second, "select number from kept") == 7


def test_a_second_caller_finds_the_running_server(shared: tuple[Home, PostgresServer]) -> None:
    home, first = shared

    second = start_postgres(home, None)

    assert (second.pid, second.port, second.process) == (first.pid, first.port, None)


def test_whoever_found_it_running_can_stop_it(home: Home) -> None:
    first = start_postgres(home, None)

    start_postgres(home, None).stop()

    assert not first.is_running()


def test_four_racing_first_starts_make_one_server(home: Home) -> None:
    said = run_at_once(START_AND_SAY, 4, str(home.path))

    start_postgres(home, None).stop()
    assert len(set(said)) == 1


def test_a_taken_port_is_left_alone(home: Home) -> None:
    with _started(home) as first:
        port = first.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()

        with _started(home) as second:
            assert second.port != port


@pytest.mark.parametrize("name", ["with a space", "50%25 off", 'quote\'d "home"'])
def test_any_path_will_do(home: Home, name: str) -> None:
    with _started(open_home(home.path / name)) as server:
        assert _ask(server, "select 1") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGSERVICE", "elsewhere"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGTARGETSESSIONATTRS", "standby"),
        ("PGSSLMODE", "require"),
        ("PGOPTIONS", "-c nonsense=1"),
    ],
)
def test_the_callers_libpq_variables_do_not_matter(
    shared: tuple[Home, PostgresServer], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    home, server = shared
    monkeypatch.setenv(name, value)

    assert start_postgres(home, None).pid == server.pid


def test_another_major_is_refused_with_a_sentence(home: Home) -> None:
    (home.pg / "data").mkdir()
    (home.pg / "data" / "PG_VERSION").write_text("16\n")

    with pytest.raises(OtherServerVersion, match="made by Postgres 16 and this is Postgres 18"):
        start_postgres(home, None)


def test_a_lost_password_is_told_and_not_replaced(home: Home) -> None:
    with _started(home):
        pass
    (home.secrets / "postgres_superuser").unlink()

    with pytest.raises(PasswordMissing, match="postgres_superuser"):
        start_postgres(home, None)


def test_a_process_id_that_belongs_to_another_program_by_now_is_no_obstacle(home: Home) -> None:
    with _started(home):
        pass
    _leave_mark(home, os.getpid())

    with _started(home) as server:
        assert _ask(server, "select 1") == 1


def test_a_zombie_is_no_obstacle(home: Home) -> None:
    with _started(home):
        pass
    zombie = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert zombie.stdout
    zombie.stdout.read()
    _leave_mark(home, zombie.pid)

    with _started(home) as server:
        assert _ask(server, "select 1") == 1
    zombie.communicate()


def test_what_a_killed_maker_left_is_swept(home: Home) -> None:
    (home.pg / "data.new-1").mkdir()
    (home.pg / "password-1").write_text("half")

    with _started(home):
        assert sorted(path.name for path in home.pg.iterdir()) == ["data"]


@as_root
def test_as_root_the_server_runs_as_nobody_elses_user(home: Home) -> None:
    with _started(home) as server:
        uids = psutil.Process(server.pid).uids()

    assert set(uids) == {SERVER_UID}
    assert stat.S_IMODE((home.pg / "data").stat().st_mode) == 0o700


@as_root
@for_all
def test_an_ordinary_user_starts_one_too(home: Home) -> None:
    own = _directory_of(NOBODY, home.path)
    code = START_AND_SAY + "server.stop()"

    done = run_as(NOBODY, own, code, str(own / "state"))

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((own / "state").stat().st_mode) == 0o700


@as_root
def test_root_does_not_use_an_ordinary_users_home(home: Home) -> None:
    own = _directory_of(NOBODY, home.path)

    with pytest.raises(HomeNotUsable, match="belongs to another user"):
        open_home(own)


@as_root
@for_all
def test_an_ordinary_user_is_told_that_the_home_is_roots(home: Home) -> None:
    done = run_as(NOBODY, home.path, START_AND_SAY, str(home.path))

    assert "belongs to another user" in done.stderr


@as_root
def test_a_home_that_the_database_user_cannot_reach_is_told(home: Home) -> None:
    closed = home.path / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(HomeNotUsable, match="which the database user cannot pass through"):
        start_postgres(open_home(closed / "home"), None)


@as_root
def test_programs_in_a_closed_environment_are_copied(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = _closed_environment(home.path / "venv")
    monkeypatch.setattr(postgres_wheel, "_wheel_root", lambda: closed)

    with _started(home) as server:
        running = Path(psutil.Process(server.pid).exe())

    assert home.pg in running.parents


def _leave_mark(home: Home, pid: int) -> None:
    mark = home.pg / "data" / "postmaster.pid"
    mark.write_text(f"{pid}\n{home.pg / 'data'}\n0\n1\n\n127.0.0.1\n")
    found = mark.parent.stat()
    os.chown(mark, found.st_uid, found.st_gid)


def _directory_of(user: int, parent: Path) -> Path:
    own = parent / "own"
    own.mkdir(mode=0o700)
    own.parent.chmod(PASSABLE)
    os.chown(own, user, user)
    return own


def _closed_environment(path: Path) -> Path:
    path.mkdir(mode=0o700)
    installed = postgres_wheel._wheel_root()
    for part in (postgres_wheel.MODULE, f"{postgres_wheel.MODULE}.libs"):
        (path / part).symlink_to(installed / part)
    return path
