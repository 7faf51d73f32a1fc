"""What the doctor finds in a running system, and where there is none."""

import pytest
from pydantic import SecretStr

from adapters.embedded.home import Home
from adapters.settings import Settings
from cli.__main__ import run
from cli.doctor import _policy_engine, examine
from cli.processes import Stack
from tests.cli.tiny_children import until
from tests.opa.process import running_opa


async def _wrong(settings: Settings) -> dict[str, str]:
    return {finding.what: finding.remedy async for finding in examine(settings) if finding.remedy}


@pytest.mark.end_to_end
async def test_a_running_system_is_well(stack: Stack) -> None:
    await stack.until_ready()

    assert await _wrong(Settings(_env_file=None, home=stack.home.path)) == {}


@pytest.mark.end_to_end
async def test_a_stopped_api_is_found(stack: Stack) -> None:
    await stack.supervisor.pause("api")
    try:
        wrong = await _wrong(Settings(_env_file=None, home=stack.home.path))
    finally:
        await stack.supervisor.resume("api")
        await stack.until_ready()

    assert set(wrong) == {"api", "doors"}
    assert "api.log" in wrong["api"]


@pytest.mark.end_to_end
async def test_a_stopped_temporal_is_found(stack: Stack) -> None:
    await stack.supervisor.pause("temporal")
    try:
        wrong = await _wrong(Settings(_env_file=None, home=stack.home.path))
    finally:
        await stack.supervisor.resume("temporal")
        await until(stack.supervisor.service("worker-1").is_running)
        await stack.until_ready()

    assert set(wrong) == {"temporal"}


@pytest.mark.parametrize(
    ("url", "seen", "well"),
    [
        ("", "in the worker", True),
        ("http://127.0.0.1:1", "OPA at http://127.0.0.1:1 does not answer, so every action is denied", False),
    ],
)
async def test_which_engine_decides_is_said(url: str, seen: str, well: bool) -> None:  # noqa: FBT001 - a row
    found = await _policy_engine(Settings(_env_file=None, opa_url=url))

    assert (found.seen, not found.remedy) == (seen, well)


async def test_opa_that_answers_is_said() -> None:
    with running_opa("invented-token") as url:
        known = Settings(_env_file=None, opa_url=url, opa_token=SecretStr("invented-token"))

        found = await _policy_engine(known)

    assert (found.seen, found.remedy) == (f"OPA at {url} answers", "")


def test_where_nothing_was_started_it_says_how(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTERSIGN_HOME", str(home.path / "nothing"))

    assert run(["doctor"]) == 1

    shown = capsys.readouterr().out
    assert "does not exist" in shown
    assert "Run `countersign up`" in shown
    assert not (home.path / "nothing").exists()
