"""Policies that are published and put in force by tests."""

from uuid import UUID

from sqlalchemy import text

from adapters.policy.bundle import Bundle
from adapters.policy.file import parse
from adapters.policy.published import Published
from adapters.policy.tables import pack
from adapters.postgres.policies import ORGANISATION
from adapters.postgres.policy_moves import Movers, PolicyMoves
from adapters.postgres.policy_register import Place, PolicyRegister, Publication
from adapters.postgres.session import Database

TEXT = pack("support_default").read_text()
BUNDLE = parse(TEXT)
AGENT = "support_agent"
ORGANISATION_PLACE = Place(ORGANISATION)
Stores = tuple[PolicyRegister, PolicyMoves]


def limited(limit: str) -> Bundle:
    """Refunds up to the limit go out by themselves."""
    return parse(TEXT.replace('"50.00"', f'"{limit}"'))


async def in_force(stores: Stores, place: Place, file: Published) -> None:
    """Whatever was in force before."""
    await stores[0].publish(place, file, Publication())
    await stores[1].activate(place, file.version, Movers(development=True))


async def events(database: Database, tenant_id: UUID) -> list[tuple[str, dict[str, object]]]:
    """Kind and content, oldest first."""
    query = text("select kind, content from audit_events where tenant_id = :tenant order by at, kind desc")
    async with database.transaction(tenant_id) as session:
        return [(row.kind, row.content) for row in await session.execute(query, {"tenant": tenant_id})]
