"""Making the database directory: complete or not there at all, however often the maker is killed."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from adapters.embedded.errors import ServerDidNotStart
from adapters.embedded.files import write_durably
from adapters.embedded.postgres_wheel import ENVIRONMENT, PostgresBinaries, SystemUser, popen_as

ADMIN = "postgres"
# Without an entry in passwd, so shared with nobody; only initdb insists on a name.
SERVER_UID = 61234


def runner() -> SystemUser | None:
    """Whom the server runs as; Postgres refuses to run as root."""
    return SystemUser(SERVER_UID, SERVER_UID) if os.geteuid() == 0 else None


def maker() -> SystemUser | None:
    """Whom initdb runs as."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return SystemUser(nobody.pw_uid, nobody.pw_gid)


def users() -> tuple[SystemUser, ...]:
    """Everybody who must be able to run the programs."""
    return tuple(user for user in (maker(), runner()) if user)


def sweep(folder: Path) -> None:
    """Removes what killed makers left behind."""
    for left in [*folder.glob("data.new-*"), *folder.glob("binaries.new-*")]:
        shutil.rmtree(left)
    for left in folder.glob("password-*"):
        left.unlink()


def make_data(binaries: PostgresBinaries, data: Path, password: str, log: Path) -> None:
    """A new database under another name, then renamed. Caller holds the lock."""
    fresh = data.with_name(f"data.new-{os.getpid()}")
    words = data.with_name(f"password-{os.getpid()}")
    fresh.mkdir(mode=0o700)
    write_durably(words, password)
    _give(fresh, maker())
    _give(words, maker())
    try:
        _initdb(binaries, fresh, words, log)
    finally:
        words.unlink()
    for path in (fresh, *fresh.rglob("*")):
        _give(path, runner())
    fresh.rename(data)


def _initdb(binaries: PostgresBinaries, fresh: Path, words: Path, log: Path) -> None:
    arguments = ["-D", str(fresh), "-U", ADMIN, f"--pwfile={words}", "--auth=scram-sha-256", "-E", "UTF8"]
    # The built-in provider orders text alike on every system and needs no locale of the system's.
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = subprocess.run(  # noqa: S603 - our own programs and paths
        [str(binaries.initdb), *arguments, *locale],
        env=ENVIRONMENT,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **popen_as(maker()),
    )
    if made.returncode:
        said = (made.stderr.strip() or "initdb failed").splitlines()[-1]
        raise ServerDidNotStart("Postgres", log, said)


def _give(path: Path, user: SystemUser | None) -> None:
    if user:
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
