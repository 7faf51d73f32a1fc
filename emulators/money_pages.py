"""The shop's orders and the payment provider's refunds, to look at."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from emulators.helpdesk_pages import brand_or_404
from emulators.pages import page
from emulators.world import TheWorld

router = APIRouter()


@router.get("/shop/{brand}")
async def orders_page(brand: str, request: Request, world: TheWorld) -> HTMLResponse:
    settings = brand_or_404(world, brand)
    return page(request, "orders.html", brand=settings, orders=world.orders.orders(brand))


@router.get("/payments")
async def refunds_page(request: Request, world: TheWorld) -> HTMLResponse:
    refunds = world.orders.refunds_with_orders()
    totals: dict[str, int] = {}
    for refund in refunds:
        totals[refund["currency"]] = totals.get(refund["currency"], 0) + refund["amount"]
    titles = {brand.name: brand.title for brand in world.register.brands()}
    return page(request, "refunds.html", refunds=refunds, totals=totals, titles=titles)
