"""An OPA engine for tests that ask one document at a time and do not wait on a loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from adapters.http import shared_client
from adapters.opa import OpaEngine, OpaServer
from adapters.policy.effective import Effective
from domain.decision import EngineAnswer, PolicyInput
from domain.model import Digest
from tests.opa.process import running_opa

PATIENCE = timedelta(seconds=30)  # what is compared here is answers, not time


class BlockingOpa:
    """Has a loop in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client = shared_client()
        self.server = OpaServer(self._client, url, within=PATIENCE)

    def load(self, policy: Effective) -> "BlockingEngine":
        """As `regorus.load`."""
        return BlockingEngine(self, self.server.engine(policy))

    def wait(self, engine: OpaEngine, documents: list[str]) -> list[EngineAnswer]:
        asked = asyncio.run_coroutine_threadsafe(engine.decide_documents(documents), self._loop)
        return asked.result(PATIENCE.total_seconds() * 2)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class BlockingEngine:
    """`decide` and `decide_document` as the engines in this process have them."""

    def __init__(self, opa: BlockingOpa, engine: OpaEngine) -> None:
        self.version: Digest = engine.version
        self.policy = engine.policy
        self._opa = opa
        self._engine = engine

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        return self.decide_document(input_.model_dump_json(exclude_none=True))

    def decide_document(self, document: str) -> EngineAnswer:
        (answered,) = self.decide_documents([document])
        return answered

    def decide_documents(self, documents: list[str]) -> list[EngineAnswer]:
        return self._opa.wait(self._engine, documents)


@contextmanager
def blocking_opa() -> Iterator[BlockingOpa]:
    """A real OPA behind the adapter."""
    with running_opa() as url:
        opa = BlockingOpa(url)
        try:
            yield opa
        finally:
            opa.close()
