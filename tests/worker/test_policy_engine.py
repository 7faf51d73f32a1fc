"""Who decides: the engine in the worker, or an OPA server where one is set."""

import pytest

from adapters.child_pool import ChildPool
from adapters.opa import OpaEngine
from adapters.regorus import RegorusEngine
from tests.adapters.policy_inputs import starter
from worker.parts import Addresses, Parts

DATABASE = "postgresql://somebody@127.0.0.1:1/nothing"


@pytest.mark.parametrize(("opa_url", "engine"), [("", RegorusEngine), ("http://127.0.0.1:1", OpaEngine)])
async def test_engine_that_decides(opa_url: str, engine: type) -> None:
    addresses = Addresses(
        app=DATABASE,
        egress=DATABASE,
        relay=DATABASE,
        sealer=DATABASE,
        app_keys=DATABASE,
        slack_api="http://127.0.0.1:1",
        opa_url=opa_url,
    )

    loaded = await Parts(addresses, bytes(32), ChildPool())._load_policy(starter())

    assert type(loaded) is engine
    assert loaded.version == starter().version
