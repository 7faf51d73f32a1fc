"""One plugin for clients, workers and replayers, against Temporal's test server."""

import base64
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowUpdateFailedError,
)
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from adapters.temporal import CountersignPlugin, ForeignCodec, connect, make_replayer, make_worker
from adapters.temporal_replay import CommandRecorder, exported, history_of
from domain.errors import WrongTenant
from tests.adapters.temporal_story import (
    OTHER,
    PLANTED,
    TENANT,
    TICKET,
    ChangedPrompt,
    Failing,
    InMemoryKeys,
    Story,
    Straying,
    Wake,
    Weighed,
    fail,
    weigh,
)

QUEUE = "stories"
TEST_SERVER = Path(sys.executable).parent / "temporal-test-server"


@pytest.fixture
def keys() -> InMemoryKeys:
    return InMemoryKeys()


@pytest.fixture
async def client(keys: InMemoryKeys) -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER), plugins=[CountersignPlugin(keys)]
    )
    async with environment:
        yield environment.client


@pytest.fixture
async def worker(client: Client) -> AsyncIterator[Worker]:
    async with make_worker(
        client, QUEUE, workflows=[Story, Failing, Straying], activities=[weigh, fail]
    ) as worker:
        yield worker


def workflow_id(tenant: UUID = TENANT) -> str:
    return f"ticket:{tenant}:{uuid4().hex}"


async def test_worker_takes_no_more_runs_than_it_can_serve_in_time(worker: Worker) -> None:
    configured = worker.config()

    # A run holds its slot through a whole chain of local steps, so neither number may grow by itself.
    assert configured["max_concurrent_workflow_tasks"] == configured["max_concurrent_local_activities"]
    assert (configured["max_concurrent_workflow_tasks"] or 0) <= 10


async def start(client: Client) -> WorkflowHandle[Story, Weighed]:
    return await client.start_workflow(Story.run, TICKET, id=workflow_id(), task_queue=QUEUE)


async def finished(client: Client) -> WorkflowHandle[Story, Weighed]:
    handle = await start(client)
    await handle.signal(Story.woken, Wake(tenant_id=TENANT))
    await handle.result()
    return handle


def encodings_outside_marker_data(node: object, key: str = "") -> set[str]:
    """All payload encodings; a local step's marker has the SDK's bookkeeping in clear."""
    if isinstance(node, list):
        return set().union(*(encodings_outside_marker_data(item) for item in node))
    if not isinstance(node, dict) or key == "data":
        return set()
    if "encoding" in node:
        return {base64.b64decode(node["encoding"]).decode()}
    return set().union(*(encodings_outside_marker_data(value, name) for name, value in node.items()))


async def test_ticket_runs_and_its_history_shows_no_plain_json(client: Client, worker: Worker) -> None:
    handle = await finished(client)

    history = (await handle.fetch_history()).to_json()
    assert base64.b64encode(b"binary/encrypted").decode() in history
    assert encodings_outside_marker_data(json.loads(history)) == {"binary/encrypted"}
    assert TICKET.route not in history.replace(handle.id, "")


async def test_failure_texts_are_encoded(client: Client, worker: Worker) -> None:
    handle = await client.start_workflow(Failing.run, TICKET, id=workflow_id(), task_queue=QUEUE)
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    history = (await handle.fetch_history()).to_json()
    assert PLANTED not in history
    assert "Encoded failure" in history


async def test_start_for_another_tenant_is_refused_at_the_caller(client: Client) -> None:
    with pytest.raises(WrongTenant):
        await client.start_workflow(Story.run, TICKET, id=workflow_id(OTHER), task_queue=QUEUE)


async def test_signal_of_another_tenant_is_refused_at_the_caller(client: Client, worker: Worker) -> None:
    handle = await start(client)

    with pytest.raises(WrongTenant):
        await handle.signal(Story.woken, Wake(tenant_id=OTHER))


async def test_update_of_another_tenant_is_refused_by_the_workflow(client: Client, worker: Worker) -> None:
    handle = await start(client)
    unguarded = Client(
        client.service_client, namespace=client.namespace, data_converter=client.data_converter
    )

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await unguarded.get_workflow_handle(handle.id).execute_update(
            "weigh_again", Wake(tenant_id=OTHER), result_type=bool
        )

    assert getattr(refused.value.cause, "type", None) == "WrongTenant"


async def test_signal_of_another_tenant_is_dropped_by_the_workflow(client: Client, worker: Worker) -> None:
    handle = await start(client)
    unguarded = Client(
        client.service_client, namespace=client.namespace, data_converter=client.data_converter
    )

    await unguarded.get_workflow_handle(handle.id).signal("woken", Wake(tenant_id=OTHER))

    assert not await handle.query(Story.is_awake)


async def test_run_started_around_our_clients_for_another_tenant_ends_at_once(
    client: Client, worker: Worker
) -> None:
    unguarded = Client(
        client.service_client, namespace=client.namespace, data_converter=client.data_converter
    )

    with pytest.raises(WorkflowFailureError) as refused:
        await unguarded.execute_workflow("Story", TICKET, id=workflow_id(OTHER), task_queue=QUEUE)

    assert getattr(refused.value.cause, "type", None) == "WrongTenant"


async def test_step_for_another_tenant_is_refused(client: Client, worker: Worker) -> None:
    with pytest.raises(WorkflowFailureError) as refused:
        await client.execute_workflow(Straying.run, TICKET, id=workflow_id(), task_queue=QUEUE)

    step_failure = refused.value.cause.__cause__
    assert getattr(step_failure, "type", None) == "WrongTenant"


async def test_plain_signal_wakes_nobody_and_stops_nothing(client: Client, worker: Worker) -> None:
    handle = await start(client)
    foreign = await Client.connect(client.service_client.config.target_host, namespace=client.namespace)

    await foreign.get_workflow_handle(handle.id).signal("woken", {"tenant_id": str(TENANT)})

    assert not await handle.query(Story.is_awake)
    await handle.signal(Story.woken, Wake(tenant_id=TENANT))
    assert await handle.result()


async def test_worker_of_a_foreign_client_is_refused(client: Client) -> None:
    foreign = await Client.connect(client.service_client.config.target_host, namespace=client.namespace)

    with pytest.raises(ForeignCodec):
        make_worker(foreign, QUEUE, workflows=[Story])


async def test_same_code_replays_without_drift(client: Client, worker: Worker, keys: InMemoryKeys) -> None:
    history = await (await finished(client)).fetch_history()
    recorder = CommandRecorder()

    await make_replayer(keys, [Story], recorder).replay_workflow(history)

    assert recorder.drifts == []
    kinds = [line.split(" sha256:")[0] for line in recorder.fingerprint().splitlines()]
    assert kinds == ["local weigh", "activity weigh"]


async def test_exported_history_replays_under_its_own_id(
    client: Client, worker: Worker, keys: InMemoryKeys
) -> None:
    text = exported(await (await finished(client)).fetch_history())
    elsewhere = WorkflowHistory.from_json(workflow_id(OTHER), text)

    await make_replayer(keys, [Story]).replay_workflow(history_of(text))
    keys.by_tenant[OTHER] = keys.by_tenant[TENANT]
    with pytest.raises(RuntimeError, match="PayloadUnreadable"):
        await make_replayer(keys, [Story]).replay_workflow(elsewhere)


async def test_changed_prompt_drifts_in_each_step_that_got_it(
    client: Client, worker: Worker, keys: InMemoryKeys
) -> None:
    history = await (await finished(client)).fetch_history()
    same, changed = CommandRecorder(), CommandRecorder()

    await make_replayer(keys, [Story], same).replay_workflow(history)
    await make_replayer(keys, [ChangedPrompt], changed).replay_workflow(history)

    assert [drift.step for drift in changed.drifts] == ["weigh", "weigh"]
    assert changed.fingerprint() != same.fingerprint()


async def test_replayer_without_the_plugin_cannot_read(client: Client, worker: Worker) -> None:
    history = await (await finished(client)).fetch_history()

    with pytest.raises(Exception, match="Failed decoding arguments"):
        await Replayer(workflows=[Story]).replay_workflow(history)


async def test_connected_client_is_encrypted_and_names_no_host(client: Client, keys: InMemoryKeys) -> None:
    address = client.service_client.config.target_host
    ours = await connect(keys, address=address, namespace="default", role="worker")

    async with make_worker(ours, QUEUE, workflows=[Story], activities=[weigh]):
        handle = await finished(ours)

    assert ours.identity == f"worker:{os.getpid()}"
    assert encodings_outside_marker_data(json.loads((await handle.fetch_history()).to_json())) == {
        "binary/encrypted"
    }


async def test_profile_says_where_temporal_is(
    client: Client, keys: InMemoryKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / "temporal.toml"
    address = client.service_client.config.target_host
    profiles.write_text(f'[profile.staging]\naddress = "{address}"\nnamespace = "default"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profiles))

    assert (await connect(keys, profile="staging")).namespace == "default"


async def test_address_is_not_mixed_with_somebodys_default_profile(
    client: Client, keys: InMemoryKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / "temporal.toml"
    profiles.write_text('[profile.default]\naddress = "192.0.2.1:1"\nnamespace = "cloud"\napi_key = "k"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profiles))

    ours = await connect(keys, address=client.service_client.config.target_host, namespace="default")

    assert ours.namespace == "default"
