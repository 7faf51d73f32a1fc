"""Takes clicks out of the inbox, finds out who clicked and what they may, and casts their votes.

A row is asked about until it is answered; the first answer closes it, a refusal included, because a refused
update id is not remembered and would be judged anew with other roles.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Protocol
from uuid import UUID

import structlog

from adapters.postgres.deliveries import Opened
from adapters.postgres.inbox import InboxState
from adapters.postgres.relay_inbox import WaitingRow
from adapters.postgres.voting import Clicker
from adapters.slack.clicks import Click
from adapters.tracing import continued, traceparent_of
from domain.approval import ApprovalRequest, Eligibility, Vote, VoteRefusal
from domain.errors import ChildDied, ChildOverran, RedactionFailed
from domain.model import ApprovalId, ArtifactRef
from domain.ports import Approvals, ArtifactKind, Artifacts, Redactor, Vault
from domain.ticket import TicketRef
from worker.ballots import Ballots, NoAnswer, NotAsked
from worker.word_to_clicker import WordToClicker

log = structlog.get_logger("worker.votes")

AT_ONCE = 16
# Renewed while the answer is under way, so that the clicks of a killed worker are soon taken by another one.
LEASE = timedelta(seconds=6)
RENEW_EVERY_S = 2.0
# A card can be clicked before its workflow has started; after this it never was.
START_GRACE = timedelta(minutes=1)
SOON = timedelta(seconds=0.5)
LONGEST_DELAY = timedelta(seconds=30)
TRIES_WHEN_LATE = 20
UNREADABLE = (RedactionFailed, ChildDied, ChildOverran)


def utc_now() -> datetime:
    """The clock of eligibility."""
    return datetime.fromtimestamp(time(), UTC)


class WaitingClicks(Protocol):
    """Where clicks wait."""

    async def lease(self, life: timedelta) -> Sequence[WaitingRow]:
        """Rows that nobody else takes for `life`."""
        ...

    async def renew(self, row: WaitingRow, life: timedelta) -> None:
        """Nobody else takes it for `life` from now."""
        ...

    async def postpone(self, row: WaitingRow, by: timedelta) -> None:
        """It may be taken again after `by`."""
        ...


class KeptClicks(Protocol):
    """Opens clicks and ends them."""

    async def open(self, tenant_id: UUID, delivery_id: UUID) -> Opened | None:
        """None where it was ended."""
        ...

    async def close(self, tenant_id: UUID, deliveries: Sequence[UUID], state: InboxState) -> None:
        """Ends it, and its key. Repeating is safe."""
        ...


class Records(Protocol):
    """What was asked, and who clicked."""

    async def request(self, tenant_id: UUID, approval_id: ApprovalId) -> ApprovalRequest | None:
        """None where nobody asked it."""
        ...

    async def clicker(self, tenant_id: UUID, team_id: str, user_id: str) -> Clicker:
        """A stranger has no group."""
        ...


@dataclass(frozen=True)
class VotePorts:
    """What voting needs."""

    waiting: WaitingClicks
    kept: KeptClicks
    records: Records
    redactor: Redactor
    artifacts: Artifacts
    vault: Vault
    approvals: Approvals
    ballots: Ballots
    word: WordToClicker
    clock: Callable[[], datetime] = utc_now


class Votes:
    """One taker of clicks; several may run."""

    def __init__(self, ports: VotePorts, renew_every_s: float = RENEW_EVERY_S) -> None:
        self._ports = ports
        self._renew_every_s = renew_every_s
        self._under_way: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def round(self) -> bool:
        """Takes the clicks that are due, and does not wait for their answers: one may take its time.

        True where more may be waiting.
        """
        rows = await self._ports.waiting.lease(LEASE)
        for row in rows:
            task = asyncio.create_task(self._answer_under_lease(row))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return bool(rows)

    async def drain(self) -> None:
        """Waits for the answers under way."""
        await asyncio.gather(*self._under_way)

    async def _answer_under_lease(self, row: WaitingRow) -> None:
        renewing = asyncio.create_task(self._renew(row))
        try:
            await self._answer_or_postpone(row)
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def _renew(self, row: WaitingRow) -> None:
        while True:
            await asyncio.sleep(self._renew_every_s)
            try:
                await self._ports.waiting.renew(row, LEASE)
            except Exception as error:  # noqa: BLE001 - a vote cast twice under its id counts once
                log.warning("lease_not_renewed", delivery_id=str(row.id), error=type(error).__name__)

    async def _answer_or_postpone(self, row: WaitingRow) -> None:
        async with self._slots:
            try:
                await self._answer(row)
            except NotAsked:
                await self._postpone(row, SOON)
            except Exception as error:  # noqa: BLE001 - one click must not keep the others from being counted
                log.warning("vote_postponed", delivery_id=str(row.id), error=type(error).__name__)
                await self._postpone(row, _delay(row.attempts))

    async def _postpone(self, row: WaitingRow, by: timedelta) -> None:
        try:
            await self._ports.waiting.postpone(row, by)
        except Exception as error:  # noqa: BLE001 - then it waits until its lease ends
            log.warning("lease_kept", delivery_id=str(row.id), error=type(error).__name__)

    async def _answer(self, row: WaitingRow) -> None:
        opened = await self._ports.kept.open(row.tenant_id, row.id)
        if opened is None:
            await self._close(row, InboxState.CONSUMED)
            return
        click = Click.model_validate_json(opened.content)
        request = await self._ports.records.request(row.tenant_id, click.approval_id)
        if request is None:
            log.warning("click_without_approval", delivery_id=str(row.id))
            await self._close(row, InboxState.REFUSED)
            return
        with continued(traceparent_of(request.ticket.ticket_id)):
            await self._vote(row, opened, click, request)

    async def _vote(self, row: WaitingRow, opened: Opened, click: Click, request: ApprovalRequest) -> None:
        clicker = await self._ports.records.clicker(row.tenant_id, click.team_id, click.user_id)
        vote = await self._vote_of(click, clicker, request)
        refusal = await self._cast(row, vote, opened.received_at)
        if refusal is None:
            log.info("vote_taken", approval_id=vote.approval_id, vote=vote.kind)
            await self._close(row, InboxState.CONSUMED)
            return
        await self._refuse(row, click, request, clicker, refusal)

    async def _vote_of(self, click: Click, clicker: Clicker, request: ApprovalRequest) -> Vote:
        reason = await self._redacted(request.ticket, click.reason)
        return Vote(
            approval_id=click.approval_id,
            revision=click.revision,
            digest=click.digest,
            kind=click.kind,
            # Resolved at each attempt, because the workflow takes nothing older than a minute.
            eligibility=Eligibility(
                principal=clicker.principal, groups=clicker.groups, as_of=self._ports.clock()
            ),
            reason=reason,
        )

    async def _redacted(self, ticket: TicketRef, reason: str) -> ArtifactRef | None:
        """What cannot be redacted counts as not written."""
        if not reason:
            return None
        try:
            known = await self._ports.vault.values(ticket)
            safe = await self._ports.redactor.redact_text(reason, known)
        except UNREADABLE as error:
            log.warning("reason_not_kept", error=type(error).__name__)
            return None
        return await self._ports.artifacts.put(ticket, ArtifactKind.REASON, safe.encode())

    async def _cast(self, row: WaitingRow, vote: Vote, clicked_at: datetime) -> VoteRefusal | None:
        try:
            refusal = await self._ports.ballots.cast(row.tenant_id, vote, row.delivery_key)
        except NotAsked:
            if self._ports.clock() - clicked_at < START_GRACE:
                raise
            return VoteRefusal.NOT_PENDING
        if refusal is VoteRefusal.STALE_ELIGIBILITY and row.attempts < TRIES_WHEN_LATE:
            # No worker took the vote for a minute: our delay, not the clicker's.
            raise NoAnswer
        return refusal

    async def _refuse(
        self, row: WaitingRow, click: Click, request: ApprovalRequest, clicker: Clicker, why: VoteRefusal
    ) -> None:
        log.info("vote_refused", approval_id=request.approval_id, why=why)
        await self._ports.approvals.record_refusal(row.tenant_id, request.approval_id, clicker.principal, why)
        await self._close(row, InboxState.REFUSED)
        # The sender finds the Slack user in the vault, under the principal's id.
        await self._ports.vault.keep(request.ticket, {clicker.principal: click.user_id})
        await self._ports.word.tell(request, clicker.principal, f"msg_{row.delivery_key}", why)

    async def _close(self, row: WaitingRow, state: InboxState) -> None:
        await self._ports.kept.close(row.tenant_id, [row.id], state)


def _delay(attempts: int) -> timedelta:
    doubled: timedelta = SOON * (1 << min(attempts, 16))
    return min(doubled, LONGEST_DELAY)
