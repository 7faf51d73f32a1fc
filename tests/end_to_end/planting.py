"""Puts a value where it must not be, to show that the sweep would find it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

from slack_sdk.web.async_client import AsyncWebClient
from temporalio.client import Client

from domain.ticket import TicketRef
from tests.end_to_end.system import BOOKS, CHANNELS, System
from workflows.ids import ticket_workflow_id

Planted = AbstractAsyncContextManager[None]
NOBODY = "a queue that nobody polls"


@asynccontextmanager
async def in_a_table(system: System, value: str) -> AsyncIterator[None]:
    await system.records.run("CREATE TABLE countersign.planted (value text)")
    await system.records.run("INSERT INTO countersign.planted VALUES (%s)", value)
    yield
    await system.records.run("DROP TABLE countersign.planted")


@asynccontextmanager
async def in_a_log(system: System, value: str) -> AsyncIterator[None]:
    log = system.stack.home.logs / "planted.log"
    log.write_text(f"error: {value}")
    yield
    log.unlink()


@asynccontextmanager
async def in_a_history(system: System, value: str) -> AsyncIterator[None]:
    """By a client without our plugin."""
    ours = await system.connected.temporal()
    client = await Client.connect(ours.service_client.config.target_host, namespace=ours.namespace)
    await _start(client, f"planted:{uuid4()}", [value])
    yield


@asynccontextmanager
async def under_our_codec(system: System, value: str) -> AsyncIterator[None]:
    tenant = await system.connected.tenant(BOOKS)
    ticket = TicketRef(tenant_id=tenant, route=uuid4().hex)
    await _start(await system.connected.temporal(), ticket_workflow_id(ticket), [ticket, value])
    yield


@asynccontextmanager
async def in_slack(system: System, value: str) -> AsyncIterator[None]:
    client = AsyncWebClient(token=system.bot_token(BOOKS), base_url=f"{system.emulators.url}/slack/api/")
    await client.chat_postMessage(channel=CHANNELS[BOOKS], text=value)
    yield


async def _start(client: Client, id_: str, values: Sequence[object]) -> None:
    handle = await client.start_workflow("Planted", args=values, id=id_, task_queue=NOBODY)
    await handle.terminate()


PLANTED: Mapping[str, Callable[[System, str], Planted]] = {
    "tables": in_a_table,
    "database files": in_a_table,
    "Temporal files": in_a_history,
    "logs": in_a_log,
    "histories": in_a_history,
    "opened histories": under_our_codec,
    "Slack": in_slack,
}
