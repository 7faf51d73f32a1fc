"""The payment provider's REST door: refunds that happen once per idempotency key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from emulators.order_book import Asked, Json
from emulators.problems import Refused, require_bearer
from emulators.world import TheWorld


def authorize(request: Request, world: TheWorld) -> None:
    """Checks the account's secret key."""
    require_bearer(request, world.register.payments_key())


router = APIRouter(prefix="/payments/api", dependencies=[Depends(authorize)])


class NewRefund(BaseModel):
    """A refund to make, in minor units."""

    model_config = ConfigDict(extra="forbid", strict=True)

    payment_id: str
    amount: int = Field(gt=0)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    reference: str = Field(min_length=1, max_length=255)


@router.post("/refunds", status_code=201)
async def make_refund(
    refund: NewRefund,
    world: TheWorld,
    response: Response,
    key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)] = None,
) -> Json:
    if not key:
        raise Refused(400, "idempotency_key_missing", "A refund needs an Idempotency-Key")
    asked = Asked(refund.payment_id, refund.amount, refund.currency, refund.reference)
    made, replayed = world.orders.refund(asked, key)
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return made


@router.get("/refunds")
async def list_refunds(world: TheWorld, reference: str | None = None, payment_id: str | None = None) -> Json:
    return {"refunds": world.orders.refunds(reference, payment_id)}


@router.get("/refunds/{refund_id}")
async def read_refund(refund_id: str, world: TheWorld) -> Json:
    return world.orders.refund_by_id(refund_id)


@router.get("/payments/{payment_id}")
async def read_payment(payment_id: str, world: TheWorld) -> Json:
    return world.orders.payment(payment_id)
