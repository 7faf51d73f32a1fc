"""`python -m bench.no_op_worker`: the real relay and the real queue, and a workflow that does nothing."""

import asyncio
import contextlib
import gc
import os
import signal
import sys

from adapters.keys import EnvelopeKeys
from adapters.postgres.inbox import InboxKind
from adapters.postgres.inbox_kicks import InboxKicks
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.relay_inbox import RelayInbox
from adapters.postgres.session import Database
from adapters.settings import Settings, drop_postgres_variables, master_key_of, needed
from adapters.structured_logs import set_up_logs
from adapters.temporal import connect, make_worker
from bench.no_op import NoOpWorkflow, no_op_steps
from worker.relay import Relay, TemporalWaker
from worker.rounds import Rounds
from workflows.ids import TICKET_QUEUE


def main() -> None:
    """Runs until it is told to stop."""
    drop_postgres_variables()
    settings = Settings()
    set_up_logs(settings.log_level, "no-op-worker")
    asyncio.run(_run(settings))
    # Temporal's core can crash a process that ends the ordinary way, after all its work is done.
    gc.collect()
    sys.stdout.flush()
    os._exit(0)


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    relay_url = needed(settings.relay_database_url, "COUNTERSIGN_RELAY_DATABASE_URL")
    async with contextlib.AsyncExitStack() as closing:
        relay_database = Database(relay_url)
        key_database = Database(needed(settings.app_keys_url, "COUNTERSIGN_APP_KEYS_URL"))
        for database in (relay_database, key_database):
            closing.push_async_callback(database.close)
        keys = EnvelopeKeys(PostgresKeyStore(key_database), master_key_of(settings))
        client = await connect(keys, address=settings.temporal_address, role="worker")
        relay = Relay(RelayInbox(relay_database, InboxKind.HELPDESK), TemporalWaker(client))
        async with make_worker(client, TICKET_QUEUE, workflows=[NoOpWorkflow], activities=no_op_steps()):
            await _relay_until(stopping, Rounds("relay", relay.round), relay_url)


async def _relay_until(stopping: asyncio.Event, rounds: Rounds, relay_url: str) -> None:
    kicks = asyncio.create_task(InboxKicks(relay_url).listen(rounds.kick))
    running = asyncio.create_task(rounds.run())
    await stopping.wait()
    rounds.stop()
    kicks.cancel()
    await asyncio.gather(kicks, running, return_exceptions=True)


if __name__ == "__main__":
    main()
