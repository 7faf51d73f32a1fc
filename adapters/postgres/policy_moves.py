"""Moves the pointers to policies: who may, what it loosens, one audited event each. Runs as `owner`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg.errors import LockNotAvailable
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.policy.stricter import Loosening, loosened
from adapters.postgres.policies import ORGANISATION
from adapters.postgres.policy_changes import Levels, changes_of
from adapters.postgres.policy_register import Place, audit, content_of, move_pointer, pointed_at
from adapters.postgres.session import Database
from adapters.postgres.tables import policy_pointers, principals
from domain.model import Digest, RecordId

MOVERS = frozenset({"admin", "compliance"})
JUDGED_WITHIN_S = 300
POLICY_LOCK = 7_231_995_460
MOST_TOLD = 50

# Tenants move beside each other, and the organisation while nobody else does: nothing is judged against a
# policy that another move is about to replace.
LOCKS = {
    True: "select pg_advisory_xact_lock(:lock)",
    False: "select pg_advisory_xact_lock_shared(:lock),"
    " pg_advisory_xact_lock(hashtextextended('policy:' || :tenant, 0))",
}
PATIENCE = text("set local lock_timeout = '10s'")

Judge = Callable[[Levels, Levels], Sequence[Loosening]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Movers:
    """Who moves a pointer, and who else agreed. Outside production one person may do what takes two."""

    by: RecordId | None = None  # None: whoever operates the installation
    second: RecordId | None = None
    development: bool = False


@dataclass(frozen=True)
class Moved:
    """What a move changed: nothing, where `before`, which the pointer named, is the same version."""

    version: Digest
    before: Digest | None
    loosened: Sequence[Loosening] = ()

    @property
    def changed(self) -> bool:
        """Whether the pointer moved."""
        return self.version != self.before


class MoverMissing(Exception):
    """A policy is replaced by nobody."""

    def __init__(self) -> None:
        super().__init__("Another policy is in force. Say who replaces it with --by")


class MoverNotEntitled(Exception):
    """The person is not registered there, or has no role that moves policies."""

    def __init__(self) -> None:
        super().__init__(
            "A policy is moved by a registered person with the role compliance or admin. Give them that role"
        )


class SecondPersonNeeded(Exception):
    """One person may not lower enforcement."""

    def __init__(self, found: Sequence[Loosening]) -> None:
        shown = "; ".join(each.sentence for each in found[:3])
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        super().__init__(
            f"This may lower enforcement: {shown}{more}. It takes a second person: name them with --second"
        )
        self.found = found


class SamePerson(Exception):
    """Two people are two."""

    def __init__(self) -> None:
        super().__init__("The second person must be another than the first")


class MovesInParallel(Exception):
    """Somebody else holds the lock."""

    def __init__(self) -> None:
        super().__init__("Another policy is being moved. Try again when that is done")


class JudgedTooLong(Exception):
    """The bound on an organisation's change."""

    def __init__(self) -> None:
        super().__init__(
            f"The change was not judged for every tenant within {JUDGED_WITHIN_S} seconds. Nothing was moved"
        )


class PolicyMoves:
    """`judge` says what a change may loosen for one tenant and agent."""

    def __init__(self, database: Database, judge: Judge = loosened) -> None:
        self._database = database
        self._judge = judge

    async def activate(
        self, place: Place, version: Digest, movers: Movers, progress: Progress | None = None
    ) -> Moved:
        """From its commit on it decides. Raises the errors above, `NoSuchVersion` and `BundleRefused`."""
        try:
            async with (
                asyncio.timeout(JUDGED_WITHIN_S),
                self._database.transaction(place.tenant_id) as session,
            ):
                await _lock(session, place)
                before = await pointed_at(session, place, "active")
                moved = Moved(version, before)
                if moved.changed:
                    moved = await self._moved(session, place, moved, movers, progress)
        except TimeoutError:
            raise JudgedTooLong from None
        except DBAPIError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise MovesInParallel from None
            raise
        return moved

    async def try_out(self, place: Place, version: Digest | None, by: RecordId) -> Moved:
        """Makes it the candidate, which decides nothing; None ends the trial. One person may."""
        try:
            async with self._database.transaction(place.tenant_id) as session:
                await _lock(session, place)
                await _entitled(session, place, by)
                before = await pointed_at(session, place, "candidate")
                if version is None:
                    await _end_trial(session, place)
                else:
                    await content_of(session, place, version)
                    await move_pointer(session, place, "candidate", version, moved_by=by)
                content = {"version": version, "before": before, "by": by}
                if version != before:
                    await audit(session, place, "policy_tried" if version else "policy_trial_ended", content)
        except DBAPIError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise MovesInParallel from None
            raise
        return Moved(version or "", before)

    async def _moved(
        self,
        session: AsyncSession,
        place: Place,
        moved: Moved,
        movers: Movers,
        progress: Progress | None,
    ) -> Moved:
        await content_of(session, place, moved.version)
        first = moved.before is None and place.tenant_id != ORGANISATION and not place.agent
        await _check_people(session, place, movers, first=first)
        # Before its first policy a tenant is denied everything, unless the organisation decides for it.
        judged = not first or await pointed_at(session, Place(ORGANISATION), "active") is not None
        found: Sequence[Loosening] = (
            await self._found(session, place, moved.version, progress) if judged else ()
        )
        if found and None in (movers.by, movers.second) and not movers.development:
            raise SecondPersonNeeded(found)
        await move_pointer(session, place, "active", moved.version, moved_by=movers.by, second=movers.second)
        trial_ended = await pointed_at(session, place, "candidate") == moved.version
        if trial_ended:
            await _end_trial(session, place)
        await audit(
            session,
            place,
            "policy_activated",
            {
                "version": moved.version,
                "before": moved.before,
                "by": movers.by,
                "second": movers.second,
                "development": movers.development,
                "loosened": [_told(each) for each in found[:MOST_TOLD]],
                "trial_ended": trial_ended,
            },
        )
        return Moved(moved.version, moved.before, found)

    async def _found(
        self, session: AsyncSession, place: Place, version: Digest, progress: Progress | None
    ) -> Sequence[Loosening]:
        found: dict[Loosening, None] = {}
        async for change, done, of in changes_of(session, place, version):
            found |= dict.fromkeys(change.unreadable or self._judge(change.before, change.after))
            if progress is not None:
                progress(done, of)
            await asyncio.sleep(0)  # the deadline and the bar
        return tuple(found)


async def _lock(session: AsyncSession, place: Place) -> None:
    await session.execute(PATIENCE)
    whole = place.tenant_id == ORGANISATION
    values: dict[str, object] = {"lock": POLICY_LOCK}
    if not whole:
        values["tenant"] = str(place.tenant_id)
    await session.execute(text(LOCKS[whole]), values)


async def _check_people(session: AsyncSession, place: Place, movers: Movers, *, first: bool) -> None:
    if movers.by is None and not (first or movers.development):
        raise MoverMissing
    if movers.second is not None and movers.second == movers.by:
        raise SamePerson
    for person in (movers.by, movers.second):
        if person is not None:
            await _entitled(session, place, person)


async def _entitled(session: AsyncSession, place: Place, person: RecordId) -> None:
    """Locked against a change: whoever is being retired moves before it, or not at all."""
    query = (
        select(principals.c.roles)
        .where(principals.c.tenant_id == place.tenant_id, principals.c.id == person)
        .with_for_update(read=True)
    )
    roles = (await session.execute(query)).scalar_one_or_none()
    if not MOVERS.intersection(roles or ()):
        raise MoverNotEntitled


async def _end_trial(session: AsyncSession, place: Place) -> None:
    await session.execute(
        delete(policy_pointers).where(
            policy_pointers.c.tenant_id == place.tenant_id,
            policy_pointers.c.agent == place.agent,
            policy_pointers.c.kind == "candidate",
        )
    )


def _told(found: Loosening) -> dict[str, str | None]:
    return {"level": found.level.value, "rule": found.rule, "kind": found.kind.value}
