"""The emulators as one web application."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from emulators import (
    control,
    helpdesk_api,
    helpdesk_pages,
    index_page,
    money_pages,
    payments_api,
    shop_api,
    slack_api,
    slack_pages,
    slack_responses,
)
from emulators.clock import Clock
from emulators.faults import FaultyDoor
from emulators.pages import answer_refused
from emulators.problems import Refused, answer_malformed
from emulators.setup import Setup
from emulators.webhooks import WAITS_S
from emulators.world import build_world

log = logging.getLogger(__name__)
ROUTERS = (
    helpdesk_api.router,
    shop_api.router,
    payments_api.router,
    slack_responses.router,
    slack_api.router,
    control.router,
    index_page.router,
    slack_pages.router,
    helpdesk_pages.router,
    money_pages.router,
)


def create_app(
    state: Path,
    setup: Setup | None = None,
    clock: Clock = time.time,
    waits_s: tuple[float, ...] = WAITS_S,
) -> FastAPI:
    """The application over the state below `state`, with `setup` applied at start."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        world = build_world(state, clock, waits_s)
        app.state.world = world
        if setup:
            world.register.apply(setup)
        sending = asyncio.create_task(world.webhooks.run())
        sending.add_done_callback(_tell_why_it_ended)
        app.state.sending = sending
        try:
            yield
        finally:
            sending.cancel()
            # Why it ended, if not by us, was told when it happened.
            with contextlib.suppress(asyncio.CancelledError, ExceptionGroup):
                await sending
            await world.http.aclose()
            world.database.close()

    app = FastAPI(
        title="Countersign emulators", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.add_middleware(FaultyDoor)
    # A page elsewhere that resolves its own name to this machine gets nothing.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.add_exception_handler(Refused, answer_refused)
    app.add_exception_handler(RequestValidationError, answer_malformed)
    app.add_api_route("/health/live", _live)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app


async def _live(request: Request) -> JSONResponse:
    """Not live when webhooks are no longer sent."""
    if request.app.state.sending.done():
        return JSONResponse({"status": "webhooks stopped"}, status_code=503)
    return JSONResponse({"status": "live"})


def _tell_why_it_ended(sending: asyncio.Task[None]) -> None:
    if not sending.cancelled() and (error := sending.exception()):
        log.critical("Webhooks are no longer sent", exc_info=error)
