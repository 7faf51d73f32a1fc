"""Whether what was started can work: the doors answer, and Temporal sees every worker poll."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.envconfig import ClientConfig
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from adapters.embedded.ports import LOOPBACK
from adapters.embedded.temporal import USUAL_PORT

PAUSE_S = 0.1


class NotReady(Exception):
    """It was started and does not answer."""

    def __init__(self, name: str, seconds: float, last_words: str) -> None:
        said = f" It said last: {last_words}" if last_words else ""
        super().__init__(f"{name} is not ready after {seconds:.0f} s.{said}")


async def until(
    name: str, ready: Callable[[], Awaitable[bool]], within_s: float, last_words: Callable[[], str]
) -> None:
    """Asks until the answer is yes; raises `NotReady`."""
    deadline = time.monotonic() + within_s
    while not await ready():
        if time.monotonic() > deadline:
            raise NotReady(name, within_s, last_words())
        await asyncio.sleep(PAUSE_S)


async def answers(url: str) -> bool:
    """Whether a health page says 200."""
    try:
        # Plain HTTP on the loopback: loading certificates for every question would cost more than all else.
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=5) as client:  # noqa: S501 - the same
            return (await client.get(url)).status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


async def connect_service(address: str | None, profile: str | None = None) -> ServiceClient:
    """Temporal's own API without payloads: for questions about queues and namespaces only."""
    # The user's profile is for another cluster; nothing of it may be mixed into an embedded server's address.
    embedded = address is not None and address.startswith(LOOPBACK)
    configured = ClientConfig.load_client_connect_config(profile=profile, disable_file=embedded)
    return await ServiceClient.connect(
        ConnectConfig(
            target_host=address or configured.get("target_host", f"{LOOPBACK}:{USUAL_PORT}"),
            tls=configured.get("tls"),
            api_key=configured.get("api_key"),
            rpc_metadata=configured.get("rpc_metadata", {}),
        )
    )


async def polling(service: ServiceClient, namespace: str, queue: str) -> set[str]:
    """The identities that poll a workflow queue."""
    asked = DescribeTaskQueueRequest(
        namespace=namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        described = await service.workflow_service.describe_task_queue(asked)
    except RPCError:
        return set()
    return {poller.identity for poller in described.pollers}
