"""One HTTP client for every provider we call, and one reading of what their answers mean.

Errors are raised `from None`: what httpx says may name an address with a customer's e-mail in it,
and a chained cause ends up in a workflow's history.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from time import perf_counter, time
from typing import TypedDict, TypeVar, Unpack
from urllib.parse import quote
from uuid import UUID

import httpx
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from domain.errors import DeliveryRefused, DeliveryUncertain, ProviderUnavailable

REQUEST_LIFE = timedelta(seconds=5)
# Twice the longest a request can live: after this, what a provider does not show did not happen.
SETTLE_TIME = 2 * REQUEST_LIFE

Answer = TypeVar("Answer", bound=BaseModel)
Clock = Callable[[], datetime]

log = structlog.get_logger(__name__)

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
# Said of a key whose first request is still under way, or by something between us that gave up waiting.
MAY_BE_UNDER_WAY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
ASKS_US_TO_WAIT = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True)
class Endpoint:
    """Where a tenant's system answers and the token it wants."""

    base_url: str
    token: str = field(repr=False)


EndpointOf = Callable[[UUID], Awaitable[Endpoint]]


def utc_now() -> datetime:
    """The clock of adapters that are given no other."""
    return datetime.fromtimestamp(time(), UTC)


def shared_client() -> httpx.AsyncClient:
    """The process's client: short time-outs, no redirects, no proxies from the environment."""
    # httpx logs every address at INFO, and addresses carry e-mails and order numbers.
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        timeout=REQUEST_LIFE.total_seconds(),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        follow_redirects=False,
        trust_env=False,
    )


@dataclass(frozen=True)
class Change:
    """One write; `key` goes out as the idempotency key."""

    method: str
    path: str
    body: Mapping[str, object]
    key: str


class RequestParts(TypedDict, total=False):
    """What a read or a write adds to method and address."""

    params: dict[str, str]
    json: dict[str, object]
    headers: dict[str, str]


class RestApi:
    """A provider's JSON interface for many tenants, each with its own address and token."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        surface: str,
        endpoint_of: EndpointOf,
        life: timedelta = REQUEST_LIFE,
    ) -> None:
        self._client = client
        self._surface = surface
        self._endpoint_of = endpoint_of
        self._life = life

    async def read(
        self, tenant_id: UUID, path: str, shape: type[Answer], query: Mapping[str, str] | None = None
    ) -> Answer | None:
        """None for a 404; a read that was lost can be repeated, so it never is uncertain."""
        try:
            response = await self._send(tenant_id, "GET", path, params=dict(query or {}))
        except httpx.TransportError:
            raise ProviderUnavailable from None
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ProviderUnavailable(retry_after_s(response.headers))
        raise_for_refusal(response)
        try:
            return TypeAdapter(shape).validate_json(response.content)
        except ValidationError:
            raise ProviderUnavailable from None

    async def change(self, tenant_id: UUID, change: Change, shape: type[Answer]) -> Answer:
        """Raises `DeliveryUncertain` wherever the provider may have acted without our knowing."""
        headers = {"Idempotency-Key": change.key}
        try:
            response = await self._send(
                tenant_id, change.method, change.path, json=dict(change.body), headers=headers
            )
        except NOT_SENT:
            raise ProviderUnavailable from None
        except httpx.TransportError:
            raise DeliveryUncertain from None
        if response.status_code in MAY_BE_UNDER_WAY:
            raise DeliveryUncertain
        raise_for_refusal(response)
        try:
            return TypeAdapter(shape).validate_json(response.content)
        except ValidationError:
            raise DeliveryUncertain from None

    async def _send(
        self, tenant_id: UUID, method: str, path: str, **parts: Unpack[RequestParts]
    ) -> httpx.Response:
        endpoint = await self._endpoint_of(tenant_id)
        request = self._client.build_request(method, f"{endpoint.base_url.rstrip('/')}/{path}", **parts)
        request.headers["Authorization"] = f"Bearer {endpoint.token}"
        started = perf_counter()
        response = await self._within_its_life(request)
        log.info(
            "provider_called",
            surface=self._surface,
            method=method,
            status=response.status_code,
            milliseconds=round((perf_counter() - started) * 1000),
        )
        return response

    async def _within_its_life(self, request: httpx.Request) -> httpx.Response:
        # The client's own time-outs count each step and each chunk anew; what is read back relies on the sum.
        try:
            async with asyncio.timeout(self._life.total_seconds()):
                return await self._client.send(request)
        except TimeoutError:
            raise httpx.ReadTimeout("The request has outlived its time", request=request) from None


def raise_for_refusal(response: httpx.Response) -> None:
    """A 5xx may come after the work was done, unless it says when to come again."""
    if response.is_success:
        return
    wait_s = retry_after_s(response.headers)
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or (
        response.status_code in ASKS_US_TO_WAIT and wait_s is not None
    ):
        raise ProviderUnavailable(wait_s)
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise DeliveryUncertain
    raise DeliveryRefused(response.status_code)


def segment(value: str) -> str:
    """One part of a path; nothing from outside can leave it, not even `..`."""
    return quote(value, safe="") if value.strip(".") else "-"


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After`; the rare date form counts as absent."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
