"""Logging in: what opens a session, what ends it, and what attackers try."""

import hmac
import re
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from adapters.postgres.door_sessions import SessionSecret
from api.attempts import FAILURES
from api.visitor import COOKIE, SECURE_COOKIE
from tests.api.pages.conftest import HOST, OURS, Office, an_app, form_token_in
from tests.conftest import Databases


async def test_token_opens_a_session_whose_cookie_scripts_cannot_read(office: Office) -> None:
    async with office.visit() as browser:
        answer = await browser.post("/login", data={"token": await office.token()}, headers=OURS)
        queue = await browser.get("/queue")

    assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
    assert re.search(r"HttpOnly; Max-Age=43200; Path=/; SameSite=lax$", answer.headers["set-cookie"])
    assert queue.status_code == 200


async def test_cookie_is_for_tls_only_where_the_browser_speaks_it(office: Office) -> None:
    transport = httpx.ASGITransport(office.app)
    secure = {"origin": "https://countersign.test", "sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(transport=transport, base_url="https://countersign.test") as browser:
        answer = await browser.post("/login", data={"token": await office.token()}, headers=secure)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(SECURE_COOKIE + "=")
    assert "; Secure" in cookie


async def test_proxy_that_speaks_tls_for_us_is_believed_for_the_public_address_only(office: Office) -> None:
    office.app = an_app(office.databases, office.door_keys, public_url="https://countersign.test")
    public = {"origin": "https://countersign.test", "sec-fetch-site": "same-origin"}
    async with office.visit() as browser:
        behind = await browser.post("/login", data={"token": await office.token()}, headers=public)
        other = await browser.post("/login", data={"token": "x"}, headers=public | {"host": "evil.test"})

    assert behind.headers["set-cookie"].startswith(SECURE_COOKIE + "=")
    assert "; Secure" in behind.headers["set-cookie"]
    assert other.status_code == 403


async def test_nothing_of_a_secret_is_stored(office: Office, databases: Databases) -> None:
    token = await office.token()
    async with office.visit() as browser:
        await browser.post("/login", data={"token": token}, headers=OURS)
        secret = browser.cookies[COOKIE].partition(".")[2]

    async with databases.owner.transaction(office.tenant_id) as session:
        rows = list((await session.execute(text("select to_jsonb(s)::text from sessions s"))).scalars())
        rows += (await session.execute(text("select to_jsonb(t)::text from api_tokens t"))).scalars().all()
    assert rows
    assert not [row for row in rows if secret in row or token in row]


@pytest.mark.parametrize("path", ["/queue", "/tickets/{id}", "/decisions/dec_" + "0" * 40])
async def test_page_asks_to_log_in_first_and_comes_back(office: Office, path: str) -> None:
    asked = path.format(id=uuid4())
    async with office.visit(accept="text/html") as browser:
        answer = await browser.get(asked)
        login = await browser.post(
            "/login", data={"token": await office.token(), "next": asked}, headers=OURS
        )

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={asked}"
    assert login.headers["location"] == asked


@pytest.mark.parametrize(
    "next_",
    [
        "//evil.test",
        "https://evil.test/queue",
        "/queue\r\nset-cookie: a=b",
        "/\\evil.test",
        "/queue/../x",
        "javascript:1",
    ],
)
async def test_login_leads_to_our_own_pages_only(office: Office, next_: str) -> None:
    async with office.visit() as browser:
        answer = await browser.post(
            "/login", data={"token": await office.token(), "next": next_}, headers=OURS
        )

    assert answer.headers["location"] == "/queue"
    assert len(answer.headers.get_list("set-cookie")) == 1


@pytest.mark.parametrize("token", ["", "cs_wrong", "x" * 5000, "kø", "\x00", "' or 1=1 --"])
async def test_wrong_token_opens_nothing(office: Office, token: str) -> None:
    async with office.visit() as browser:
        answer = await browser.post("/login", data={"token": token}, headers=OURS)

    assert answer.status_code == 401
    assert "not valid" in answer.text
    assert "set-cookie" not in answer.headers


async def test_revoked_token_ends_its_sessions_at_once(office: Office) -> None:
    token_id, token = await office.logins.issue_token(office.tenant_id, office.teammate)
    async with office.visit() as browser:
        await browser.post("/login", data={"token": token}, headers=OURS)
        before = await browser.get("/queue")
        assert await office.logins.revoke_token(office.tenant_id, token_id)
        after = await browser.get("/queue")
        bearer = await browser.get("/api/tickets", headers={"authorization": f"Bearer {token}"})
        again = await browser.post("/login", data={"token": token}, headers=OURS)

    assert [before.status_code, after.status_code, bearer.status_code, again.status_code] == [
        200,
        401,
        401,
        401,
    ]
    assert not await office.logins.revoke_token(office.tenant_id, token_id)


async def test_retired_teammate_is_refused_at_once(office: Office) -> None:
    async with office.logged_in() as browser:
        await office.registry.retire_others(office.tenant_id, [])

        assert (await browser.get("/queue")).status_code == 401


async def test_session_ends_with_its_time(office: Office, databases: Databases) -> None:
    async with office.logged_in() as browser:
        async with databases.owner.transaction(office.tenant_id) as session:
            await session.execute(text("update sessions set expires_at = now() - interval '1 second'"))

        assert (await browser.get("/queue")).status_code == 401


async def test_logging_out_makes_a_copied_cookie_worthless(office: Office) -> None:
    async with office.logged_in() as browser:
        copied = browser.cookies[COOKIE]
        token = form_token_in((await browser.get("/queue")).text)
        answer = await browser.post("/logout", data={"form_token": token}, headers=OURS)
    async with office.visit(cookie=f"{COOKIE}={copied}") as thief:
        stolen = await thief.get("/queue")

    assert answer.headers["location"] == "/login"
    assert stolen.status_code == 401


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ".",
        "x",
        "{tenant}",
        "{tenant}.",
        "{tenant}.forged",
        ".{secret}",
        "{nobody}.{secret}",
        "{other}.{secret}",
        "{tenant}.{secret}x",
        "{tenant}.{secret}.",
        "{tenant}.{upper}",
        "not-a-uuid-not-a-uuid-not-a-uuid.{secret}",
    ],
)
async def test_forged_cookie_opens_nothing(office: Office, other_office: Office, cookie: str) -> None:
    async with office.logged_in() as browser:
        secret = browser.cookies[COOKIE].partition(".")[2]
    forged = cookie.format(
        tenant=office.tenant_id.hex,
        other=other_office.tenant_id.hex,
        nobody=uuid4().hex,
        secret=secret,
        upper=secret.swapcase(),
    )
    async with office.visit(cookie=f"{COOKIE}={forged}") as thief:
        answer = await thief.get("/queue")

    assert answer.status_code == 401


# --- one-time links -------------------------------------------------------------------------------------


async def test_link_logs_in_once(office: Office) -> None:
    link = await office.logins.issue_link(office.tenant_id, office.teammate)
    async with office.visit() as browser:
        looked = [await browser.get(f"/login/{link}") for _ in range(2)]
        first = await browser.post("/login", data={"link": link}, headers=OURS)
        queue = await browser.get("/queue")
    async with office.visit() as thief:
        second = await thief.post("/login", data={"link": link}, headers=OURS)

    assert [answer.status_code for answer in looked] == [200, 200], "a look must not use it up"
    assert [first.status_code, queue.status_code, second.status_code] == [303, 200, 401]
    assert "used before" in second.text


async def test_link_is_over_after_its_quarter_of_an_hour(office: Office, databases: Databases) -> None:
    link = await office.logins.issue_link(office.tenant_id, office.teammate)
    async with databases.owner.transaction(office.tenant_id) as session:
        life = text("select expires_at - created_at from login_links")
        assert (await session.execute(life)).scalar_one().total_seconds() == 900
        await session.execute(text("update login_links set expires_at = now()"))
    async with office.visit() as browser:
        answer = await browser.post("/login", data={"link": link}, headers=OURS)

    assert answer.status_code == 401


async def test_links_that_are_over_are_forgotten(office: Office, databases: Databases) -> None:
    link = await office.logins.issue_link(office.tenant_id, office.teammate)
    async with office.visit() as browser:
        await browser.post("/login", data={"link": link}, headers=OURS)
    await office.logins.issue_link(office.tenant_id, office.teammate)

    async with databases.owner.transaction(office.tenant_id) as session:
        kept = (await session.execute(text("select count(*) from login_links"))).scalar_one()
        listed = "select count(*) from directory where kind = 'link' and tenant_id = :tenant"
        found = (await session.execute(text(listed), {"tenant": office.tenant_id})).scalar_one()
    assert (kept, found) == (1, 1)


# --- other sites ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": HOST, "sec-fetch-site": "cross-site"},
        {"origin": HOST, "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": HOST + ".evil.test"},
    ],
)
async def test_other_site_cannot_log_anybody_in(office: Office, headers: dict[str, str]) -> None:
    async with office.visit() as browser:
        answer = await browser.post("/login", data={"token": await office.token()}, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:countersign:problem:not_our_form"


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"origin": "https://evil.test"}, "right"),
        ({"origin": HOST, "sec-fetch-site": "cross-site"}, "right"),
        (OURS, ""),
        (OURS, "0" * 64),
        (OURS, "ø"),
    ],
)
async def test_other_site_cannot_press_our_buttons(
    office: Office, headers: dict[str, str], token: str
) -> None:
    story, _ = await office.asked()
    async with office.logged_in() as browser:
        right = form_token_in((await browser.get("/queue")).text)
        form = {"form_token": right if token == "right" else token}
        path = f"/tickets/{story.ticket.ticket_id}/take_over"
        answers = [
            await browser.post(path, data=form, headers=headers),
            await browser.post(f"/api{path.replace('_', '-')}", data=form, headers=headers),
            await browser.post("/logout", data=form, headers=headers),
        ]
        still = await browser.get("/queue")

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert still.status_code == 200
    assert (await story.tickets.owner(story.ticket))[0] == "automation"


async def test_form_token_of_another_session_does_not_count(office: Office) -> None:
    async with office.logged_in() as first, office.logged_in() as second:
        token = form_token_in((await first.get("/queue")).text)
        answer = await second.post("/logout", data={"form_token": token}, headers=OURS)

    assert answer.status_code == 403


# --- guessing -------------------------------------------------------------------------------------------


async def test_address_that_fails_too_often_has_to_wait(office: Office) -> None:
    async with office.visit() as browser:
        for _ in range(FAILURES):
            await browser.post("/login", data={"token": "cs_guess"}, headers=OURS)
        refused = await browser.post("/login", data={"token": await office.token()}, headers=OURS)
        bearer = await browser.get("/api/tickets", headers={"authorization": "Bearer cs_guess"})

    assert [refused.status_code, bearer.status_code] == [429, 429]
    assert refused.headers["retry-after"] == "300"


async def test_session_goes_on_while_its_address_has_to_wait(office: Office) -> None:
    async with office.logged_in() as browser:
        for _ in range(FAILURES):
            await browser.get("/api/tickets", headers={"authorization": "Bearer cs_guess"})

        assert (await browser.get("/queue")).status_code == 200


async def test_form_token_and_digests_are_compared_in_constant_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []
    honest = hmac.compare_digest

    def noted(a: bytes, b: bytes) -> bool:
        compared.append(a)
        return honest(a, b)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    async with office.logged_in() as browser:
        await browser.post("/logout", data={"form_token": "0" * 64}, headers=OURS)

    assert b"0" * 64 in compared, "the form token"
    assert len(compared) == 3, "the token's digest, the session's digest, the form token"


def test_session_secret_is_not_shown_where_objects_are_printed() -> None:
    session = SessionSecret(UUID(int=1), "secret")

    assert SessionSecret.parse(str(session)) == session
    assert session.form_token not in str(session)
    assert "secret" not in repr(session)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer x", "Basic x", "Bearer " + "x" * 9000, "Bearer \xff"]
)
async def test_broken_authorization_is_refused(office: Office, header: str) -> None:
    async with office.visit() as browser:
        answer = await browser.get("/api/tickets", headers={b"authorization": header.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
