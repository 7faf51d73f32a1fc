"""Whose token it is, and whose payloads its holder may read."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.audit import Reader
from domain.model import RecordId

MOST_TOKENS = 8
LONGEST_TOKEN = 128
SHORTEST_SHARED_TOKEN = 32


class Holders(Protocol):
    """Who holds a tenant's token."""

    async def operator_of(self, token: str) -> tuple[UUID, RecordId] | None:
        """Tenant and principal of an operator's token. None where it is unknown, revoked or not one."""
        ...


@dataclass(frozen=True)
class Operator:
    """A person by their principal in each tenant; `everywhere` is the installation's own operator."""

    fingerprint: bytes
    principals: Mapping[UUID, RecordId]
    everywhere: bool = False

    def reader(self, tenant_id: UUID) -> Reader | None:
        """Who reads this tenant's payloads; None where they may not."""
        return "operator" if self.everywhere else self.principals.get(tenant_id)

    def home(self) -> tuple[UUID, RecordId]:
        """Who asked, where they have no say. Not for one who reads everything."""
        return next(iter(self.principals.items()))


class Operators:
    """Tokens of tenants, and one for all tenants. Several tenants' tokens are joined with dots."""

    def __init__(self, holders: Holders, shared_token: str | None) -> None:
        self._holders = holders
        self._shared = _digest(shared_token) if shared_token else None

    async def find(self, credential: str) -> Operator | None:
        """None unless every token in it is an operator's."""
        tokens = credential.split(".")
        if len(tokens) > MOST_TOKENS or any(not 0 < len(token) <= LONGEST_TOKEN for token in tokens):
            return None
        fingerprint = _digest(credential)
        if self._shared and hmac.compare_digest(fingerprint, self._shared):
            return Operator(fingerprint, {}, everywhere=True)
        found = [await self._holders.operator_of(token) for token in tokens]
        principals = dict(held for held in found if held)
        return Operator(_digest(*sorted(tokens)), principals) if all(found) else None


def _digest(*tokens: str) -> bytes:
    return hashlib.sha256(".".join(tokens).encode()).digest()
