"""`python -m api.codec`: the codec server, on the loopback; a proxy in front of it speaks TLS."""

import asyncio
import signal
import sys

import structlog
import uvicorn

from adapters.codec_keys import CodecKeys
from adapters.postgres.codec import DecodeRecords, PostgresTenantKeyRows, TokenHolders
from adapters.postgres.session import Database
from adapters.postgres.start_up import SAYABLE, check_databases
from adapters.process_start import settings_of_process
from adapters.settings import (
    Environment,
    Settings,
    SettingUnusable,
    master_key_of,
    needed,
)
from api.codec.allowance import Allowance
from api.codec.app import create_codec
from api.codec.operators import SHORTEST_SHARED_TOKEN, Operators
from api.codec.ports import CodecParts
from api.codec.sessions import Sessions

log = structlog.get_logger("api.codec")

POOL_SIZE = 4
DRAIN_S = 5


def main() -> None:
    """Serves until it is told to stop."""
    settings = settings_of_process("codec")
    # uvicorn passes a signal on after it has drained; being told to stop is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        asyncio.run(_run(settings))
    except SAYABLE as error:
        log.error("codec_not_started", sentence=str(error))  # noqa: TRY400 - where it was found helps nobody
        sys.exit(1)
    except Exception:
        log.exception("codec_ended")
        sys.exit(1)


async def _run(settings: Settings) -> None:
    database = Database(
        needed(settings.codec_database_url, "COUNTERSIGN_CODEC_DATABASE_URL"), pool_size=POOL_SIZE
    )
    key_database = Database(
        needed(settings.codec_keys_url, "COUNTERSIGN_CODEC_KEYS_URL"), pool_size=POOL_SIZE
    )
    try:
        await check_databases((database, key_database), settings.environment)
        await _serve(settings, _parts(settings, database, key_database))
    finally:
        await database.close()
        await key_database.close()


async def _serve(settings: Settings, parts: CodecParts) -> None:
    configuration = uvicorn.Config(
        create_codec(parts),
        host=settings.listen_host,
        port=settings.codec_port,
        # Its own access log shows addresses; ours shows routes.
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    log.info("codec_started", port=settings.codec_port)
    await uvicorn.Server(configuration).serve()
    log.info("codec_stopped")


def _parts(settings: Settings, database: Database, key_database: Database) -> CodecParts:
    master_key = master_key_of(settings)

    async def stores_answer() -> None:
        await asyncio.gather(database.ping(), key_database.ping())

    return CodecParts(
        keys=CodecKeys(PostgresTenantKeyRows(key_database), master_key),
        records=DecodeRecords(database),
        operators=Operators(TokenHolders(database), _shared_token(settings)),
        sessions=Sessions(master_key),
        allowance=Allowance(),
        stores_answer=stores_answer,
        origins=frozenset(settings.codec_origins.split()),
        secure_cookies=settings.environment is Environment.PRODUCTION,
    )


def _shared_token(settings: Settings) -> str | None:
    token = settings.codec_token.get_secret_value() if settings.codec_token else ""
    if token and len(token) < SHORTEST_SHARED_TOKEN:
        raise SettingUnusable("COUNTERSIGN_CODEC_TOKEN", f"has fewer than {SHORTEST_SHARED_TOKEN} characters")
    return token or None


if __name__ == "__main__":
    main()
