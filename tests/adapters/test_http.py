import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
import structlog
from pydantic import BaseModel

from adapters.http import Change, Endpoint, RestApi, retry_after_s, shared_client
from domain.errors import DeliveryRefused, DeliveryUncertain, ProviderUnavailable
from tests.adapters.emulated import TENANT


class Thing(BaseModel):
    id: str


WRITE = Change("POST", "things", {"body": "secret text"}, "eff_1")
Respond = Callable[[httpx.Request], httpx.Response]


def api(respond: Respond) -> RestApi:
    async def endpoint_of(tenant_id: object) -> Endpoint:
        return Endpoint("http://provider.test/api/", "token")

    return RestApi(httpx.AsyncClient(transport=httpx.MockTransport(respond)), "shop", endpoint_of)


def answer(status: int, **headers: str) -> Respond:
    return lambda _: httpx.Response(status, headers=headers, text="no JSON")


def fail(error: type[httpx.TransportError]) -> Respond:
    def respond(request: httpx.Request) -> httpx.Response:
        raise error("to http://provider.test/?email=ida@example.com", request=request)

    return respond


# What a lost or refused write means: the left column is all that we know.
WRITES: dict[str, tuple[Respond, type[Exception]]] = {
    "429": (answer(429), ProviderUnavailable),
    "429 with time": (answer(429, **{"Retry-After": "3"}), ProviderUnavailable),
    "503 with time": (answer(503, **{"Retry-After": "3"}), ProviderUnavailable),
    "503": (answer(503), DeliveryUncertain),
    "500": (answer(500), DeliveryUncertain),
    "504": (answer(504), DeliveryUncertain),
    "200": (answer(200), DeliveryUncertain),  # done, with an answer that cannot be read
    "307": (answer(307, Location="http://other.test/"), DeliveryRefused),
    "400": (answer(400), DeliveryRefused),
    "401": (answer(401), DeliveryRefused),
    "404": (answer(404), DeliveryRefused),
    "408": (answer(408), DeliveryUncertain),
    "409": (answer(409), DeliveryUncertain),  # the first request under this key may still be under way
    "425": (answer(425), DeliveryUncertain),
    "422": (answer(422), DeliveryRefused),
    "ConnectError": (fail(httpx.ConnectError), ProviderUnavailable),
    "ConnectTimeout": (fail(httpx.ConnectTimeout), ProviderUnavailable),
    "PoolTimeout": (fail(httpx.PoolTimeout), ProviderUnavailable),
    "ReadTimeout": (fail(httpx.ReadTimeout), DeliveryUncertain),
    "WriteTimeout": (fail(httpx.WriteTimeout), DeliveryUncertain),
    "ReadError": (fail(httpx.ReadError), DeliveryUncertain),
    "RemoteProtocolError": (fail(httpx.RemoteProtocolError), DeliveryUncertain),
}


@pytest.mark.parametrize(("respond", "error"), WRITES.values(), ids=WRITES)
async def test_failed_write_is_one_of_three_situations(respond: Respond, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await api(respond).change(TENANT, WRITE, Thing)

    # A cause would carry the address, and with it personal data, into histories.
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


async def test_request_has_one_life_however_slowly_it_is_answered() -> None:
    async def drip(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def endpoint_of(tenant_id: object) -> Endpoint:
        return Endpoint("http://provider.test/api/", "token")

    client = httpx.AsyncClient(transport=httpx.MockTransport(drip), timeout=None)  # noqa: S113 - ours ends it
    patient = RestApi(client, "payments", endpoint_of, timedelta(seconds=0.01))

    with pytest.raises(DeliveryUncertain):
        await patient.change(TENANT, WRITE, Thing)
    with pytest.raises(ProviderUnavailable):
        await patient.read(TENANT, "things/1", Thing)


READS: dict[str, tuple[Respond, type[Exception]]] = {
    "429": (answer(429), ProviderUnavailable),
    "500": (answer(500), ProviderUnavailable),
    "503": (answer(503), ProviderUnavailable),
    "200": (answer(200), ProviderUnavailable),
    "403": (answer(403), DeliveryRefused),
    "ConnectError": (fail(httpx.ConnectError), ProviderUnavailable),
    "ReadTimeout": (fail(httpx.ReadTimeout), ProviderUnavailable),
}


@pytest.mark.parametrize(("respond", "error"), READS.values(), ids=READS)
async def test_failed_read_is_never_uncertain(respond: Respond, error: type[Exception]) -> None:
    with pytest.raises(error):
        await api(respond).read(TENANT, "things/1", Thing)


async def test_read_of_what_is_not_there_is_none() -> None:
    assert await api(answer(404)).read(TENANT, "things/1", Thing) is None


async def test_write_carries_token_and_idempotency_key() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"id": "1"})

    await api(respond).change(TENANT, WRITE, Thing)

    assert seen[0].url == "http://provider.test/api/things"
    assert seen[0].headers["Idempotency-Key"] == "eff_1"
    assert seen[0].headers["Authorization"] == "Bearer token"


async def test_log_names_no_address_and_no_text() -> None:
    with structlog.testing.capture_logs() as logged:
        await api(lambda _: httpx.Response(200, json={"id": "1"})).read(
            TENANT, "orders", Thing, {"email": "ida@example.com"}
        )

    assert [entry["event"] for entry in logged] == ["provider_called"]
    assert "ida" not in str(logged)


async def test_shared_client_follows_no_redirect_and_silences_addresses() -> None:
    async with shared_client() as client:
        assert not client.follow_redirects
        assert client.timeout == httpx.Timeout(5.0)
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def test_token_is_not_shown() -> None:
    assert "hunter2" not in repr(Endpoint("http://provider.test", "hunter2"))


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("", None), ("-1", None), ("Fri, 20 Nov 2026 12:00:00 GMT", None)]
)
def test_retry_after_is_read_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": value}) == seconds
