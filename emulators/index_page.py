"""The first page: what waits for somebody, and links to everything."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from emulators.faults import FaultBook
from emulators.pages import Json, OwnFormsOnly, back_to, page, waiting_by_channel
from emulators.world import TheWorld, World

router = APIRouter()


@router.get("/")
async def overview(request: Request, world: TheWorld) -> HTMLResponse:
    counts = waiting_by_channel(world)
    return page(
        request,
        "overview.html",
        waiting=sum(counts.values()),
        teams=[
            {"team": team, "channels": _channels(world, team.team_id, counts)}
            for team in world.register.slack.all()
        ],
        brands=[_brand(world, brand.name, brand.title) for brand in world.register.brands()],
        refunds=len(world.orders.refunds()),
        deliveries=_deliveries(world),
        faults=FaultBook(world.database).ordered(),
    )


@router.post("/deliveries", dependencies=[OwnFormsOnly])
async def send_again(world: TheWorld) -> RedirectResponse:
    world.webhooks.send_again()
    return back_to("/")


def _channels(world: World, team_id: str, counts: dict[str, int]) -> list[Json]:
    channels = world.register.slack.channels(team_id)
    return [{"channel": channel, "waiting": counts.get(channel.id, 0)} for channel in channels]


def _brand(world: World, name: str, title: str) -> Json:
    rows = world.database.all(
        "SELECT status, count(*) AS n FROM tickets WHERE brand = ? GROUP BY status", name
    )
    tickets = {row["status"]: row["n"] for row in rows}
    row = world.database.one("SELECT count(*) AS n FROM orders WHERE brand = ?", name)
    return {"name": name, "title": title, "tickets": tickets, "orders": row["n"] if row else 0}


def _deliveries(world: World) -> dict[str, int]:
    rows = world.database.all("SELECT state, count(*) AS n FROM deliveries GROUP BY state")
    return {row["state"]: row["n"] for row in rows}
