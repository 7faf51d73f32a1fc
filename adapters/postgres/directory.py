"""Finds a tenant by something an outsider presents. Keys are kept as digests only."""

import hashlib
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text

from adapters.postgres.session import Database

LOOK_UP = text("select directory_tenant(:kind, :digest) as tenant_id")


class DirectoryKind(StrEnum):
    """What a tenant can be found by."""

    NAME = "name"
    HOOK = "hook"  # tenant name, source and secret slug of a webhook address
    SLACK_TEAM = "slack_team"
    API_TOKEN = "api_token"  # noqa: S105 - the word, not one
    LINK = "link"  # of a one-time login link


class Directory:
    """Looks up one key at a time through the only function that may read the table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenant_of(self, kind: DirectoryKind, *key: str) -> UUID | None:
        """None where nobody is registered under the key."""
        found = await self._database.call(LOOK_UP, {"kind": kind, "digest": directory_digest(*key)})
        tenant_id: UUID | None = found[0]["tenant_id"]
        return tenant_id


def directory_digest(*key: str) -> bytes:
    """Slugs and tokens are long and random, so a plain digest gives nothing away."""
    return hashlib.sha256("\n".join(key).encode()).digest()
