"""Who published the files that a policy was made of (role `app`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from adapters.postgres.policies import ORGANISATION
from adapters.postgres.session import Database
from adapters.postgres.tables import policy_versions
from domain.conversation import TextModel
from domain.model import Digest


class PublishedFile(TextModel):
    """A version of one level. An author that is None is whoever operates the installation, or not known."""

    level: str
    author: str | None
    reviewers: tuple[str, ...]
    published_at: datetime


class Publications:
    """Works as `app`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant_id: UUID, versions: Sequence[Digest]) -> Mapping[str, PublishedFile]:
        """By level; one that was never published here is left out."""
        columns = (policy_versions.c[name] for name in PublishedFile.model_fields)
        query = select(*columns).where(
            policy_versions.c.tenant_id.in_((tenant_id, ORGANISATION)), policy_versions.c.id.in_(versions)
        )
        async with self._database.transaction(tenant_id) as session:
            found = [
                PublishedFile.model_validate(dict(row)) for row in (await session.execute(query)).mappings()
            ]
        return {each.level: each for each in found}
