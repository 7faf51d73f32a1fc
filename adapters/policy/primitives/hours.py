"""`hours`: only while the office is open, by the clock of its time zone."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, JsonValue, PlainSerializer, model_validator

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Asked, Eased, Found, Json, softer
from adapters.policy.reading import at
from adapters.policy.suggestion import perhaps
from domain.conversation import TextModel
from domain.decision import Verdict

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPANS = {"weekdays": DAYS[:5], "weekend": DAYS[5:], "daily": DAYS}
SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OF_THE_MACHINE = frozenset({"localtime", "Factory"})  # another time on another machine
WHOLE_DAY = 24 * 60
MOMENT = re.compile(
    r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)


def _minutes(text: object) -> tuple[int, int]:
    found = SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('must look like "09:00-17:30"')
    start, end = (int(found[i]) * 60 + int(found[i + 1]) for i in (1, 3))
    if start == end or end > WHOLE_DAY:
        raise ValueError('must look like "09:00-17:30"')
    return start, end


def _calendar_day(text: object) -> object:
    """Never a number: seconds since 1970 would be a day too."""
    if not isinstance(text, str) or not DAY.fullmatch(text):
        raise ValueError('must be a day such as "2026-12-25"')
    return text


def _as_span(minutes: tuple[int, int]) -> str:
    start, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes)
    return f"{start}-{end}"


# Written "09:00-17:30", held as minutes of the day.
OpenSpan = Annotated[tuple[int, int], BeforeValidator(_minutes), PlainSerializer(_as_span)]
CalendarDay = Annotated[date, BeforeValidator(_calendar_day)]


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """Read from disk once: it takes longer than the rest of a policy together."""
    return frozenset(available_timezones()) - OF_THE_MACHINE


class Hours(TextModel):
    """From a minute on, until before another; a span over midnight belongs to the day it begins on."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {
        "time_missing": "It is not known what time it is",
        "outside_hours": "This is done during office hours only",
    }

    zone: str = Field(max_length=64)
    open: dict[str, tuple[OpenSpan, ...]] = Field(min_length=1)
    holidays: tuple[CalendarDay, ...] = Field((), max_length=400)
    outside: Asked = Asked.DENY

    @model_validator(mode="after")
    def _known(self) -> Self:
        zones = _zones()
        if self.zone not in zones:
            near = perhaps(self.zone, sorted(zones)) or ", such as Europe/Berlin"
            raise ValueError(f"{self.zone!r} is not a time zone{near}")
        unknown = sorted(set(self.open) - set(DAYS) - set(SPANS))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not a day: monday to sunday, weekdays, weekend or daily")
        days = [day for name in self.open for day in SPANS.get(name, (name,))]
        twice = next((day for day in DAYS if days.count(day) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} is written twice: nothing says which hours are meant")
        return self

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """Minutes of each day. A span over midnight is not cut: it belongs to the day it begins on."""
        days: dict[str, JsonValue] = {}
        for name, spans in self.open.items():
            for day in SPANS.get(name, (name,)):
                days[day.title()] = [[start, end] for start, end in sorted(spans)]
        return {
            "zone": self.zone,
            "days": days,
            "holidays": [*sorted({day.isoformat() for day in self.holidays})],
            "outside": self.outside.value,
        }

    @staticmethod
    def find(check: Any, document: Json) -> Iterator[Found]:
        """Nothing while it is open."""
        moment = _moment(at(document, "at"))
        if moment is None:
            yield Verdict.DENY, "time_missing"
        elif not _open(check, moment.astimezone(ZoneInfo(check["zone"]))):
            yield Verdict(check["outside"]), "outside_hours"

    @staticmethod
    def eased(before: Any, after: Any, action: str) -> Iterator[Eased]:  # noqa: ARG004 - the protocol
        """More open minutes, fewer holidays, or a milder answer outside."""
        if before["zone"] != after["zone"]:
            yield Eased("hours goes by another clock", proven=False)
        for day in (name.title() for name in DAYS):
            if not _open_minutes(after, day) <= _open_minutes(before, day):
                yield Eased(f"hours opens longer on {day}")
        for holiday in sorted({*before["holidays"]} - {*after["holidays"]}):
            yield Eased(f"hours opens on {holiday}, which was a holiday")
        yield from softer("hours", before["outside"], after["outside"])


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str) or not MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # such as 30 February
        return None


def _open(check: Any, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    today, yesterday = local.date(), date.fromordinal(local.date().toordinal() - 1)
    spans = [] if today.isoformat() in check["holidays"] else check["days"].get(_day(today), [])
    late = [] if yesterday.isoformat() in check["holidays"] else check["days"].get(_day(yesterday), [])
    return any(start <= minute < (end if end > start else WHOLE_DAY) for start, end in spans) or any(
        minute < end for start, end in late if end < start
    )


def _day(day: date) -> str:
    return DAYS[day.weekday()].title()  # the locale has no say


def _open_minutes(check: Any, day: str) -> set[int]:
    """Of the spans that begin on a day, counted from its midnight on and over the next."""
    spans = check["days"].get(day, [])
    return {
        minute for start, end in spans for minute in range(start, end if end > start else end + WHOLE_DAY)
    }
