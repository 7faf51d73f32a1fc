"""Who decides: the engine in the worker, or an OPA server where one is set."""

import pytest

from adapters.http import shared_client
from adapters.opa import OpaEngine
from adapters.policy.effective import Effective
from adapters.regorus import RegorusEngine
from domain.errors import BundleRefused
from tests.adapters.policy_inputs import starter
from worker.policy_engine import loader


@pytest.mark.parametrize(("opa_url", "engine"), [("", RegorusEngine), ("http://127.0.0.1:1", OpaEngine)])
async def test_engine_that_decides(opa_url: str, engine: type) -> None:
    async with shared_client() as client:
        loaded = await loader(client, opa_url, "")(starter())

    assert type(loaded) is engine
    assert loaded.version == starter().version


@pytest.mark.parametrize("opa_url", ["", "http://127.0.0.1:1"])
async def test_policy_that_cannot_be_evaluated_here_is_refused_whoever_decides(opa_url: str) -> None:
    senseless = Effective({**starter().document, "levels": 7}, starter().sources)

    async with shared_client() as client:
        with pytest.raises((BundleRefused, TypeError)):
            await loader(client, opa_url, "")(senseless)
