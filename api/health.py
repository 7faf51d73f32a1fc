"""`/health/live`: the process answers. `/health/ready`: it can acknowledge webhooks.

Temporal is not needed for that, so it is only reported.
"""

import asyncio
from enum import StrEnum
from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.doors import Doors
from api.problems import UNAVAILABLE

PATIENCE_S = 2.0


class Condition(StrEnum):
    """How something we depend on is."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    NOT_CONFIGURED = "not_configured"


class Live(BaseModel):
    """The process answers."""

    status: Condition = Condition.OK


class Ready(BaseModel):
    """`status` is about acknowledging; Temporal is told beside it, because its absence only delays."""

    status: Condition
    database: Condition
    temporal: Condition


def health_router(doors: Doors) -> APIRouter:
    """For supervisors and load balancers."""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live")
    async def live() -> Live:
        """Answer while the process can."""
        return Live()

    @router.get("/ready", responses={503: {"model": Ready, "description": "Webhooks cannot be acknowledged"}})
    async def ready(response: Response) -> Ready:
        """Say whether a webhook would be acknowledged now."""
        database, temporal = await asyncio.gather(_database(doors), _temporal(doors.temporal_address))
        if database is not Condition.OK:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE.value
        return Ready(status=database, database=database, temporal=temporal)

    return router


async def _database(doors: Doors) -> Condition:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await doors.store_answers()
    except UNAVAILABLE:
        return Condition.UNAVAILABLE
    return Condition.OK


async def _temporal(address: str | None) -> Condition:
    if not address:
        return Condition.NOT_CONFIGURED
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, ValueError):  # a TimeoutError is an OSError
        return Condition.UNAVAILABLE
    writer.close()
    return Condition.OK
