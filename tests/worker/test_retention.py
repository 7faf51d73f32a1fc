"""Neither a worker nor `up` starts where Temporal would forget histories too soon."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.closed_runs import RetentionTooShort
from adapters.embedded.home import temporary_home
from adapters.embedded.temporal import TemporalServer, start_temporal
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.settings import Settings, program_variables
from cli.processes import Stack
from tests.adapters.test_archiver import register
from tests.conftest import MASTER_KEY

SENTENCE = "keeps closed workflows for 3 days only. Raise its retention to 7 days or more"


@pytest.fixture(scope="module")
async def forgetful() -> AsyncIterator[tuple[TemporalServer, str]]:
    """A server with a namespace of three days."""
    namespace = f"forgetful-{uuid4().hex[:8]}"
    with temporary_home() as home:
        server = await asyncio.to_thread(start_temporal, home, None, None)
        try:
            await register(server, namespace, timedelta(days=3))
            yield server, namespace
        finally:
            await asyncio.to_thread(server.stop)


async def test_worker_says_why_it_does_not_start(
    forgetful: tuple[TemporalServer, str], database_urls: DatabaseUrls
) -> None:
    server, namespace = forgetful
    told = {
        "COUNTERSIGN_APP_DATABASE_URL": database_urls.app,
        "COUNTERSIGN_EGRESS_DATABASE_URL": database_urls.egress,
        "COUNTERSIGN_RELAY_DATABASE_URL": database_urls.relay,
        "COUNTERSIGN_SEALER_DATABASE_URL": database_urls.sealer,
        "COUNTERSIGN_APP_KEYS_URL": database_urls.key_app,
        "COUNTERSIGN_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
        "COUNTERSIGN_REDACTION_MODULE": "tests.adapters.light_child",
        "TEMPORAL_ADDRESS": server.address,
        "TEMPORAL_NAMESPACE": namespace,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "worker",
        env=program_variables() | told,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()

    lines = [json.loads(line) for line in out.decode().splitlines()]
    assert process.returncode == 1
    assert SENTENCE in lines[-1]["sentence"]
    assert "Traceback" not in out.decode()


async def test_up_refuses_the_namespace(forgetful: tuple[TemporalServer, str]) -> None:
    server, namespace = forgetful
    settings = Settings(_env_file=None, temporal_address=server.address, temporal_namespace=namespace)

    with temporary_home() as home, pytest.raises(RetentionTooShort, match=SENTENCE):
        await Stack(home, settings)._start_temporal()
