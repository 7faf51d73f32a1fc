"""Logs say what happened and where, and never what somebody wrote."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from adapters.structured_logs import set_up_logs

PLANTED = "anna.planted@example.com"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    path = tmp_path / "log.jsonl"
    set_up_logs("info", "worker", path)
    yield path
    root.handlers[0].close()
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def failing() -> None:
    try:
        dict[str, str]()[PLANTED]
    except KeyError as error:
        raise ValueError(f"could not read {PLANTED}") from error


def test_event_has_fields_and_service(file: Path) -> None:
    structlog.get_logger("relay").info("ticket_started", ticket="t1")

    (line,) = lines(file)
    assert (line["event"], line["ticket"], line["service"], line["level"]) == (
        "ticket_started",
        "t1",
        "worker",
        "info",
    )


def test_exception_is_told_without_its_text(file: Path) -> None:
    try:
        failing()
    except ValueError:
        structlog.get_logger().exception("step_failed")

    (line,) = lines(file)
    assert PLANTED not in file.read_text()
    error = line["error"]
    assert isinstance(error, dict)
    assert error["type"] == "ValueError"
    assert error["cause"]["type"] == "KeyError"
    assert error["frames"][-1].startswith("test_structured_logs.py:")


def test_exception_as_a_field_is_told_without_its_text(file: Path) -> None:
    structlog.get_logger().warning("step_failed", why=ValueError(PLANTED))

    assert lines(file)[0]["why"] == "ValueError"


@pytest.mark.parametrize("name", ["temporalio.activity", "slack_bolt", "presidio-anonymizer", "anybody"])
def test_texts_of_other_libraries_stay_behind(file: Path, name: str) -> None:
    logger = logging.getLogger(name)
    try:
        failing()
    except ValueError as error:
        logger.exception(f"Completing as failure: {error}")  # noqa: G004, TRY401 - as the SDK does it
        logger.warning("Failed on %s", PLANTED)
        logger.error(ValueError("anna"))  # noqa: TRY400 - some do

    assert "anna" not in file.read_text()
    first, second, third = lines(file)
    assert str(first["event"]).startswith("test_structured_logs.test_texts_of_other_libraries")
    assert second["event"] == "Failed on %s"
    assert first["error"]
    assert third["level"] == "error"


def test_events_of_workflows_keep_their_name_and_run(file: Path) -> None:
    run = {"workflow_id": "ticket:1:2", "attempt": 1}
    logging.getLogger("temporalio.workflow").warning(
        "signal_dropped (%s)" % run,  # noqa: UP031, G002 - as the SDK's adapter does it
        extra={"temporal_workflow": run},
    )

    (line,) = lines(file)
    assert (line["event"], line["temporal_workflow"]) == ("signal_dropped", run)


def test_level_is_kept(file: Path) -> None:
    structlog.get_logger().debug("too_much")

    assert lines(file) == []
