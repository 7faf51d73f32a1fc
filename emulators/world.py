"""Everything the emulators share, put together once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import httpx
from fastapi import Depends, Request

from emulators.clock import Clock
from emulators.database import Database
from emulators.order_book import OrderBook
from emulators.register import Register
from emulators.slack_book import SlackBook
from emulators.ticket_book import TicketBook
from emulators.webhooks import WAITS_S, Webhooks


@dataclass(frozen=True)
class World:
    """The state of all emulators and the way out to the apps they call."""

    clock: Clock
    database: Database
    register: Register
    http: httpx.AsyncClient
    webhooks: Webhooks
    tickets: TicketBook
    orders: OrderBook
    slack: SlackBook


def build_world(state: Path, clock: Clock, waits_s: tuple[float, ...] = WAITS_S) -> World:
    """Opens or creates the state below the folder `state`."""
    state.mkdir(parents=True, exist_ok=True)
    database = Database(state / "emulators.sqlite3")
    register = Register(database)
    # Nothing of the environment (proxies) may redirect a loopback call.
    http = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=32))
    webhooks = Webhooks(database=database, register=register, http=http, clock=clock, waits_s=waits_s)
    return World(
        clock=clock,
        database=database,
        register=register,
        http=http,
        webhooks=webhooks,
        tickets=TicketBook(database, register, webhooks, clock),
        orders=OrderBook(database, clock),
        slack=SlackBook(database, register, clock),
    )


def world_of(request: Request) -> World:
    """The world of the app that serves this request."""
    return cast("World", request.app.state.world)


TheWorld = Annotated[World, Depends(world_of)]
