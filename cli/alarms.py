"""What `countersign doctor` raises about tickets, and the words for each: what is seen, and where help is."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.postgres.operator_counts import NAMED, OperatorCounts
from adapters.postgres.stranded import STRANDED_AFTER
from cli.connected import Connected
from cli.temporal_alarms import Watched

RUNBOOKS = "docs/operating/runbooks.md"
WINDOWS = {
    # A teammate owns it and may not hand it back, so it is shown for a week and not for ever.
    "quarantined": timedelta(days=7).total_seconds(),
    "inbox_waits": 60.0,
    # The worker's sweeper comes every minute; whatever is left later than this is left for ever.
    "effects_claimed": (STRANDED_AFTER + timedelta(minutes=5)).total_seconds(),
    "approvals_overdue": 60.0,
}
LONGEST_UNSEALED = timedelta(seconds=60)


@dataclass(frozen=True)
class Alarm:
    """A kind of trouble. Its name is the heading of its runbook."""

    name: str
    of: str  # what is counted
    remedy: str

    @property
    def runbook(self) -> str:
        """Where to read on."""
        return f"{RUNBOOKS}#{self.name}"


@dataclass(frozen=True)
class Raised:
    """An alarm with what was found; `count` is 0 where all is well."""

    alarm: Alarm
    count: int
    named: Sequence[str] = ()

    @property
    def seen(self) -> str:
        """One line."""
        if not self.count:
            return f"no {self.alarm.of}"
        more = f" and {self.count - len(self.named)} more" if self.count > len(self.named) else ""
        return (
            f"{self.count} {self.alarm.of}: {', '.join(self.named)}{more}"
            if self.named
            else (f"{self.count} {self.alarm.of}")
        )


QUARANTINED = Alarm("quarantined", "quarantined tickets", "Answer them in the helpdesk; nothing else will")
INBOX_WAITS = Alarm(
    "inbox_waits", "deliveries not relayed", "See that a worker and Temporal run: `countersign inbox list`"
)
UNROUTABLE = Alarm(
    "unroutable", "deliveries that name no ticket", "`countersign inbox list --state unroutable`"
)
EFFECTS_UNKNOWN = Alarm(
    "effects_unknown",
    "effects of which nobody knows whether they happened",
    "Look at the provider, then `countersign effect settle`",
)
EFFECTS_CLAIMED = Alarm("effects_claimed", "effects claimed for too long", "See that a worker runs")
APPROVALS_OVERDUE = Alarm("approvals_overdue", "approvals past their time", "See that a worker runs")
WORKFLOWS_STUCK = Alarm("workflows_stuck", "workflows that cannot go on", "Read the worker's log")
TICKETS_SLOW = Alarm("tickets_slow", "tickets in one step for over 15 minutes", "Find the step that waits")
RETENTION_SHORT = Alarm("retention_short", "days that histories are kept, fewer than 7", "Set the retention")
AUDIT_UNSEALED = Alarm("audit_unsealed", "audit events unsealed for too long", "See that a worker seals")
RUNS_UNARCHIVED = Alarm("runs_unarchived", "closed runs without an archive", "See that a worker archives")
POLICIES_UNUSABLE = Alarm(
    "policies_unusable",
    "policies in force that cannot be loaded",
    "Put another version in force: `countersign policy activate`",
)

IN_TABLES = (QUARANTINED, INBOX_WAITS, UNROUTABLE, EFFECTS_UNKNOWN, EFFECTS_CLAIMED, APPROVALS_OVERDUE)
ALARMS = (
    *IN_TABLES,
    WORKFLOWS_STUCK,
    TICKETS_SLOW,
    RETENTION_SHORT,
    AUDIT_UNSEALED,
    RUNS_UNARCHIVED,
    POLICIES_UNUSABLE,
)


async def in_tables(system: Connected) -> Sequence[Raised]:
    """What the records say, over all tenants, in the order of `IN_TABLES`."""
    counts = {alarm.name: 0 for alarm in IN_TABLES}
    named: dict[str, list[str]] = {alarm.name: [] for alarm in IN_TABLES}
    for tenant in await system.all_tenants():
        for name, need in (await OperatorCounts(system.app).of(tenant.tenant_id, WINDOWS)).items():
            counts[name] += need.count
            room = NAMED - len(named[name])
            ids = list(need.named)[:room]
            if name == QUARANTINED.name:
                ids = await system.tickets.numbers(tenant.tenant_id, ids)
            named[name] += [f"{tenant.name}/{each}" for each in ids]
    return [Raised(alarm, counts[alarm.name], named[alarm.name]) for alarm in IN_TABLES]


async def in_temporal(watched: Watched) -> AsyncIterator[Raised]:
    """What only Temporal knows."""
    for alarm, found in ((WORKFLOWS_STUCK, await watched.stuck()), (TICKETS_SLOW, await watched.slow())):
        yield Raised(alarm, found.count, found.named)
    days = await watched.short_retention_days()
    yield Raised(RETENTION_SHORT, days or 0)


def unsealed_audit(age: timedelta | None, waiting: int) -> Raised:
    """From `oldest_unsealed`: how long the oldest event waits for its seal, and how many do."""
    late = age is not None and age > LONGEST_UNSEALED
    return Raised(AUDIT_UNSEALED, waiting if late else 0)


def unusable_policies(named: Sequence[str]) -> Raised:
    """Tenants whose newest policy does not decide; the last good one does, or everything is denied."""
    return Raised(POLICIES_UNUSABLE, len(named), tuple(named[:NAMED]))


def unarchived_runs(workflow_ids: Sequence[str], count: int) -> Raised:
    """Runs closed so long ago that the archive should have them."""
    return Raised(RUNS_UNARCHIVED, count, tuple(workflow_ids[:NAMED]))
