"""What must be known of a vote before it is cast: what was asked, and who clicked."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from adapters.postgres.principals import Principals
from adapters.postgres.session import Database
from adapters.postgres.tables import approvals
from domain.approval import ApprovalRequest
from domain.model import ApprovalId, Code, RecordId


@dataclass(frozen=True)
class Clicker:
    """Who a Slack user is to a tenant. A stranger has an id too, and no group."""

    principal: RecordId
    groups: tuple[Code, ...] = ()


class VotingRecords:
    """Reads, as `app`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._principals = Principals(database)

    async def request(self, tenant_id: UUID, approval_id: ApprovalId) -> ApprovalRequest | None:
        """The question as it was put; None where nobody asked it."""
        query = select(approvals.c.request).where(
            approvals.c.tenant_id == tenant_id, approvals.c.id == approval_id
        )
        async with self._database.transaction(tenant_id) as session:
            found = (await session.execute(query)).scalar_one_or_none()
        return None if found is None else ApprovalRequest.model_validate(found)

    async def clicker(self, tenant_id: UUID, team_id: str, user_id: str) -> Clicker:
        """By team and user together: another company's guest may have the same user id."""
        found = await self._principals.by_slack_user(tenant_id, team_id, user_id)
        if found is None:
            return Clicker(_stranger(tenant_id, team_id, user_id))
        return Clicker(found.id, found.groups)


def _stranger(tenant_id: UUID, team_id: str, user_id: str) -> RecordId:
    named = f"{tenant_id}/{team_id}/{user_id}".encode()
    return "principal_" + hashlib.sha256(named).hexdigest()[:24]
