"""An OPA server decides like the engine in this process, and whatever goes wrong on the way is a denial."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import perf_counter
from typing import Any

import httpx
import pytest

from adapters.http import shared_client
from adapters.opa import ENGINE_FAILED, LARGEST_ANSWER, OpaServer
from adapters.policy.bundle import Level
from adapters.policy.effective import Effective, effective
from adapters.policy.served import module, place
from domain.decision import EngineAnswer, Verdict
from tests.adapters.policy.deciding import policy
from tests.adapters.policy_inputs import as_input, engines, refund, starter
from tests.opa.process import running_opa

TOKEN = "invented-token-of-opa"
SHORT = timedelta(milliseconds=300)


@pytest.fixture(scope="module")
def opa_url() -> Iterator[str]:
    with running_opa(TOKEN) as url:
        yield url


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with shared_client() as client:
        yield client


@pytest.fixture
def opa(opa_url: str, client: httpx.AsyncClient) -> OpaServer:
    return OpaServer(client, opa_url, TOKEN, within=timedelta(seconds=30))


def documents(*amounts: int) -> list[str]:
    return [json.dumps(refund(amount)) for amount in amounts]


async def test_plan_is_answered_in_its_order_like_in_this_process(opa: OpaServer) -> None:
    asked = documents(5001, 5000, 50001)

    answered = await opa.engine(starter()).decide_documents(asked)

    assert answered == [engines()[0].decide_document(document) for document in asked]
    assert [each.verdict for each in answered] == [Verdict.APPROVAL_NEEDED, Verdict.ALLOW, Verdict.DENY]


async def test_typed_input_is_decided_like_its_document(opa: OpaServer) -> None:
    (answered,) = await opa.engine(starter()).decide_plan([as_input(refund(5001))])

    assert answered == engines()[0].decide_document(*documents(5001))


async def test_tenants_and_versions_on_one_server_are_not_mixed(opa: OpaServer) -> None:
    strict, mild = _notes("deny"), _notes("allow")
    note = json.dumps({**refund(), "action": {"type": "private_note", "band": "low"}})

    answered = await asyncio.gather(
        *(opa.engine(each).decide_documents([note]) for each in (strict, mild) * 5)
    )

    assert [each.verdict for (each,) in answered] == [Verdict.DENY, Verdict.ALLOW] * 5


async def test_server_that_lost_everything_is_given_it_again(
    opa: OpaServer, opa_url: str, client: httpx.AsyncClient
) -> None:
    engine = opa.engine(starter())
    first = await engine.decide_documents(documents(5000))
    await client.delete(opa_url)

    assert await engine.decide_documents(documents(5000)) == first
    assert first[0].verdict is Verdict.ALLOW


async def test_wrong_token_denies(opa_url: str, client: httpx.AsyncClient) -> None:
    wrong = OpaServer(client, opa_url, "another-token")

    assert await wrong.engine(starter()).decide_documents(documents(5000)) == [ENGINE_FAILED]
    assert not await wrong.healthy()


async def test_question_that_cannot_wait_is_denied(opa: OpaServer) -> None:
    assert opa.engine(starter()).decide(as_input(refund(5000))) == ENGINE_FAILED


async def test_server_that_answers_is_healthy(opa: OpaServer) -> None:
    assert await opa.healthy()


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", '{"action": NaN}', '{"action": 1e999}'])
async def test_garbage_denies(garbage: str, opa: OpaServer) -> None:
    (answered,) = await opa.engine(starter()).decide_documents([garbage])

    assert answered.verdict is Verdict.DENY


def _notes(verdict: str) -> Effective:
    rule = {"when": {"actions": ["private_note"]}, verdict: True}
    return effective({Level.TENANT: policy([rule], name=verdict)})


# --- servers that are no OPA ------------------------------------------------------------------------


Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def hostile(reply: Reply) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers every request with `reply`; its address, and the first lines of what it was asked."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            seen.append(head.split(b"\r\n")[0])
            await reply(writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side has given up, as it should
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", seen


def says(body: object, status: str = "200 OK", header: str = "X: y") -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def reply(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)

    return reply


async def never(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def by_drops(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def without_end(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"result": "')
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")


async def says_nothing(_: asyncio.StreamWriter) -> None:
    pass


def plan(version: str | None = None, answers: Any = None) -> dict[str, Any]:
    allowed = {"verdict": "allow", "reasons": [{"rule": "any", "code": "allowed"}], "redacted": []}
    return {
        "result": {
            "version": version or starter().version,
            "answers": [allowed] if answers is None else answers,
        }
    }


GIVEN = [
    f"PUT /v1/data/countersign_policies/{place(starter().version)} HTTP/1.1",
    f"PUT /v1/policies/{module().name} HTTP/1.1",
]

HOSTILE: dict[str, Reply] = {
    "slow": never,
    "drops": by_drops,
    "without end": without_end,
    "too large": says(json.dumps(plan()).encode() + b" " * LARGEST_ANSWER),
    "hangs up": hangs_up,
    "says nothing": says_nothing,
    "no JSON": says(b"<html>allow</html>"),
    "a list": says([]),
    "true": says({"result": True}),
    "null": says({"result": None}),
    "undefined": says({}),
    "another version": says(plan(version=f"sha256:{'0' * 64}")),
    "no version": says({"result": {"answers": plan()["result"]["answers"]}}),
    "no answer": says(plan(answers=[])),
    "two answers": says(plan(answers=plan()["result"]["answers"] * 2)),
    "a verdict of its own": says(plan(answers=[{"verdict": "yes", "reasons": [], "redacted": []}])),
    "no reasons": says(plan(answers=[{"verdict": "allow"}])),
    "500": says(plan(), "500 Internal Server Error"),
    "404": says(plan(), "404 Not Found"),
    "401": says(plan(), "401 Unauthorized"),
    "203": says(plan(), "203 Non-Authoritative Information"),
    "redirect": says(plan(), "307 Temporary Redirect", "Location: http://127.0.0.1:1/"),
    "compressed": says(b"\x1f\x8b not really", header="Content-Encoding: gzip"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_server_denies_in_time(name: str, client: httpx.AsyncClient) -> None:
    began = perf_counter()
    async with hostile(HOSTILE[name]) as (url, _):
        answered = (
            await OpaServer(client, url, within=SHORT).engine(starter()).decide_documents(documents(5000))
        )

    assert answered == [ENGINE_FAILED]
    assert perf_counter() - began < 10


async def test_right_answer_of_such_a_server_would_be_taken(client: httpx.AsyncClient) -> None:
    async with hostile(says(plan())) as (url, _):
        (answered,) = await OpaServer(client, url).engine(starter()).decide_documents(documents(5000))

    assert answered.verdict is Verdict.ALLOW


async def test_redirect_is_not_followed(client: httpx.AsyncClient) -> None:
    async with hostile(says(plan())) as (elsewhere, asked):
        sends_on = says(b"", "307 Temporary Redirect", f"Location: {elsewhere}/v1/data")
        async with hostile(sends_on) as (url, _):
            answered = await OpaServer(client, url).engine(starter()).decide_documents(documents(5000))

    assert answered == [ENGINE_FAILED]
    assert asked == []


async def test_server_that_knows_nothing_is_given_it_once(client: httpx.AsyncClient) -> None:
    async with hostile(says({})) as (url, asked):
        answered = await OpaServer(client, url).engine(starter()).decide_documents(documents(5000, 5001))

    ask = f"POST /v1/data/{module().name}/plan HTTP/1.1"
    assert [line.decode() for line in asked] == [ask, *GIVEN, ask]
    assert answered == [ENGINE_FAILED] * 2


async def test_new_policy_is_sent_ahead_of_its_first_decision(client: httpx.AsyncClient) -> None:
    async with hostile(says({})) as (url, asked):
        await OpaServer(client, url).load(starter())

    assert [line.decode() for line in asked] == GIVEN


@pytest.mark.parametrize("name", ["slow", "500", "says nothing"])
async def test_server_that_cannot_be_given_a_policy_holds_nothing_up(
    name: str, client: httpx.AsyncClient
) -> None:
    began = perf_counter()
    async with hostile(HOSTILE[name]) as (url, _):
        engine = await OpaServer(client, url, within=SHORT).load(starter())

        assert await engine.decide_documents(documents(5000)) == [ENGINE_FAILED]
    assert perf_counter() - began < 10


async def test_nothing_of_the_input_is_logged(
    client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = json.dumps({**refund(), "ticket": "ida@example.com"})

    async with hostile(says({"result": "ida@example.com"})) as (url, _):
        answered: list[EngineAnswer] = (
            await OpaServer(client, url).engine(starter()).decide_documents([asked])
        )

    said = capfd.readouterr()
    assert answered == [ENGINE_FAILED]
    assert "opa_failed" in said.out + said.err
    assert "ida@" not in said.out + said.err
