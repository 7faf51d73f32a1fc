"""`python -m worker`: the steps and workflows of tickets, the inbox, the votes, the archive, the sealer.

May be started before Temporal and before another worker; any number may run.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from adapters.child_pool import ChildPool
from adapters.closed_runs import RetentionTooShort, check_retention
from adapters.postgres.inbox_kicks import InboxKicks
from adapters.postgres.policy_news import PolicyNews
from adapters.postgres.start_up import SAYABLE, check_databases
from adapters.process_start import settings_of_process
from adapters.settings import Settings, master_key_of, needed
from adapters.temporal import connect, make_worker
from adapters.tracing import set_up_tracing
from domain.decision import ResidencyInput
from worker.heartbeat import heartbeat
from worker.parts import Addresses, Parts
from worker.rounds import Rounds
from workflows.approval import ApprovalWorkflow
from workflows.ids import TICKET_QUEUE
from workflows.ticket import TicketWorkflow

log = structlog.get_logger("worker")

LONGEST_PAUSE_S = 2.0
ARCHIVE_EVERY_S = 5.0
# Votes need a worker to be answered, so they are given up before the worker stops.
VOTES_PATIENCE_S = 5.0
SEAL_EVERY_S = 1.0
OBSERVE_EVERY_S = 2.0
STRANDED_SWEEP_S = 60.0
WORKFLOWS = (TicketWorkflow, ApprovalWorkflow)


def main() -> None:
    """Runs until it is told to stop; the exit code says whether it was told."""
    settings = settings_of_process("worker")
    tracing = set_up_tracing(settings.spans_file, "worker")
    code = 0
    try:
        asyncio.run(_run(settings))
    except (*SAYABLE, RetentionTooShort) as error:
        log.error("worker_not_started", sentence=str(error))  # noqa: TRY400 - where it was found helps nobody
        code = 1
    except Exception:
        log.exception("worker_ended")
        code = 1
    if tracing:
        tracing.shutdown()
    _exit(code)


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    addresses = _addresses(settings)
    pool = ChildPool(settings.redaction_processes, module=settings.redaction_module)
    async with Parts(addresses, master_key_of(settings), pool) as parts:
        databases = (parts.app, parts.egress, parts.relay, parts.sealer, parts.key_database)
        await check_databases(databases, settings.environment)
        await parts.pool.ready()
        client = await _connected(parts, settings, stopping)
        if client is not None:
            await check_retention(client.service_client, client.namespace)
            async with heartbeat(settings.heartbeat_file):
                await _serve(parts, client, addresses, stopping)


def _addresses(settings: Settings) -> Addresses:
    return Addresses(
        app=needed(settings.app_database_url, "COUNTERSIGN_APP_DATABASE_URL"),
        egress=needed(settings.egress_database_url, "COUNTERSIGN_EGRESS_DATABASE_URL"),
        relay=needed(settings.relay_database_url, "COUNTERSIGN_RELAY_DATABASE_URL"),
        sealer=needed(settings.sealer_database_url, "COUNTERSIGN_SEALER_DATABASE_URL"),
        app_keys=needed(settings.app_keys_url, "COUNTERSIGN_APP_KEYS_URL"),
        slack_api=settings.slack_api_base_url,
        residency=_residency_of(settings),
        opa_url=settings.opa_url,
        opa_token=settings.opa_token.get_secret_value() if settings.opa_token else "",
    )


def _residency_of(settings: Settings) -> ResidencyInput | None:
    if not (settings.model_region and settings.storage_region):
        return None
    return ResidencyInput(model_region=settings.model_region, storage_region=settings.storage_region)


async def _connected(parts: Parts, settings: Settings, stopping: asyncio.Event) -> Client | None:
    """A client as soon as Temporal answers; None where we are told to stop before."""
    pause_s = 0.2
    while not stopping.is_set():
        try:
            return await connect(
                parts.keys,
                address=settings.temporal_address,
                profile=settings.temporal_profile,
                namespace=settings.temporal_namespace,
                role="worker",
            )
        except RuntimeError as error:  # what the SDK raises when nobody answers
            log.info("temporal_awaited", error=type(error).__name__)
            await _first_of(stopping.wait(), asyncio.sleep(pause_s))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
    return None


async def _serve(parts: Parts, client: Client, addresses: Addresses, stopping: asyncio.Event) -> None:
    worker = make_worker(client, TICKET_QUEUE, workflows=WORKFLOWS, activities=parts.steps())
    running = asyncio.create_task(worker.run())
    log.info("worker_started")
    try:
        async with (
            _moving_the_inbox(parts, client, addresses.relay),
            _hearing_of_policies(parts, addresses.app),
        ):
            await _first_of(stopping.wait(), asyncio.shield(running))
    finally:
        await _finish(worker, running)
    log.info("worker_stopped")


async def _finish(worker: Worker, running: "asyncio.Task[None]") -> None:
    if not running.done():
        await worker.shutdown()
    await running  # raises what ended the worker, if it was not us


@asynccontextmanager
async def _moving_the_inbox(parts: Parts, client: Client, relay_url: str) -> AsyncIterator[None]:
    """What arrives and what has to be swept up until the end of the block, then the work under way."""
    votes = parts.votes_to(client)
    kicked = (
        Rounds("relay", parts.relay_to(client).round),
        Rounds("votes", votes.round),
        Rounds("operator_words", parts.words_to(client).round),
    )
    rounds = (
        *kicked,
        Rounds("stranded_effects", parts.stranded_effects().round, STRANDED_SWEEP_S),
        Rounds("archive", parts.archiver_of(client).round, ARCHIVE_EVERY_S),
        Rounds("sealer", parts.seals().round, SEAL_EVERY_S),
        Rounds("candidates", parts.candidates.round, OBSERVE_EVERY_S),
    )
    kicks = asyncio.create_task(InboxKicks(relay_url).listen(*(each.kick for each in kicked)))
    running = [asyncio.create_task(each.run()) for each in rounds]
    try:
        yield
    finally:
        for each in rounds:
            each.stop()
        kicks.cancel()
        await asyncio.gather(*running, kicks, return_exceptions=True)
        await _first_of(votes.drain(), asyncio.sleep(VOTES_PATIENCE_S))


@asynccontextmanager
async def _hearing_of_policies(parts: Parts, app_url: str) -> AsyncIterator[None]:
    """What moved is loaded before the next decision asks for it."""
    rounds = Rounds("policies", parts.policies.refresh)

    def moved(tenant_id: UUID | None) -> None:
        parts.policies.heard(tenant_id)
        rounds.kick()

    news = asyncio.create_task(PolicyNews(app_url).listen(moved))
    running = asyncio.create_task(rounds.run())
    try:
        yield
    finally:
        rounds.stop()
        news.cancel()
        await asyncio.gather(running, news, return_exceptions=True)


async def _first_of(*waits: Awaitable[object]) -> None:
    """Returns when one is over, and ends the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _exit(code: int) -> None:
    # Temporal's core can crash a process that ends the ordinary way, after all its work is done.
    gc.collect()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
