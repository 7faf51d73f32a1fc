"""Who reads what, what is written down about it, and what a hostile caller gets."""

import json
from dataclasses import replace
from http import HTTPStatus
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from adapters.codec_keys import CodecKeys
from adapters.postgres.codec import DecodeRecords, PostgresTenantKeyRows
from adapters.postgres.logins import Logins, Teammate
from adapters.postgres.session import Database
from api.codec.allowance import BURST
from api.codec.ports import CodecParts
from api.codec.wire import LIMIT_BYTES, MOST_PAYLOADS
from tests.api.codec.conftest import Clock
from tests.api.codec.story import PLAIN, SAID, SHARED_TOKEN, UI, Asking, Json, a_principal, a_token, said
from tests.conftest import MASTER_KEY, Databases

NOWHERE = "postgresql://nobody:nothing@127.0.0.1:9/nowhere"  # nobody listens on the discard port


def problem(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert SAID not in answer.text
    return str(answer.json()["type"]).rpartition(":")[2]


def answered(answer: httpx.Response) -> list[Json]:
    assert answer.status_code == HTTPStatus.OK, answer.text
    payloads: list[Json] = answer.json()["payloads"]
    return payloads


async def test_operator_reads_payloads_of_their_tenant_in_order(
    ask: Asking, tenant_id: UUID, token: str
) -> None:
    sealed = [await ask.sealed(tenant_id, f"text {number}") for number in range(3)]

    opened = answered(await ask.decode(token, *sealed))

    assert [said(payload) for payload in opened] == ['"text 0"', '"text 1"', '"text 2"']


async def test_each_request_leaves_one_audit_row_without_a_word(
    ask: Asking, databases: Databases, tenant_id: UUID, token: str
) -> None:
    sealed = await ask.sealed(tenant_id)

    answered(await ask.decode(token, sealed, sealed))

    [(kind, content)] = await ask.audited(tenant_id)
    key = (await ask.keys.tenant_key(tenant_id)).id
    assert kind == "payloads_decoded"
    assert content.pop("by").startswith("principal_")
    assert content == {"schema_version": 1, "opened": 2, "erased": 0, "keys": [str(key)]}


async def test_the_same_request_again_is_written_down_again(ask: Asking, tenant_id: UUID, token: str) -> None:
    sealed = await ask.sealed(tenant_id)

    for _ in range(2):
        answered(await ask.decode(token, sealed))

    assert len(await ask.audited(tenant_id)) == 2


async def test_payload_of_another_tenant_stays_as_it_is_and_the_attempt_is_the_askers(
    ask: Asking, tenant_id: UUID, other_tenant: UUID, token: str
) -> None:
    own, foreign = await ask.sealed(tenant_id), await ask.sealed(other_tenant)

    opened, kept = answered(await ask.decode(token, own, foreign))

    assert said(opened) == json.dumps(SAID)
    assert kept == foreign
    assert await ask.audited(other_tenant) == []
    written = dict(await ask.audited(tenant_id))
    assert written["payloads_refused"]["refused"] == 1


async def test_the_installations_operator_reads_every_tenant(
    ask: Asking, tenant_id: UUID, other_tenant: UUID
) -> None:
    sealed = [await ask.sealed(tenant_id), await ask.sealed(other_tenant)]

    opened = answered(await ask.decode(SHARED_TOKEN, *sealed))

    assert [said(payload) for payload in opened] == [json.dumps(SAID)] * 2
    for tenant in (tenant_id, other_tenant):
        [(_, content)] = await ask.audited(tenant)
        assert (content["by"], content["opened"]) == ("operator", 1)


async def test_tokens_of_several_tenants_are_joined_with_dots(
    ask: Asking, tenant_id: UUID, other_tenant: UUID, token: str
) -> None:
    principal = await a_principal(ask.databases, other_tenant, "operator")
    other = await a_token(ask.databases, other_tenant, principal, "operator")
    sealed = [await ask.sealed(tenant_id), await ask.sealed(other_tenant)]

    opened = answered(await ask.decode(f"{token}.{other}", *sealed))

    assert [said(payload) for payload in opened] == [json.dumps(SAID)] * 2
    assert problem(await ask.decode(f"{token}.wrong", *sealed)) == "not_signed_in"


@pytest.mark.parametrize("wrong", [None, "", "wrong", SHARED_TOKEN[:-1], "x" * 5_000, ".", "a." * 20])
async def test_nobody_reads_without_a_token(ask: Asking, tenant_id: UUID, wrong: str | None) -> None:
    answer = await ask.decode(wrong, await ask.sealed(tenant_id))

    assert (answer.status_code, problem(answer)) == (HTTPStatus.UNAUTHORIZED, "not_signed_in")
    assert await ask.audited(tenant_id) == []


async def test_a_revoked_token_opens_nothing_at_once(ask: Asking, tenant_id: UUID, token: str) -> None:
    sealed = await ask.sealed(tenant_id)
    answered(await ask.decode(token, sealed))
    async with ask.databases.owner.transaction(tenant_id) as session:
        await session.execute(text("update api_tokens set revoked_at = now()"))

    assert problem(await ask.decode(token, sealed)) == "not_signed_in"


@pytest.mark.parametrize(
    ("of_person", "of_token"), [((), ("operator",)), (("operator",), ()), (("teammate",), ("teammate",))]
)
async def test_person_and_token_must_both_be_an_operators(
    ask: Asking,
    tenant_id: UUID,
    of_person: tuple[str, ...],
    of_token: tuple[str, ...],
) -> None:
    principal = await a_principal(ask.databases, tenant_id, *of_person)
    token = await a_token(ask.databases, tenant_id, principal, *of_token)

    assert problem(await ask.decode(token, await ask.sealed(tenant_id))) == "not_signed_in"


@pytest.mark.parametrize(
    ("roles", "status"),
    [(("operator",), HTTPStatus.OK), (("teammate", "admin"), HTTPStatus.UNAUTHORIZED)],
)
async def test_a_token_issued_to_an_operator_reads_and_a_teammates_does_not(
    ask: Asking, tenant_id: UUID, roles: tuple[str, ...], status: HTTPStatus
) -> None:
    principal = await a_principal(ask.databases, tenant_id, *roles)
    logins = Logins(ask.databases.owner, ask.keys)
    _, token = await logins.issue_token(tenant_id, Teammate(principal, "Ola", "U1", (), roles))

    assert (await ask.decode(token, await ask.sealed(tenant_id))).status_code == status


async def test_what_we_did_not_encrypt_comes_back_as_it_came(ask: Asking, token: str) -> None:
    keyless = {"metadata": {"encoding": "YmluYXJ5L2VuY3J5cHRlZA=="}, "data": "AAAA"}
    unknown = {**keyless, "metadata": {**keyless["metadata"], "key": "AAAAAAAAAAAAAAAAAAAAAA=="}}  # type: ignore[dict-item]
    newer = {**PLAIN, "externalPayloads": [{"sizeBytes": "9"}]}

    sent = [PLAIN, keyless, unknown, newer, {"metadata": {}}, {}]

    assert answered(await ask.decode(token, *sent)) == sent


async def test_changed_ciphertext_comes_back_as_it_came(ask: Asking, tenant_id: UUID, token: str) -> None:
    changed = await ask.sealed(tenant_id)
    changed["data"] = ("B" if changed["data"][0] == "A" else "A") + changed["data"][1:]

    assert answered(await ask.decode(token, changed)) == [changed]


async def test_a_destroyed_key_reads_as_a_tombstone(ask: Asking, tenant_id: UUID, token: str) -> None:
    sealed = await ask.sealed(tenant_id)
    async with ask.databases.key_app.transaction(tenant_id) as session:
        await session.execute(
            text("update data_keys set wrapped = null, destroyed_at = now() where kind = 'tenant'")
        )

    (erased,) = answered(await ask.decode(token, sealed))

    assert said(erased) == '{"unreadable":"erased"}'
    [(_, content)] = await ask.audited(tenant_id)
    assert (content["opened"], content["erased"]) == (0, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"payloads": 1}',
        b'{"payloads": [{"metadata": {"encoding": "%%%"}, "data": ""}]}',
        b'{"payloads": [{"metadata": {}, "data": "A"}]}',
        b'{"payloads": [{"metadata": {"a": 5}}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"payloads": [{}] * (MOST_PAYLOADS + 1)}).encode(),
    ],
)
async def test_malformed_bodies_are_refused(ask: Asking, token: str, body: bytes) -> None:
    answer = await ask.send(token, body)

    assert (answer.status_code, problem(answer)) == (HTTPStatus.UNPROCESSABLE_ENTITY, "malformed_body")


async def test_a_huge_body_is_refused(ask: Asking, token: str) -> None:
    answer = await ask.send(token, b"x" * (LIMIT_BYTES + 1))

    assert (answer.status_code, problem(answer)) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large")


async def test_there_is_no_way_to_encode(ask: Asking, token: str, browser: httpx.AsyncClient) -> None:
    assert problem(await ask.send(token, b'{"payloads": []}', "/encode")) == "not_found"
    assert problem(await ask.send(token, b'{"payloads": []}', "/download")) == "not_found"
    assert problem(await browser.get("/decode")) == "method_not_allowed"


async def test_without_the_key_store_nothing_is_answered(
    ask: Asking, parts: CodecParts, tenant_id: UUID, token: str
) -> None:
    away = Database(NOWHERE)
    ask.parts = replace(parts, keys=CodecKeys(PostgresTenantKeyRows(away), MASTER_KEY))

    answer = await ask.decode(token, await ask.sealed(tenant_id))

    await away.close()
    assert (answer.status_code, problem(answer)) == (HTTPStatus.SERVICE_UNAVAILABLE, "try_later")


async def test_what_cannot_be_written_down_is_not_shown(
    ask: Asking, parts: CodecParts, tenant_id: UUID, token: str
) -> None:
    away = Database(NOWHERE)
    ask.parts = replace(parts, records=DecodeRecords(away))

    answer = await ask.decode(token, await ask.sealed(tenant_id))

    await away.close()
    assert (answer.status_code, problem(answer)) == (HTTPStatus.SERVICE_UNAVAILABLE, "try_later")


async def test_a_token_cannot_pump(ask: Asking, tenant_id: UUID, token: str, clock: Clock) -> None:
    full = [PLAIN] * MOST_PAYLOADS
    for _ in range(BURST // MOST_PAYLOADS):
        answered(await ask.decode(token, *full))

    refused = await ask.decode(token, PLAIN)
    other = await ask.decode(SHARED_TOKEN, PLAIN)
    clock.now += 1
    later = await ask.decode(token, PLAIN)

    assert (refused.status_code, problem(refused)) == (HTTPStatus.TOO_MANY_REQUESTS, "allowance_used_up")
    assert refused.headers["retry-after"] == "1"
    assert (other.status_code, later.status_code) == (HTTPStatus.OK, HTTPStatus.OK)


async def test_only_the_uis_page_may_ask_and_read(
    ask: Asking, tenant_id: UUID, token: str, browser: httpx.AsyncClient
) -> None:
    sealed = await ask.sealed(tenant_id)
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}

    preflight = await browser.options("/decode", headers={"origin": UI, **asked})
    read = await ask.decode(token, sealed, origin=UI)
    not_signed_in = await ask.decode(None, sealed, origin=UI)

    assert preflight.status_code == HTTPStatus.NO_CONTENT
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-max-age"] == "7200"
    for answer in (preflight, read, not_signed_in):
        assert answer.headers["access-control-allow-origin"] == UI
        assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(
    "origin", ["http://localhost:8235", "http://127.0.0.1:8233", "https://evil.example", "null"]
)
async def test_other_pages_get_nothing(
    ask: Asking, tenant_id: UUID, token: str, browser: httpx.AsyncClient, origin: str
) -> None:
    preflight = await browser.options("/decode", headers={"origin": origin})
    answer = await ask.decode(token, await ask.sealed(tenant_id), origin=origin)

    for refused in (preflight, answer):
        assert (refused.status_code, problem(refused)) == (HTTPStatus.FORBIDDEN, "origin_refused")
        assert "access-control-allow-origin" not in refused.headers
    assert await ask.audited(tenant_id) == []


async def test_logs_hold_neither_words_nor_tokens(
    ask: Asking, tenant_id: UUID, other_tenant: UUID, token: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        answered(await ask.decode(token, await ask.sealed(tenant_id), await ask.sealed(other_tenant)))

    assert [line["event"] for line in lines] == ["payloads_refused", "request_answered"]
    assert SAID not in str(lines)
    assert token not in str(lines)


async def test_the_key_role_sees_tenant_keys_only(ask: Asking, tenant_id: UUID) -> None:
    await ask.keys.ticket_key(tenant_id, uuid4())

    async with ask.databases.key_codec.across_tenants() as session:
        kinds = (await session.execute(text("select distinct kind from data_keys"))).scalars().all()

    assert kinds == ["tenant"]


@pytest.mark.parametrize(
    "forbidden",
    [
        "select 1 from tickets",
        "select 1 from artifacts",
        "select 1 from vault",
        "select content from audit_events",
        "select slack_user_id from principals",
        "update api_tokens set revoked_at = null",
        "select 1 from directory",
    ],
)
async def test_the_role_reads_no_ticket_and_no_audit_event(
    ask: Asking, tenant_id: UUID, forbidden: str
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with ask.databases.codec.transaction(tenant_id) as session:
            await session.execute(text(forbidden))


async def test_the_key_role_changes_nothing(ask: Asking, tenant_id: UUID) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with ask.databases.key_codec.transaction(tenant_id) as session:
            await session.execute(text("update data_keys set wrapped = null, destroyed_at = now()"))
