"""Office hours by the clock of a time zone: every zone decides, on days of 23 and 25 hours too."""

from typing import Any
from zoneinfo import available_timezones

import pytest

from domain.decision import Verdict
from tests.adapters.policy.deciding import asked, codes, decide, policy

ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def decided(moment: Any, hours: dict[str, Any]) -> list[str]:
    return codes(decide(policy([{"allow": True, "hours": hours}]), asked(at=moment)))


def berlin(**more: Any) -> dict[str, Any]:
    return {"zone": "Europe/Berlin", **more}


@pytest.mark.parametrize("zone", [*ZONES[::9], "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"])
def test_every_time_zone_can_be_decided_with(zone: str) -> None:
    hours = {"zone": zone, "open": {"daily": ["00:00-12:00"]}}

    found = {decided(f"2026-07-24T{hour:02d}:15:00Z", hours)[0] for hour in range(0, 24, 6)}

    assert found == {"allowed", "outside_hours"}


@pytest.mark.parametrize(
    "moment",
    [
        *["", "now", 0, 1764583200, None, [], {}, True],
        *[
            "2026-11-24",
            "2026-11-24T10:00:00",
            "2026-11-24 10:00:00Z",
            "2026-11-24T10:00Z",
            "20261124T100000Z",
        ],
        *["2026-11-24T24:00:00Z", "2026-11-24T10:00:60Z", "2026-13-24T10:00:00Z", "2026-00-10T10:00:00Z"],
        *[
            "2026-11-24t10:00:00z",
            "2026-11-24T10:00:00,5Z",
            "2026-11-24T10:00:00+15:00",
            "2026-W48-2T10:00:00Z",
        ],
        *["0001-01-01T00:00:00Z", "1677-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
    ],
)
def test_moment_that_engines_could_read_differently_is_none(moment: Any) -> None:
    document = asked() if moment is None else asked(at=moment)

    answered = decide(policy([{"allow": True, "hours": berlin(open={"daily": ["00:00-24:00"]})}]), document)

    assert (answered.verdict, codes(answered)) == (Verdict.DENY, ["time_missing"])


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-11-24T10:00:00Z", "allowed"),
        ("2026-11-24T10:00:00.123456789Z", "allowed"),
        ("2026-11-24T10:00:00+05:30", "allowed"),
        ("1900-01-01T00:00:00Z", "allowed"),
        ("2099-12-31T23:59:59Z", "allowed"),
    ],
)
def test_moment_with_its_zone_is_one(moment: str, code: str) -> None:
    assert decided(moment, berlin(open={"daily": ["00:00-24:00"]})) == [code]


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-03-29T00:59:00Z", "outside_hours"),  # 01:59, and the clock goes on to 03:00
        ("2026-03-29T01:00:00Z", "outside_hours"),
        ("2026-10-24T00:30:00Z", "allowed"),
        ("2026-10-25T00:30:00Z", "allowed"),  # 02:30 for the first time
        ("2026-10-25T01:30:00Z", "allowed"),  # 02:30 again
        ("2026-10-25T02:00:00Z", "outside_hours"),
    ],
)
def test_hour_that_clocks_skip_or_repeat(moment: str, code: str) -> None:
    assert decided(moment, berlin(open={"daily": ["02:00-03:00"]})) == [code]


NIGHTS = {"friday": ["22:00-02:00"], "saturday": ["01:00-03:00", "23:00-24:00"], "sunday": ["23:30-00:00"]}


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-11-27T20:59:00Z", "outside_hours"),
        ("2026-11-27T21:00:00Z", "allowed"),  # Friday 22:00
        ("2026-11-28T00:30:00Z", "allowed"),  # Saturday 01:30, in both
        ("2026-11-28T01:30:00Z", "allowed"),  # Saturday 02:30, in the second
        ("2026-11-28T02:00:00Z", "outside_hours"),
        ("2026-11-28T22:59:00Z", "allowed"),  # Saturday 23:59
        ("2026-11-28T23:00:00Z", "outside_hours"),  # Sunday 00:00
        ("2026-11-29T22:30:00Z", "allowed"),  # Sunday 23:30
        ("2026-11-29T23:00:00Z", "outside_hours"),  # Monday 00:00
    ],
)
def test_spans_may_overlap_and_go_over_midnight(moment: str, code: str) -> None:
    assert decided(moment, berlin(open=NIGHTS)) == [code]


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-11-27T22:00:00Z", "outside_hours"),  # Friday night, a holiday
        ("2026-11-27T23:30:00Z", "outside_hours"),  # Saturday 00:30: still Friday's night
        ("2026-11-28T00:30:00Z", "allowed"),  # Saturday 01:30: Saturday's own
    ],
)
def test_holiday_closes_the_night_that_begins_on_it(moment: str, code: str) -> None:
    assert decided(moment, berlin(open=NIGHTS, holidays=["2026-11-27"])) == [code]
