"""Each attack on the chain is found and named, in the tables and in a copy of them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from adapters.audit import chain
from adapters.audit.chain import COPY_PURPOSE, event_digest, link_digest
from adapters.embedded.postgres import PostgresServer
from adapters.postgres.tenant_registry import TenantRegistry
from tests.adapters.audit.chained import a_copy, attacking, findings, happen, seal
from tests.conftest import Databases, a_tenant

OF_TENANT = "tenant_id = :tenant and sequence"
EVENT_AT = "(select event_id from audit_links where tenant_id = :tenant and sequence = {})"

# Statements as a superuser with all triggers off; what must be found, and where.
LIVE = {
    "edited": (
        [f"update audit_events set content = '{{}}' where tenant_id = :tenant and id = {EVENT_AT.format(4)}"],
        "sequence 4",
    ),
    "deleted": (
        [f"delete from audit_events where tenant_id = :tenant and id = {EVENT_AT.format(4)}"],
        "sequence 4",
    ),
    "deleted with its link": (
        [
            f"delete from audit_events where tenant_id = :tenant and id = {EVENT_AT.format(4)}",
            f"delete from audit_links where {OF_TENANT} = 4",
        ],
        "sequence 4",
    ),
    "deleted in the middle with its head": (
        [
            f"delete from audit_links where {OF_TENANT} between 4 and 6",
            "delete from audit_heads where tenant_id = :tenant and first_sequence = 4",
        ],
        "sequence 4 to 6",
    ),
    "inserted": (
        [
            "insert into audit_events (tenant_id, kind, content, at) values (:tenant, 'forged', '{}',"
            " now() - interval '2 hours')"
        ],
        "event ",
    ),
    "inserted with a link": (
        [
            "insert into audit_links select tenant_id, 99, gen_random_uuid(), event_digest, link, link"
            f" from audit_links where {OF_TENANT} = 9"
        ],
        "sequence 99",
    ),
    "reordered": (
        [
            f"update audit_links set sequence = -sequence where {OF_TENANT} in (4, 5)",
            f"update audit_links set sequence = 9 + sequence where {OF_TENANT} in (-4, -5)",
        ],
        "sequence 4",
    ),
    "reordered events": (
        [
            f"update audit_events set id = gen_random_uuid(), kind = 'moved' where id = {EVENT_AT.format(4)}",
            f"update audit_events set id = {EVENT_AT.format(4)} where id = {EVENT_AT.format(5)}",
            f"update audit_events set id = {EVENT_AT.format(5)} where tenant_id = :tenant and kind = 'moved'",
        ],
        "sequence 4",
    ),
    "truncated": (
        [
            f"delete from audit_links where {OF_TENANT} > 6",
            "delete from audit_heads where tenant_id = :tenant and last_sequence > 6",
        ],
        "after sequence 6",
    ),
    "dropped stream": (
        [
            "delete from audit_events where tenant_id = :tenant",
            "delete from audit_links where tenant_id = :tenant",
            "delete from audit_heads where tenant_id = :tenant",
        ],
        "nothing of it is left",
    ),
    "forged": (
        ["update audit_heads set count = 7 where tenant_id = :tenant and first_sequence = 4"],
        "register ",
    ),
}


@pytest.fixture
async def chained(databases: Databases, registry: TenantRegistry) -> UUID:
    """Nine events under three heads, and another stream after them."""
    tenant, other = await a_tenant(registry), await a_tenant(registry)
    await seal(databases)
    start = await _length(databases, tenant)
    await happen(databases, tenant, 9 - start)
    await seal(databases, batch=3)
    await happen(databases, other, 1)
    await seal(databases)
    return tenant


async def _length(databases: Databases, tenant: UUID) -> int:
    count = text("select count(*) from audit_links where tenant_id = :tenant")
    async with databases.sealer.across_tenants() as session:
        return (await session.execute(count, {"tenant": tenant})).scalar_one()
