"""What the doctor finds in a running system, and where there is none."""

import pytest

from adapters.embedded.home import Home
from adapters.settings import Settings
from cli.__main__ import run
from cli.doctor import examine
from cli.processes import Stack
from tests.cli.tiny_children import until


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


def test_where_nothing_was_started_it_says_how(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTERSIGN_HOME", str(home.path / "nothing"))

    assert run(["doctor"]) == 1

    shown = capsys.readouterr().out
    assert "does not exist" in shown
    assert "Run `countersign up`" in shown
    assert not (home.path / "nothing").exists()
