"""`python -m api`: the doors, on the loopback unless told otherwise; a proxy in front of it speaks TLS."""

import asyncio
import signal
import sys

import structlog
import uvicorn

from adapters.keys import DoorKeys
from adapters.postgres.hooks import DoorHooks, DoorTeams
from adapters.postgres.inbox import DoorInbox
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.session import Database
from adapters.postgres.start_up import SAYABLE, check_databases
from adapters.process_start import settings_of_process
from adapters.settings import Settings, master_key_of, needed
from api.app import create_app
from api.doors import Doors, Elsewhere
from api.page_parts import page_doors

log = structlog.get_logger("api")

POOL_SIZE = 8
DRAIN_S = 5


def main() -> None:
    """Serves until it is told to stop."""
    settings = settings_of_process("api")
    # uvicorn passes a signal on after it has drained; being told to stop is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        asyncio.run(_run(settings))
    except SAYABLE as error:
        log.error("api_not_started", sentence=str(error))  # noqa: TRY400 - where it was found helps nobody
        sys.exit(1)
    except Exception:
        log.exception("api_ended")
        sys.exit(1)


async def _run(settings: Settings) -> None:
    database = Database(
        needed(settings.door_database_url, "COUNTERSIGN_DOOR_DATABASE_URL"), pool_size=POOL_SIZE
    )
    key_database = Database(needed(settings.door_keys_url, "COUNTERSIGN_DOOR_KEYS_URL"), pool_size=POOL_SIZE)
    try:
        await check_databases((database, key_database), settings.environment)
        await _serve(settings, database, key_database)
    finally:
        await database.close()
        await key_database.close()


async def _serve(settings: Settings, database: Database, key_database: Database) -> None:
    configuration = uvicorn.Config(
        create_app(_doors(settings, database, key_database)),
        host=settings.listen_host,
        port=settings.api_port,
        # Its own access log shows addresses, and those hold slugs; ours shows routes.
        access_log=False,
        log_config=None,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        date_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    log.info("api_started", port=settings.api_port)
    await uvicorn.Server(configuration).serve()
    log.info("api_stopped")


def _doors(settings: Settings, database: Database, key_database: Database) -> Doors:
    keys = DoorKeys(PostgresKeyStore(key_database), master_key_of(settings))

    async def store_answers() -> None:
        await asyncio.gather(database.ping(), key_database.ping())

    secret = settings.slack_signing_secret
    return Doors(
        hooks=DoorHooks(database, keys),
        inbox=DoorInbox(database, keys),
        teams=DoorTeams(database),
        store_answers=store_answers,
        temporal_address=settings.temporal_address,
        slack_signing_secret=secret.get_secret_value() if secret else None,
        pages=page_doors(
            database, PostgresKeyStore(key_database), master_key_of(settings), _elsewhere(settings)
        ),
    )


def _elsewhere(settings: Settings) -> Elsewhere:
    return Elsewhere(
        temporal_ui_url=settings.temporal_ui_url or "",
        temporal_namespace=settings.temporal_namespace,
        slack_message_url=settings.slack_message_url,
        public_url=settings.public_url or "",
    )


if __name__ == "__main__":
    main()
