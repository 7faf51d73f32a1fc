"""Who a Slack user is for a tenant, and how to reach a teammate in Slack."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from adapters.postgres.session import Database
from adapters.postgres.tables import principals, slack_installations
from domain.model import Code, RecordId

ORGANISATION_TEAM = "organisation"  # no Slack team is called so


@dataclass(frozen=True)
class Principal:
    """A teammate and what they are entitled to now."""

    id: RecordId
    slack_user_id: str
    groups: tuple[Code, ...]
    roles: tuple[Code, ...]


class Principals:
    """Reads as `app`, never from memory: a vote's eligibility must be fresh."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_slack_user(self, tenant_id: UUID, team_id: str, user_id: str) -> Principal | None:
        """None for somebody the tenant has not registered."""
        return await self._one(
            tenant_id, principals.c.slack_team_id == team_id, principals.c.slack_user_id == user_id
        )

    async def by_id(self, tenant_id: UUID, principal: RecordId) -> Principal | None:
        """None for somebody the tenant has not registered."""
        return await self._one(tenant_id, principals.c.id == principal)

    async def named(self, tenant_id: UUID, name: str) -> Principal | None:
        """By id, or by the Slack user id in the workspace that is connected; None for anybody else.

        People of the organisation are in no workspace: theirs has its name.
        """
        connected = select(slack_installations.c.team_id).where(slack_installations.c.tenant_id == tenant_id)
        in_slack = and_(
            principals.c.slack_user_id == name,
            or_(
                principals.c.slack_team_id.in_(connected.scalar_subquery()),
                principals.c.slack_team_id == ORGANISATION_TEAM,
            ),
        )
        return await self._one(tenant_id, or_(principals.c.id == name, in_slack))

    async def _one(self, tenant_id: UUID, *conditions: ColumnElement[bool]) -> Principal | None:
        query = select(
            principals.c.id, principals.c.slack_user_id, principals.c.groups, principals.c.roles
        ).where(principals.c.tenant_id == tenant_id, *conditions)
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(query)).first()
        if row is None:
            return None
        return Principal(row.id, row.slack_user_id, tuple(row.groups), tuple(row.roles))
