"""Decides with an OPA server by URL: the same library and data as in this process, over OPA's REST API.

One server holds every tenant and version, because what it is given is named by its content. Whatever goes
wrong on the way is an answer: deny.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, JsonValue

from adapters.bounded_http import AnswerUnusable, bounded
from adapters.policy.answered import read
from adapters.policy.effective import Effective
from adapters.policy.served import module, place, served
from adapters.policy.words import denial
from domain.decision import EngineAnswer, PolicyInput
from domain.model import Digest

WITHIN = timedelta(seconds=1)  # everything about one plan: a local activity waits for it
GIVEN_WITHIN = timedelta(seconds=2)  # a new policy, once; the server compiles
LARGEST_ANSWER = 1_000_000
ENGINE_FAILED = denial("default", "engine_failed")

log = structlog.get_logger()


class OpaUnusable(Exception):
    """The server does not know the policy, or answered something else than was asked."""

    def __init__(self) -> None:
        super().__init__("The OPA server cannot answer")


class _Plan(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    version: str
    answers: list[dict[str, JsonValue]]


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore")  # OPA may add metrics, provenance, a decision id

    result: _Plan | None = None


class OpaServer:
    """Where it is, and the token it wants (`opa run --authentication=token`)."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, token: str = "", within: timedelta = WITHIN
    ) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._within = within

    def engine(self, policy: Effective) -> "OpaEngine":
        """Nothing is sent before its first decision."""
        return OpaEngine(self, policy)

    async def load(self, policy: Effective) -> "OpaEngine":
        """The policy is sent ahead, so that its first decision does not wait for it. Never raises."""
        try:
            async with asyncio.timeout(GIVEN_WITHIN.total_seconds()):
                await self._put(policy)
        except Exception as error:  # noqa: BLE001 - the first decision tries again, and denies
            log.warning("opa_not_prepared", version=policy.version, error=type(error).__name__)
        return self.engine(policy)

    async def answers(self, policy: Effective, documents: Sequence[str]) -> list[EngineAnswer]:
        """One per document, in their order, within one deadline. Never raises."""
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                return await self._answers(policy, documents)
        except Exception as error:  # noqa: BLE001 - fail closed: no failure of a server may become anything but a denial
            # Neither the sentence of the error nor its cause: they may hold the input.
            log.warning("opa_failed", version=policy.version, error=type(error).__name__)
            return [ENGINE_FAILED for _ in documents]

    async def healthy(self) -> bool:
        """Whether it answers and lets us in."""
        try:
            await self._ask("GET", "v1/data/countersign_policies/none")
        except (AnswerUnusable, TimeoutError, httpx.HTTPError):
            return False
        return True

    async def _answers(self, policy: Effective, documents: Sequence[str]) -> list[EngineAnswer]:
        asked: list[JsonValue] = [json.loads(document) for document in documents]
        plan = await self._plan(policy, asked)
        if plan is None:  # it never had this version, or lost it
            await self._put(policy)
            plan = await self._plan(policy, asked)
        if plan is None or plan.version != policy.version:
            raise OpaUnusable
        return [
            read(json.dumps(found), policy, document)
            for found, document in zip(plan.answers, documents, strict=True)
        ]

    async def _plan(self, policy: Effective, asked: list[JsonValue]) -> _Plan | None:
        question: JsonValue = {"input": {"policy": place(policy.version), "documents": asked}}
        try:
            said = await self._ask("POST", f"v1/data/{module().name}/plan", _json(question))
        except AnswerUnusable as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return _Result.model_validate_json(said).result

    async def _put(self, policy: Effective) -> None:
        library = module()
        data = _json(served(policy))
        await self._ask("PUT", f"v1/data/countersign_policies/{place(policy.version)}", data)
        await self._ask("PUT", f"v1/policies/{library.name}", library.text.encode(), "text/plain")

    async def _ask(
        self, method: str, path: str, content: bytes = b"", type_: str = "application/json"
    ) -> bytes:
        headers = {**self._headers, "Content-Type": type_}
        request = self._client.build_request(
            method, f"{self._url}/{path}", content=content or None, headers=headers
        )
        return await bounded(self._client, request, within=GIVEN_WITHIN, largest=LARGEST_ANSWER)


class OpaEngine:
    """The `RemotePolicyEngine` port for one compiled policy."""

    def __init__(self, server: OpaServer, policy: Effective) -> None:
        self.version: Digest = policy.version
        self.policy = policy
        self._server = server

    def decide(self, input_: PolicyInput) -> EngineAnswer:  # noqa: ARG002 - the port's signature
        """Denies: who asks here would have to stop the loop until the server answers."""
        return ENGINE_FAILED

    async def decide_plan(self, inputs: Sequence[PolicyInput]) -> list[EngineAnswer]:
        """One answer per input. Never raises."""
        return await self.decide_documents([each.model_dump_json(exclude_none=True) for each in inputs])

    async def decide_documents(self, documents: Sequence[str]) -> list[EngineAnswer]:
        """The same for stored inputs."""
        return await self._server.answers(self.policy, documents)


def _json(value: JsonValue) -> bytes:
    """Raises `ValueError` for a number that JSON has not."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
