"""The shop's REST door: who is a customer, what was ordered, what was paid back."""

from fastapi import APIRouter, Depends, Request

from emulators.order_book import Json
from emulators.problems import require_bearer
from emulators.world import TheWorld


def authorize(brand: str, request: Request, world: TheWorld) -> None:
    """Checks the brand's own token; an unknown brand looks like a wrong token."""
    settings = world.register.brand(brand)
    require_bearer(request, settings.shop_token if settings else None)


router = APIRouter(prefix="/shop/{brand}/api", dependencies=[Depends(authorize)])


@router.get("/customers")
async def find_customers(brand: str, email: str, world: TheWorld) -> Json:
    return {"customers": world.orders.customers(brand, email)}


@router.get("/orders")
async def find_orders(brand: str, email: str, world: TheWorld) -> Json:
    return {"orders": world.orders.orders(brand, email)}


@router.get("/orders/{number}")
async def read_order(brand: str, number: str, world: TheWorld) -> Json:
    return world.orders.order(brand, number)
