"""How a browser signs in, and what its cookie is worth."""

from http import HTTPStatus
from uuid import UUID

import httpx
import pytest

from api.codec.sessions import COOKIE, LIFE_S
from tests.api.codec.conftest import Clock
from tests.api.codec.story import SAID, SHARED_TOKEN, UI, Asking, said

HERE = "http://localhost:8234"


async def signed_in(browser: httpx.AsyncClient, token: str = SHARED_TOKEN) -> httpx.Response:
    return await browser.post("/sign-in", data={"token": token}, headers={"origin": HERE})


async def test_a_signed_in_browser_reads(ask: Asking, browser: httpx.AsyncClient, tenant_id: UUID) -> None:
    answer = await signed_in(browser)
    body = {"payloads": [await ask.sealed(tenant_id)]}

    read = await browser.post("/decode", json=body, headers={"origin": UI})

    assert (answer.status_code, answer.headers["location"]) == (HTTPStatus.SEE_OTHER, "/sign-in")
    assert SAID in said(read.json()["payloads"][0])
    assert "You are signed in" in (await browser.get("/sign-in")).text


async def test_the_cookie_is_closed_to_scripts_and_other_sites_and_hides_the_token(
    browser: httpx.AsyncClient,
) -> None:
    cookie = (await signed_in(browser)).headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert SHARED_TOKEN not in cookie
    assert SHARED_TOKEN.encode().hex() not in cookie


async def test_a_session_ends_after_its_life_and_at_sign_out(
    browser: httpx.AsyncClient, clock: Clock
) -> None:
    await signed_in(browser)
    clock.now += LIFE_S
    late = await browser.post("/decode", json={"payloads": []})
    await signed_in(browser)
    await browser.post("/sign-out", headers={"origin": HERE})
    out = await browser.post("/decode", json={"payloads": []})

    assert (late.status_code, out.status_code) == (HTTPStatus.UNAUTHORIZED, HTTPStatus.UNAUTHORIZED)


@pytest.mark.parametrize("cookie", ["", "00", "zz", "01" * 60, SHARED_TOKEN])
async def test_an_invented_cookie_opens_nothing(browser: httpx.AsyncClient, cookie: str) -> None:
    browser.cookies.set(COOKIE, cookie)

    answer = await browser.post("/decode", json={"payloads": []})

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


async def test_a_wrong_token_is_refused_on_the_page(browser: httpx.AsyncClient) -> None:
    answer = await signed_in(browser, "<script>wrong</script>")

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert "This token opens nothing" in answer.text
    assert "wrong</script>" not in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("body", [b"", b"token=", b"\xff", b"a=1&" * 20])
async def test_a_form_without_a_token_is_refused(browser: httpx.AsyncClient, body: bytes) -> None:
    answer = await browser.post("/sign-in", content=body)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_another_sites_form_signs_nobody_in(browser: httpx.AsyncClient) -> None:
    answer = await browser.post(
        "/sign-in", data={"token": SHARED_TOKEN}, headers={"origin": "https://evil.example"}
    )

    assert answer.status_code == HTTPStatus.FORBIDDEN


async def test_the_page_cannot_be_framed_and_loads_nothing(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/sign-in")

    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
