"""What Countersign expects of a Temporal namespace: its search attributes and how long histories stay."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

RETENTION = timedelta(days=30)
KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
SEARCH_ATTRIBUTES: Mapping[str, IndexedValueType.ValueType] = {
    "TenantId": KEYWORD,
    "Stage": KEYWORD,
    "RiskBand": KEYWORD,
    "Owner": KEYWORD,
    "Outcome": KEYWORD,
    "ApprovalDue": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}
ROUNDS = 20
PAUSE_S = 0.25


class SearchAttributeHasOtherType(Exception):
    """A namespace shared with somebody who uses the name for something else."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Temporal's search attribute {name!r} has another type; use a namespace of our own")


class SearchAttributesMissing(Exception):
    """Added, and still not listed."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Temporal does not list the search attributes {', '.join(names)}")


async def ensure_search_attributes(service: ServiceClient, namespace: str) -> None:
    """Adds what is missing and returns when all are listed; several callers may do it at once."""
    missing = await missing_search_attributes(service, namespace)
    for _ in range(ROUNDS):
        if not missing:
            return
        await _add(service, namespace, missing)
        missing = await missing_search_attributes(service, namespace)
        if missing:
            await asyncio.sleep(PAUSE_S)
    raise SearchAttributesMissing(missing)


async def ensure_retention(service: ServiceClient, namespace: str) -> None:
    """A dev server forgets closed workflows after a day unless told otherwise."""
    asked = DescribeNamespaceRequest(namespace=namespace)
    known = await service.workflow_service.describe_namespace(asked, retry=True)
    wanted = Duration()
    wanted.FromTimedelta(RETENTION)
    if known.config.workflow_execution_retention_ttl == wanted:
        return
    config = NamespaceConfig(workflow_execution_retention_ttl=wanted)
    await service.workflow_service.update_namespace(
        UpdateNamespaceRequest(namespace=namespace, config=config), retry=True
    )


async def missing_search_attributes(service: ServiceClient, namespace: str) -> list[str]:
    """What is not there yet; raises `SearchAttributeHasOtherType`."""
    asked = ListSearchAttributesRequest(namespace=namespace)
    known = (await service.operator_service.list_search_attributes(asked, retry=True)).custom_attributes
    for name, kind in SEARCH_ATTRIBUTES.items():
        if name in known and known[name] != kind:
            raise SearchAttributeHasOtherType(name)
    return [name for name in SEARCH_ATTRIBUTES if name not in known]


async def _add(service: ServiceClient, namespace: str, names: list[str]) -> None:
    wanted = {name: SEARCH_ATTRIBUTES[name] for name in names}
    request = AddSearchAttributesRequest(namespace=namespace, search_attributes=wanted)
    try:
        await service.operator_service.add_search_attributes(request)
    except RPCError as error:
        # Another caller was quicker: the list will say.
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
