"""What tests of the codec server share: payloads as workers make them, and questions as the UI asks them."""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from adapters.keys import EnvelopeKeys
from adapters.postgres.directory import DirectoryKind, directory_digest
from adapters.temporal_codec import KeyRing, TenantCodec
from api.codec.app import create_codec
from api.codec.ports import CodecParts
from tests.conftest import Databases

Json = dict[str, Any]
UI = "http://localhost:8233"
SHARED_TOKEN = "invented-token-of-the-whole-installation"
SAID = "anna.planted@example.com"
ADD_PRINCIPAL = text(
    "insert into principals (tenant_id, id, slack_team_id, slack_user_id, name, groups, roles)"
    " values (:tenant, :id, :team, 'U1', '', '{}', :roles)"
)
LIST_TOKEN = text("insert into directory (kind, key_digest, tenant_id) values (:kind, :digest, :tenant)")
ADD_TOKEN = text(
    "insert into api_tokens (tenant_id, principal_id, token_digest, roles)"
    " values (:tenant, :principal, :digest, :roles)"
)


def wire(payload: Payload) -> Json:
    """As Temporal's HTTP API shows it."""
    metadata = {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()}
    return {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}


def said(sent: Json) -> str:
    return base64.b64decode(sent["data"]).decode()


PLAIN = wire(Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(SAID).encode()))


async def a_principal(databases: Databases, tenant_id: UUID, *roles: str) -> str:
    principal = f"principal_{secrets.token_hex(12)}"
    async with databases.owner.transaction(tenant_id) as session:
        values = {"tenant": tenant_id, "id": principal, "team": secrets.token_hex(6), "roles": list(roles)}
        await session.execute(ADD_PRINCIPAL, values)
    return principal


async def a_token(databases: Databases, tenant_id: UUID, principal: str, *roles: str) -> str:
    """With roles of its own choice, as the database may hold it."""
    token = secrets.token_urlsafe(32)
    values = {"tenant": tenant_id, "digest": directory_digest(token)}
    async with databases.owner.transaction(tenant_id) as session:
        await session.execute(LIST_TOKEN, values | {"kind": DirectoryKind.API_TOKEN})
        await session.execute(ADD_TOKEN, values | {"principal": principal, "roles": list(roles)})
    return token


@dataclass
class Asking:
    """One caller of the codec server."""

    parts: CodecParts
    keys: EnvelopeKeys
    databases: Databases

    async def sealed(self, tenant_id: UUID, content: str = SAID) -> Json:
        """A payload as a worker writes it."""
        context = WorkflowSerializationContext(namespace="n", workflow_id=f"ticket:{tenant_id}:r")
        plain = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(content).encode())
        (payload,) = await TenantCodec(KeyRing(self.keys)).with_context(context).encode([plain])
        return wire(payload)

    async def decode(self, token: str | None, *payloads: Json, **headers: str) -> httpx.Response:
        return await self.send(token, json.dumps({"payloads": payloads}).encode(), **headers)

    async def send(
        self, token: str | None, body: bytes, path: str = "/decode", **headers: str
    ) -> httpx.Response:
        if token:
            headers["authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(create_codec(self.parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8234") as client:
            return await client.post(path, content=body, headers=headers)

    async def audited(self, tenant_id: UUID) -> list[tuple[str, Json]]:
        query = text(
            "select kind, content from audit_events"
            " where tenant_id = :tenant and kind like 'payloads%' order by at"
        )
        async with self.databases.owner.transaction(tenant_id) as session:
            rows = (await session.execute(query, {"tenant": tenant_id})).all()
        return [(row.kind, row.content) for row in rows]
