"""All pages and the operator API over one set of ports."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from api.attempts import FailedAttempts
from api.decisions import decision_router
from api.doors import PageDoors
from api.login import login_router
from api.operator import operator_router
from api.operator_commands import OperatorCommands
from api.pages import ICON, STYLE, static
from api.queue import queue_router
from api.tickets import ticket_router
from api.visitor import Doorkeeper


def page_routers(doors: PageDoors) -> Sequence[APIRouter]:
    """In no order: no two of them have an address in common."""
    attempts = FailedAttempts()
    doorkeeper = Doorkeeper(doors.sessions, attempts)
    commands = OperatorCommands(doors.ownership, doors.words, doors.patience_s)
    return (
        _static_router(),
        login_router(doors, doorkeeper, attempts),
        queue_router(doors, doorkeeper),
        ticket_router(doors, doorkeeper, commands),
        decision_router(doors, doorkeeper),
        operator_router(doors, doorkeeper, commands),
    )


def _static_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get(STYLE)
    async def read_style() -> Response:
        """The one stylesheet."""
        return static("pages.css")

    @router.get(ICON)
    async def read_icon() -> Response:
        """For the browser's tab."""
        return static("icon.svg")

    return router
