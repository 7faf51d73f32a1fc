"""Whose policy a command is about, and who says so: options and look-ups that the commands share."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

import click

from adapters.policy.bundle import Level
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.observations import ObservationRecords
from adapters.postgres.policies import ORGANISATION, level_of
from adapters.postgres.policy_moves import Movers
from adapters.postgres.policy_register import Place
from adapters.postgres.principals import Principals
from adapters.postgres.session import Database
from adapters.postgres.tenant_list import listed_tenants
from adapters.settings import Environment, Settings, needed
from cli.connected import running_settings
from cli.tenants import PolicyStores, policy_stores
from domain.model import RecordId

OWNER_URL = "COUNTERSIGN_OWNER_DATABASE_URL"
Command = Callable[..., Any]


class NoSuchTenant(Exception):
    """The name is nobody's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Tenant {name!r} does not exist. `countersign tenant add` makes one")


class NoSuchPerson(Exception):
    """Nobody is registered under the name there."""

    def __init__(self, name: str, place: str) -> None:
        remedy = "`countersign policy staff`" if place == "the organisation" else "the tenant file"
        super().__init__(f"{name!r} is nobody of {place}. People are registered with {remedy}")


class PlaceUnclear(click.UsageError):
    """Two levels, or none."""

    def __init__(self) -> None:
        super().__init__("Write --organisation, or --tenant NAME, or --tenant NAME with --agent AGENT")


@dataclass(frozen=True)
class Whose:
    """What the options said."""

    tenant: str | None
    organisation: bool
    agent: str | None

    def __post_init__(self) -> None:
        if self.organisation == bool(self.tenant) or (self.agent and not self.tenant):
            raise PlaceUnclear

    @property
    def level(self) -> Level:
        """Whose policy it is."""
        if self.organisation:
            return Level.ORGANISATION
        return Level.AGENT if self.agent else Level.TENANT

    @property
    def words(self) -> str:
        """For sentences."""
        if self.organisation:
            return "the organisation"
        return f"agent {self.agent!r} of {self.tenant!r}" if self.agent else repr(self.tenant)


class Policies:
    """Policies of one place, opened for one command."""

    def __init__(self, owner: Database, whose: Whose, place: Place) -> None:
        self._owner = owner
        self.whose = whose
        self.place = place
        self.stores: PolicyStores = policy_stores(owner)
        self.observations = ObservationRecords(owner)

    @property
    def level(self) -> Level:
        """Of the place."""
        return level_of(self.place.tenant_id, self.place.agent)

    async def tenants(self) -> Sequence[UUID]:
        """Those that the place binds."""
        if self.level is not Level.ORGANISATION:
            return [self.place.tenant_id]
        return [each.tenant_id for each in await listed_tenants(self._owner)]

    async def person(self, name: str) -> RecordId:
        """By id or Slack user. Raises `NoSuchPerson`."""
        found = await Principals(self._owner).named(self.place.tenant_id, name)
        if found is None:
            raise NoSuchPerson(
                name, "the organisation" if self.whose.organisation else repr(self.whose.tenant)
            )
        return found.id

    async def people(self, names: Sequence[str]) -> tuple[RecordId, ...]:
        """Raises `NoSuchPerson`."""
        return tuple([await self.person(name) for name in names])

    async def movers(self, by: str | None, second: str | None, *, development: bool = False) -> Movers:
        """Raises `NoSuchPerson`."""
        people = [await self.person(name) if name else None for name in (by, second)]
        return Movers(people[0], people[1], development=development)


@asynccontextmanager
async def policies_of(whose: Whose, settings: Settings | None = None) -> AsyncIterator[Policies]:
    """Open for one command. Raises `NoSuchTenant`."""
    known = settings or running_settings()
    owner = Database(needed(known.owner_database_url, OWNER_URL), pool_size=1)
    try:
        yield Policies(owner, whose, await place_of(owner, whose))
    finally:
        await owner.close()


async def place_of(owner: Database, whose: Whose) -> Place:
    """Raises `NoSuchTenant`."""
    if whose.tenant is None:
        return Place(ORGANISATION)
    tenant_id = await Directory(owner).tenant_of(DirectoryKind.NAME, whose.tenant)
    if tenant_id is None:
        raise NoSuchTenant(whose.tenant)
    return Place(tenant_id, whose.agent or "")


def in_development(settings: Settings) -> bool:
    """Where one person may do what takes two in production."""
    return settings.environment is not Environment.PRODUCTION


def place_options(command: Command) -> Command:
    """`--tenant`, `--organisation`, `--agent`, of which one place is needed: the command gets `whose`."""

    @wraps(command)
    def placed(*, tenant: str | None, organisation: bool, agent: str | None, **others: Any) -> Any:
        return command(whose=Whose(tenant, organisation, agent), **others)

    return _with_options(placed)


def maybe_place_options(command: Command) -> Command:
    """The same; `whose` is None where none is given."""

    @wraps(command)
    def placed(*, tenant: str | None, organisation: bool, agent: str | None, **others: Any) -> Any:
        given = tenant or organisation or agent
        return command(whose=Whose(tenant, organisation, agent) if given else None, **others)

    return _with_options(placed)


def _with_options(command: Command) -> Command:
    options = (
        click.option("--tenant", help="The tenant's name."),
        click.option("--organisation", is_flag=True, help="The policy that binds every tenant."),
        click.option("--agent", help="Of one agent of the tenant."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def short(version: str | None) -> str:
    """Enough to name it."""
    return version.removeprefix("sha256:")[:12] if version else "none"
