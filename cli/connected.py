"""What commands need of a running system, opened and closed in one place."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import click
from pydantic import SecretStr
from temporalio.client import Client

from adapters.embedded.home import default_home, open_home
from adapters.histories import RecordedHistories
from adapters.keys import DoorKeys, EnvelopeKeys
from adapters.postgres.archive import ArchivedRuns
from adapters.postgres.artifacts import PostgresArtifacts
from adapters.postgres.connections import DoorConnections
from adapters.postgres.decision_records import DecisionRecords
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.inbox import DoorInbox
from adapters.postgres.inbox_lists import InboxLists
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.observations import ObservationRecords
from adapters.postgres.session import Database
from adapters.postgres.tenant_list import ListedTenant, listed_tenants
from adapters.postgres.ticket_lists import TicketLists
from adapters.settings import Settings
from adapters.temporal import connect
from cli.processes import settings_of_running
from domain.ticket import TicketRef, route_key

NOT_RUNNING = "Nothing is known of a running Countersign. Start it with `countersign up` or `make demo`"
GENERIC = "generic"


@dataclass(frozen=True)
class Connected:
    """Open connections of a person who may do everything on this machine."""

    settings: Settings
    app: Database
    keys: EnvelopeKeys
    tickets: TicketLists
    inbox: InboxLists
    door: DoorInbox
    decisions: DecisionRecords
    observations: ObservationRecords
    _door: DoorConnections

    async def all_tenants(self) -> Sequence[ListedTenant]:
        """By name."""
        owner = Database(_needed(self.settings.owner_database_url), pool_size=1)
        try:
            return await listed_tenants(owner)
        finally:
            await owner.close()

    async def tenant(self, name: str) -> UUID:
        """Raises a sentence where no tenant has the name."""
        tenant_id = await Directory(self.app).tenant_of(DirectoryKind.NAME, name)
        if tenant_id is None:
            raise click.ClickException(f"No tenant is called {name!r}. `countersign tenant list` names them")
        return tenant_id

    async def ticket(self, named: str) -> TicketRef:
        """`harbour_books/1003` is the ticket that the tenant's helpdesk calls 1003."""
        name, slash, external_id = named.partition("/")
        if not (name and slash and external_id):
            raise click.ClickException(
                f"{named!r} names no ticket. Write TENANT/NUMBER, as in harbour_books/1003"
            )
        tenant_id = await self.tenant(name)
        hook = await self._door.webhook(tenant_id, GENERIC)
        if hook is None:
            raise click.ClickException(f"Tenant {name!r} has no helpdesk. Add it to the tenant file")
        return TicketRef(tenant_id=tenant_id, route=route_key(hook[1], GENERIC, external_id))

    @cached_property
    def artifacts(self) -> PostgresArtifacts:
        """What histories refer to."""
        return PostgresArtifacts(self.app, self.keys)

    async def histories(self, *, archive_only: bool = False) -> RecordedHistories:
        """What was recorded of tickets, from Temporal where it still has it."""
        client = None if archive_only else await self.temporal()
        return RecordedHistories(ArchivedRuns(self.app), self.artifacts, client)

    async def temporal(self, *, lazy: bool = False) -> Client:
        """A client that decodes for every tenant; a lazy one connects at its first call."""
        settings = self.settings
        return await connect(
            self.keys,
            address=settings.temporal_address,
            profile=settings.temporal_profile,
            namespace=settings.temporal_namespace,
            role="command",
            lazy=lazy,
        )


@asynccontextmanager
async def connected(settings: Settings | None = None) -> AsyncIterator[Connected]:
    """For one command. Raises a sentence where nothing runs."""
    known = settings or running_settings()
    app = Database(_needed(known.app_database_url), pool_size=1)
    app_keys = Database(_needed(known.app_keys_url), pool_size=1)
    door = Database(_needed(known.door_database_url), pool_size=1)
    door_keys = Database(_needed(known.door_keys_url), pool_size=1)
    master = base64.b64decode(_needed(known.master_key))
    keys = EnvelopeKeys(PostgresKeyStore(app_keys), master)
    opened = DoorKeys(PostgresKeyStore(door_keys), master)
    lists = (TicketLists(app, keys), InboxLists(app, keys), DoorInbox(door, opened))
    records = (DecisionRecords(door), ObservationRecords(door))
    try:
        yield Connected(known, app, keys, *lists, *records, DoorConnections(door, opened))
    finally:
        for database in (app, app_keys, door, door_keys):
            await database.close()


def running_settings() -> Settings:
    """The environment, and what `up` on this home wrote down."""
    settings = Settings()
    path = settings.home or default_home()
    return settings_of_running(open_home(path), settings) if path.exists() else settings


def _needed(secret: SecretStr | None) -> str:
    if secret is None:
        raise click.ClickException(NOT_RUNNING)
    return secret.get_secret_value()
