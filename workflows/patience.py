"""What happens while nobody answers a question: reminders, more people, the end. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from domain.decision import Obligations
from domain.model import Code

# A question without an end is not brought up for ever.
MOST_REMINDERS = 20


class Moment(NamedTuple):
    """When the team is told again, and who may answer from then on besides those before."""

    at: datetime
    groups: tuple[Code, ...] = ()


def moments(obligations: Obligations, asked_at: datetime, due: datetime) -> list[Moment]:
    """In their order, all of them before `due`. Several at one time are one."""
    found = {moment.at: moment for moment in _reminders(obligations, asked_at)}
    for rung in obligations.ladder or ():
        at = asked_at + timedelta(seconds=rung.after_s)
        known = found.get(at, Moment(at))
        found[at] = Moment(at, (*known.groups, *rung.approver_groups))
    return sorted(moment for moment in found.values() if moment.at < due)


def _reminders(obligations: Obligations, asked_at: datetime) -> list[Moment]:
    if obligations.remind_every_s is None:
        return []
    every = timedelta(seconds=obligations.remind_every_s)
    return [Moment(asked_at + every * count) for count in range(1, MOST_REMINDERS + 1)]
