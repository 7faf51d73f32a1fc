"""Every place where the system keeps something, as bytes."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import WorkflowSerializationContext

from cli.demo_data import TENANTS
from tests.end_to_end.system import System

Contents = Mapping[str, bytes]


async def tables(system: System) -> Contents:
    """Every row of every table; encrypted columns are there as ciphertext."""
    return {table: rows.encode() for table, rows in (await system.records.everything()).items()}


async def database_files(system: System) -> Contents:
    """What the database server wrote, its log of changes included."""
    await system.records.checkpoint()
    return dict(_files(system.stack.home.pg))


async def temporal_files(system: System) -> Contents:
    """What the Temporal server wrote."""
    return dict(_files(system.stack.home.temporal))


async def logs(system: System) -> Contents:
    """What every process said, and the spans."""
    return dict(_files(system.stack.home.logs))


async def histories(system: System) -> Contents:
    """As anybody reads them who may read Temporal."""
    client = await system.connected.temporal()
    return {name: history.to_json().encode() async for name, history in _histories(client)}


async def opened_histories(system: System) -> Contents:
    """As we read them: every payload decrypted."""
    client = await system.connected.temporal()
    found: dict[str, bytes] = {}
    async for name, history in _histories(client):
        if name.startswith(("ticket:", "approval:")):
            found[name] = b"\n".join([part async for part in _opened(client, name, history)])
    return found


async def slack(system: System) -> Contents:
    """Every message that teammates see or saw last."""
    return {tenant: json.dumps(await system.slack(tenant)).encode() for tenant in TENANTS}


PLACES: Mapping[str, Callable[[System], Awaitable[Contents]]] = {
    "tables": tables,
    "database files": database_files,
    "Temporal files": temporal_files,
    "logs": logs,
    "histories": histories,
    "opened histories": opened_histories,
    "Slack": slack,
}


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                yield str(path.relative_to(folder)), path.read_bytes()
        except FileNotFoundError:
            continue  # a server has just removed it


async def _histories(client: Client) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    async for run in client.list_workflows():
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        yield run.id, await handle.fetch_history()


async def _opened(client: Client, name: str, history: WorkflowHistory) -> AsyncIterator[bytes]:
    codec = client.data_converter.with_context(
        WorkflowSerializationContext(namespace=client.namespace, workflow_id=name)
    ).payload_codec
    assert codec
    for event in history.events:
        sealed = [p for p in _payloads(event) if p.metadata.get("encoding") == b"binary/encrypted"]
        for payload in await codec.decode(sealed):
            yield payload.data


def _payloads(message: Message) -> Iterator[Payload]:
    if isinstance(message, Payload):
        yield message
        return
    for _, value in message.ListFields():
        if isinstance(value, Message):
            yield from _payloads(value)
        elif not isinstance(value, str | bytes | int | float):
            # A repeated field, or a map by its values.
            for each in value.values() if hasattr(value, "values") else value:
                if isinstance(each, Message):
                    yield from _payloads(each)
