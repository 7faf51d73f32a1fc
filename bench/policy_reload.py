"""How long decisions wait while policies change under them, beside the same decisions undisturbed."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import thread_time_ns
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.active_policies import ActivePolicies
from adapters.policy.bundle import Bundle, Level
from adapters.policy.published import published
from bench.figures import Row, percentile
from bench.policy import TENANTS
from bench.policy_tenants import bundle_of, proposed, terms_of
from domain.decision import PolicyInput
from domain.model import Digest

DECISIONS = 1000
Wanted = Sequence[tuple[UUID, PolicyInput]]


@dataclass(frozen=True)
class Pointers:
    """The versions of a tenant's levels."""

    active: Mapping[Level, Digest]
    candidate: Mapping[Level, Digest] = field(default_factory=dict)


@dataclass
class Shelf:
    """Published policies in memory, of one organisation and its tenants."""

    organisation: Digest = ""
    tenants: dict[UUID, Digest] = field(default_factory=dict)
    texts: dict[Digest, str] = field(default_factory=dict)

    def publish(self, bundle: Bundle, tenant_id: UUID | None = None) -> None:
        """In force at once; without a tenant, for the organisation."""
        stored = published(bundle, Level.TENANT if tenant_id else Level.ORGANISATION)
        self.texts[stored.version] = stored.content
        if tenant_id:
            self.tenants[tenant_id] = stored.version
        else:
            self.organisation = stored.version

    async def pointers(self, tenant_id: UUID, agent: str) -> Pointers:  # noqa: ARG002 - the protocol
        """Without a database, so that only what we do is measured."""
        await asyncio.sleep(0)
        return Pointers({Level.ORGANISATION: self.organisation, Level.TENANT: self.tenants[tenant_id]})

    async def contents(self, tenant_id: UUID, versions: Mapping[Level, Digest]) -> Mapping[Level, str]:  # noqa: ARG002
        """What was published."""
        await asyncio.sleep(0)
        return {level: self.texts[version] for level, version in versions.items()}

    async def keep(self, tenant_id: UUID, version: Digest, content: str) -> None:
        """Nowhere."""


@dataclass(frozen=True)
class Waits:
    """From the question to the answer in nanoseconds of the thread's CPU time, whatever it did in between."""

    undisturbed: Sequence[int]
    one_tenant: Sequence[int]
    organisation: Sequence[int]


async def measured(wanted: Wanted, tenants: int) -> Waits:
    """Decides all three times: in peace, while one tenant's policy changes and while everybody's does."""
    shelf, policies = _stocked(tenants)
    for number in range(tenants):
        await policies.active(UUID(int=number))
    quiet = await _beside(_nothing, wanted, policies)
    one = await _beside(lambda: _reload_one(shelf, policies), wanted, policies)
    every = await _beside(lambda: _reload_all(shelf, policies, tenants), wanted, policies)
    return Waits(quiet, one, every)


def measure(rounds: int) -> Sequence[Row]:
    """So many rounds after one that warms up; says how far it is."""
    dice = random.Random(rounds)  # noqa: S311 - the same on every run
    chosen = [dice.randrange(1, TENANTS) for _ in range(DECISIONS)]
    wanted = [(UUID(int=number), proposed(number, dice)) for number in chosen]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        counted = progress.track(range(rounds + 1), description="Reloads")
        return rows_of([asyncio.run(measured(wanted, TENANTS)) for _ in counted][1:])


def said(rounds: int) -> str:
    """How it was measured."""
    return (
        f"`make bench`: {rounds} × {DECISIONS:,} decisions for {TENANTS:,} tenants of one organisation, "
        "alone, beside another tenant whose policy changes without a pause, and beside a change of the "
        "organisation's policy that reaches every tenant, whose own reload counts into its next decision. "
        "Without a database."
    )


def rows_of(rounds: Sequence[Waits]) -> Sequence[Row]:
    """The quickest round's times, and the ratios of all."""
    return [
        _row(f"{what}, P{percent} ms of CPU", rounds, of, percent)
        for what, of in (
            ("one tenant reloads", lambda waits: waits.one_tenant),
            ("an organisation changes", lambda waits: waits.organisation),
        )
        for percent in (50, 99)
    ]


def _row(name: str, rounds: Sequence[Waits], of: Callable[[Waits], Sequence[int]], percent: int) -> Row:
    pairs = [
        (percentile(waits.undisturbed, percent) / 1e6, percentile(of(waits), percent) / 1e6)
        for waits in rounds
    ]
    return Row(
        name=name,
        digits=1,
        no_op=min(quiet for quiet, _ in pairs),
        ticket=min(disturbed for _, disturbed in pairs),
        ratios=[disturbed / quiet for quiet, disturbed in pairs],
    )


def _stocked(tenants: int) -> tuple[Shelf, ActivePolicies]:
    shelf = Shelf()
    shelf.publish(_organisation(0))
    for number in range(tenants):
        shelf.publish(bundle_of(terms_of(number)), UUID(int=number))
    return shelf, ActivePolicies(shelf)


def _organisation(edition: int) -> Bundle:
    return bundle_of(terms_of(5000 + edition), f"edition_{edition}")


async def _beside(
    disturb: Callable[[], Awaitable[None]], wanted: Wanted, policies: ActivePolicies
) -> Sequence[int]:
    disturbing = asyncio.ensure_future(disturb())
    waits = [await _waited(tenant_id, asked, policies) for tenant_id, asked in wanted]
    disturbing.cancel()
    await asyncio.wait([disturbing])
    return waits


async def _waited(tenant_id: UUID, asked: PolicyInput, policies: ActivePolicies) -> int:
    began = thread_time_ns()
    engine = await policies.active(tenant_id)
    engine.decide(asked)
    return thread_time_ns() - began


async def _nothing() -> None:
    return


async def _reload_one(shelf: Shelf, policies: ActivePolicies) -> None:
    edition = 0
    while True:
        edition += 1
        shelf.publish(bundle_of(terms_of(9000 + edition)), UUID(int=0))
        await policies.active(UUID(int=0))


async def _reload_all(shelf: Shelf, policies: ActivePolicies, tenants: int) -> None:
    shelf.publish(_organisation(len(shelf.texts)))
    for number in range(tenants):
        await policies.active(UUID(int=number))
