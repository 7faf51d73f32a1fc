"""What pages show beside lists: numbers of tickets, names of teammates, where links lead (role `door`)."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, text

from adapters.door_keys import PageKeys, name_aad, number_aad
from adapters.keys import open_sealed, sealed_by
from adapters.postgres.session import Database
from adapters.postgres.tables import principals
from domain.conversation import TextModel
from domain.model import RecordId

PLACES = text("""
    select name,
        (select jsonb_object_agg(source, ticket_url) from helpdesk_connections
          where tenant_id = :tenant and ticket_url is not null) as ticket_urls,
        (select min(team_id) from slack_installations where tenant_id = :tenant) as team_id
      from tenants where tenant_id = :tenant
""")


class NumberState(StrEnum):
    """Whether a ticket's number can be shown."""

    KNOWN = "known"
    ERASED = "erased"
    NOT_KNOWN = "not_known"  # not read yet, or before numbers were kept for pages


class ShownNumber(TextModel):
    """A ticket's number in its helpdesk; empty unless known."""

    state: NumberState
    text: str = ""


class Places(TextModel):
    """Where a tenant's tickets can be seen by other eyes than ours."""

    tenant: str
    ticket_urls: Mapping[str, str]  # by source, with {number} in them
    team_id: str | None


class PageRecords:
    """Works as `door`."""

    def __init__(self, database: Database, keys: PageKeys) -> None:
        self._database = database
        self._keys = keys

    async def numbers(
        self, tenant_id: UUID, sealed: Mapping[UUID, bytes | None]
    ) -> Mapping[UUID, ShownNumber]:
        """By ticket, all of them, in one round trip."""
        keys = await self._keys.of_numbers(tenant_id, [ticket for ticket, number in sealed.items() if number])
        shown: dict[UUID, ShownNumber] = {}
        for ticket, number in sealed.items():
            key = keys.get(ticket)
            if number is None or ticket not in keys:
                shown[ticket] = ShownNumber(state=NumberState.NOT_KNOWN)
            elif key is None:
                shown[ticket] = ShownNumber(state=NumberState.ERASED)
            else:
                opened = open_sealed(key, number, number_aad(tenant_id, ticket)).decode()
                shown[ticket] = ShownNumber(state=NumberState.KNOWN, text=opened)
        return shown

    async def names(self, tenant_id: UUID, wanted: Collection[RecordId]) -> Mapping[RecordId, str]:
        """Of the teammates that have one for pages; the others are left out."""
        if not wanted:
            return {}
        query = select(principals.c.id, principals.c.shown_name).where(
            principals.c.tenant_id == tenant_id,
            principals.c.id.in_(wanted),
            principals.c.shown_name.is_not(None),
        )
        async with self._database.transaction(tenant_id) as session:
            sealed = {row.id: row.shown_name for row in (await session.execute(query)).all()}
        keys = await self._keys.door_keys(tenant_id, {sealed_by(name) for name in sealed.values()})
        return {
            principal: open_sealed(keys[sealed_by(name)], name, name_aad(tenant_id, principal)).decode()
            for principal, name in sealed.items()
        }

    async def places(self, tenant_id: UUID) -> Places:
        """The tenant's name and its addresses."""
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(PLACES, {"tenant": tenant_id})).one()
        return Places(tenant=row.name, ticket_urls=row.ticket_urls or {}, team_id=row.team_id)
