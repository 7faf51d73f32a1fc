"""Exports closed histories before Temporal forgets them. Any number of workers may do it.

Visibility is eventually consistent: a run may be listed after others that closed later. So every pass looks
again at what closed shortly before the newest one known, and once an hour at everything there is.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import structlog
from pydantic import ValidationError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.closed_runs import PAGE, ClosedRunPages
from adapters.history_text import digest_of_text, packed, text_of
from adapters.http import Clock, utc_now
from adapters.postgres.archive import ArchivedRuns
from domain.errors import KeyDestroyed, UnknownTenant
from domain.history import ArchivedRun, ClosedRun
from domain.ports import ArtifactKind, Artifacts
from domain.ticket import TicketRef

log = structlog.get_logger("adapters.archiver")

OVERLAP = timedelta(minutes=5)
FULL_PASS_S = 3600.0
AT_ONCE = 8
ALARM_AFTER = timedelta(minutes=30)


class TicketOfRunUnknown(Exception):
    """Nothing says whose key the history belongs under."""

    def __init__(self, run: ClosedRun) -> None:
        super().__init__(f"No ticket is known for run {run.run_id} of {run.workflow_id!r}")


class Archiver:
    """Rounds of one page each, for `Rounds`."""

    def __init__(
        self,
        client: Client,
        rows: ArchivedRuns,
        artifacts: Artifacts,
        *,
        page_size: int = PAGE,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._client = client
        self._rows = rows
        self._artifacts = artifacts
        self._page_size = page_size
        self._seconds = seconds
        self._pages: ClosedRunPages | None = None
        self._is_full = False
        self._full_due_at = seconds()
        self._newest: datetime | None = None
        self._seen_newest: datetime | None = None

    async def round(self) -> bool:
        """Archives what is missing of one page; whether another page follows."""
        try:
            async with self._rows.turn() as mine:
                return mine and await self._page()
        except BaseException:
            self._pages = None  # the pass begins anew, and nothing counts as looked at
            raise

    async def _page(self) -> bool:
        pages = self._pages or self._begin()
        runs = await pages.next()
        closed = [run.closed_at for run in runs]
        self._seen_newest = max(closed + ([self._seen_newest] if self._seen_newest else []), default=None)
        await self._archive(runs)
        if pages.more:
            return True
        self._end()
        return False

    def _begin(self) -> ClosedRunPages:
        self._is_full = self._newest is None or self._seconds() >= self._full_due_at
        since = None if self._is_full or self._newest is None else self._newest - OVERLAP
        self._seen_newest = self._newest
        self._pages = ClosedRunPages(self._client, since=since, page_size=self._page_size)
        return self._pages

    def _end(self) -> None:
        self._pages, self._newest = None, self._seen_newest
        if self._is_full:
            self._full_due_at = self._seconds() + FULL_PASS_S

    async def _archive(self, runs: Sequence[ClosedRun]) -> None:
        routes = await self._rows.missing(runs)
        missing = [run for run in runs if run.run_id in routes]
        room = asyncio.Semaphore(AT_ONCE)
        done = await asyncio.gather(
            *(self._keep(run, routes, room) for run in missing), return_exceptions=True
        )
        if missing and all(error and not _stays_so(error) for error in done):
            raise next(error for error in done if error)  # not a run's trouble: something is away
        for run, error in zip(missing, done, strict=True):
            if error is None:
                continue
            # It must not keep the others waiting. The hourly pass tries again, and `unarchived` names it.
            log.warning("history_not_archived", run_id=str(run.run_id), error=type(error).__name__)

    async def _keep(self, run: ClosedRun, routes: Mapping[UUID, str | None], room: asyncio.Semaphore) -> None:
        async with room:
            ticket = ticket_of(run, routes[run.run_id])
            handle = self._client.get_workflow_handle(run.workflow_id, run_id=str(run.run_id))
            text = text_of(await handle.fetch_history())
            try:
                artifact = await self._artifacts.put(ticket, ArtifactKind.HISTORY, packed(text))
            except KeyDestroyed:
                await self._rows.add(ArchivedRun(ticket, run))
                return
            await self._rows.add(ArchivedRun(ticket, run, digest_of_text(text), artifact))


async def unarchived(
    client: Client,
    rows: ArchivedRuns,
    *,
    older_than: timedelta = ALARM_AFTER,
    limit: int = 100,
    clock: Clock = utc_now,
) -> Sequence[ClosedRun]:
    """Closed runs that should be in the archive and are not: an alarm. Empty where all is well."""
    pages = ClosedRunPages(client, before=clock() - older_than)
    found: list[ClosedRun] = []
    while pages.more and len(found) < limit:
        runs = await pages.next()
        missing = await rows.missing(runs)
        found += [run for run in runs if run.run_id in missing]
    return found[:limit]


def ticket_of(run: ClosedRun, route: str | None) -> TicketRef:
    """From the run's own id, the approval's record, or the ticket's run that asked."""
    named = (f"ticket:{run.tenant_id}:{route}" if route else None, run.workflow_id, run.parent_id)
    for id_ in named:
        if id_ and id_.startswith(f"ticket:{run.tenant_id}:"):
            return TicketRef(tenant_id=run.tenant_id, route=id_.rpartition(":")[2])
    raise TicketOfRunUnknown(run)


def _stays_so(error: BaseException) -> bool:
    """Whether trying again soon cannot help."""
    if isinstance(error, RPCError):
        return error.status is RPCStatusCode.NOT_FOUND
    return isinstance(error, TicketOfRunUnknown | UnknownTenant | ValidationError)
