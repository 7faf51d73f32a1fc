"""The helpdesk's pages: the list, a ticket's conversation, the form for a new ticket."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from emulators.pages import Json, OwnFormsOnly, back_to, page
from emulators.problems import Refused
from emulators.setup import BrandSettings
from emulators.tickets import Author, NewTicket, Requester, Status, Words
from emulators.world import TheWorld, World

PAGE_LENGTH = 40
router = APIRouter(prefix="/helpdesk/{brand}")


@router.get("")
async def ticket_list(
    brand: str, request: Request, world: TheWorld, status: Status | None = None, start: int = 0
) -> HTMLResponse:
    settings = brand_or_404(world, brand)
    everything = world.tickets.tickets(brand)
    chosen = [ticket for ticket in everything if status in {None, ticket["status"]}]
    first = max(0, start)
    return page(
        request,
        "tickets.html",
        brand=settings,
        tickets=chosen[first : first + PAGE_LENGTH],
        counts={value: sum(ticket["status"] == value for ticket in everything) for value in Status},
        total=len(everything),
        status=status,
        start=first,
        newer=max(0, first - PAGE_LENGTH) if first else None,
        older=first + PAGE_LENGTH if len(chosen) > first + PAGE_LENGTH else None,
        found=len(chosen),
    )


@router.get("/new")
async def new_ticket_form(brand: str, request: Request, world: TheWorld, email: str = "") -> HTMLResponse:
    return _form(brand, request, world, {"email": email, "subject": "", "body": ""})


@router.post("/new", dependencies=[OwnFormsOnly], response_model=None)
async def open_ticket(brand: str, request: Request, world: TheWorld) -> RedirectResponse | HTMLResponse:
    form = await request.form()
    filled = {name: _lines(str(form.get(name, ""))) for name in ("email", "name", "subject", "body")}
    if "@" not in filled["email"] or not filled["name"] or not filled["body"]:
        return _form(brand, request, world, filled, status=422)
    requester = Requester(name=filled["name"], email=filled["email"])
    opened = world.tickets.open(
        NewTicket(brand=brand, subject=filled["subject"], body=filled["body"], requester=requester)
    )
    return back_to(f"/helpdesk/{brand}/tickets/{opened.id}")


@router.get("/tickets/{ticket_id}")
async def ticket_page(brand: str, ticket_id: str, request: Request, world: TheWorld) -> HTMLResponse:
    settings = brand_or_404(world, brand)
    ticket = world.tickets.conversation(brand, ticket_id)
    return page(
        request,
        "ticket.html",
        brand=settings,
        ticket=ticket,
        statuses=list(Status),
        orders=world.orders.orders(brand, ticket["requester"]["email"]),
        deliveries=world.tickets.deliveries(brand, ticket_id),
    )


@router.post("/tickets/{ticket_id}/customer", dependencies=[OwnFormsOnly])
async def customer_reply(
    brand: str, ticket_id: str, world: TheWorld, body: Annotated[str, Form()] = ""
) -> RedirectResponse:
    if _lines(body):
        world.tickets.write(brand, ticket_id, Words(Author.CUSTOMER, _lines(body)))
    return back_to(_newest(brand, ticket_id))


@router.post("/tickets/{ticket_id}/teammate", dependencies=[OwnFormsOnly])
async def teammate_reply(
    brand: str,
    ticket_id: str,
    world: TheWorld,
    body: Annotated[str, Form()] = "",
    private: Annotated[str, Form()] = "",
) -> RedirectResponse:
    if _lines(body):
        world.tickets.write(brand, ticket_id, Words(Author.TEAMMATE, _lines(body), public=not private))
    return back_to(_newest(brand, ticket_id))


@router.post("/tickets/{ticket_id}/status", dependencies=[OwnFormsOnly])
async def change_status(
    brand: str, ticket_id: str, world: TheWorld, status: Annotated[Status, Form()]
) -> RedirectResponse:
    world.tickets.ticket(brand, ticket_id)
    world.tickets.set_status(brand, ticket_id, status)
    return back_to(f"/helpdesk/{brand}/tickets/{ticket_id}")


def brand_or_404(world: World, name: str) -> BrandSettings:
    brand = world.register.brand(name)
    if brand is None:
        raise Refused(404, "unknown_brand", "There is no such brand")
    return brand


def _form(brand: str, request: Request, world: World, filled: Json, status: int = 200) -> HTMLResponse:
    settings = brand_or_404(world, brand)
    rows = world.database.all("SELECT email, name FROM customers WHERE brand = ? ORDER BY name", brand)
    customers = [
        {
            **dict(row),
            "orders": world.orders.orders(brand, row["email"]),
            "link": f"?{urlencode({'email': row['email']})}",
        }
        for row in rows
    ]
    known = next((customer for customer in customers if customer["email"] == filled["email"]), None)
    filled = {**filled, "name": filled.get("name") or (known["name"] if known else "")}
    content = {"brand": settings, "customers": customers, "filled": filled, "refused": status != 200}
    return page(request, "new_ticket.html", status, **content)


def _lines(body: str) -> str:
    return body.replace("\r\n", "\n").strip()


def _newest(brand: str, ticket_id: str) -> str:
    return f"/helpdesk/{brand}/tickets/{ticket_id}#newest"
