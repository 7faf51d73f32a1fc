"""`tenant_scope: true`: only the tenant's own records."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import JsonValue

from adapters.policy.primitives._base import Found, Json, Stated
from adapters.policy.reading import at
from domain.decision import Verdict


class TenantScope(Stated):
    """The record an action reads or changes belongs to the tenant that asks."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {
        "resource_tenant_missing": "It is not known whose record this is",
        "resource_of_other_tenant": "The record belongs to another tenant",
    }

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:  # noqa: ARG004 - the protocol
        """Nothing where both are the same."""
        owner = at(document, "action", "resource_tenant_id")
        if not isinstance(owner, str):
            yield Verdict.DENY, "resource_tenant_missing"
        elif owner != at(document, "tenant_id"):
            yield Verdict.DENY, "resource_of_other_tenant"
