"""`countersign doctor`: what runs, what is wrong, what to do. It starts and changes nothing."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import click
import psycopg
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from adapters.active_policies import is_loadable
from adapters.archiver import unarchived
from adapters.embedded.errors import EmbeddedServerUnavailable
from adapters.embedded.files import is_locked
from adapters.embedded.home import Home, default_home, open_home
from adapters.embedded.namespace import missing_search_attributes
from adapters.embedded.ports import LOOPBACK, is_listening
from adapters.http import shared_client
from adapters.opa import OpaServer
from adapters.postgres.archive import ArchivedRuns
from adapters.postgres.policies import PolicyStore
from adapters.postgres.sealer import oldest_unsealed
from adapters.postgres.session import Database
from adapters.settings import Settings, SettingUnusable, needed
from cli.alarms import Raised, in_tables, in_temporal, unarchived_runs, unsealed_audit, unusable_policies
from cli.children import known_children, lives
from cli.connected import Connected, connected
from cli.processes import settings_of_running, supervisor_lock
from cli.readiness import answers, connect_service, polling
from cli.temporal_alarms import Watched
from domain.history import ClosedRun
from workflows.ids import TICKET_QUEUE

SMALLEST_FREE_BYTES = 1_000_000_000
ALARMS_WITHIN_S = 30
WIDTH = 19
START_IT = "Run `countersign up`"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` is empty where all is well."""

    what: str
    seen: str
    remedy: str = ""
    runbook: str = ""


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="For a monitor: every finding, and whether all is well."
)
def doctor(as_json: bool) -> int:  # noqa: FBT001 - click's signature
    """Say what runs, what is wrong and what to do."""
    return asyncio.run(_in_json() if as_json else _report(Console(highlight=False, soft_wrap=True)))


async def _report(console: Console) -> int:
    wrong = 0
    async for finding in examine(Settings()):
        mark = "[red]wrong[/red]" if finding.remedy else "[green]ok[/green]   "
        console.print(f"{mark}  {finding.what:<{WIDTH}}{finding.seen}")
        if finding.remedy:
            wrong += 1
            more = f" (see {finding.runbook})" if finding.runbook else ""
            console.print(f"       {'':<{WIDTH}}→ {finding.remedy}{more}")
    if wrong:
        console.print(f"{wrong} {'thing needs' if wrong == 1 else 'things need'} attention")
    return 1 if wrong else 0


async def _in_json() -> int:
    findings = [asdict(finding) async for finding in examine(Settings())]
    well = not any(finding["remedy"] for finding in findings)
    click.echo(json.dumps({"well": well, "findings": findings}, indent=2))
    return 0 if well else 1


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Every finding, in the order in which things depend on each other."""
    yield Finding("python", sys.version.split()[0])
    path = settings.home or default_home()
    if not path.exists():
        yield Finding("state", f"{path} does not exist", START_IT)
        return
    try:
        home = open_home(path)
    except EmbeddedServerUnavailable as error:
        yield Finding("state", "cannot be used", str(error))
        return
    known = settings_of_running(home, settings)
    for finding in (_disk(home), _supervisor(home), *_children(home)):
        yield finding
    yield await asyncio.to_thread(_database, known)
    async for finding in _temporal(known):
        yield finding
    yield await _policy_engine(known)
    yield await _doors(known)
    yield await _codec(known)
    async for finding in _alarms(known):
        yield finding


async def _alarms(settings: Settings) -> AsyncIterator[Finding]:
    """Only what can be asked: a server that is away has its own finding."""
    try:
        async with asyncio.timeout(ALARMS_WITHIN_S), connected(settings) as system:
            recorded = (*await in_tables(system), *await _evidence(system))
    except (click.ClickException, SQLAlchemyError, SettingUnusable, TimeoutError):
        yield Finding("records", "cannot be read, so nothing is known of tickets", START_IT)
        recorded = ()
    for raised in recorded:
        yield _finding(raised)
    try:
        async with asyncio.timeout(ALARMS_WITHIN_S):
            service = await connect_service(settings.temporal_address, settings.temporal_profile)
            found = [raised async for raised in in_temporal(Watched(service, settings.temporal_namespace))]
    except (RPCError, RuntimeError, TimeoutError):
        return  # said above
    for raised in found:
        yield _finding(raised)


async def _evidence(system: Connected) -> Sequence[Raised]:
    """What auditors will ask for: whether it is sealed, and whether it will outlive Temporal."""
    url = needed(system.settings.sealer_database_url, "COUNTERSIGN_SEALER_DATABASE_URL")
    sealer = Database(url, pool_size=1)
    try:
        age, waiting = await oldest_unsealed(sealer)
    finally:
        await sealer.close()
    runs: Sequence[ClosedRun] = ()
    with suppress(RPCError, RuntimeError):  # Temporal is away, which has its own finding
        runs = await unarchived(await system.temporal(), ArchivedRuns(system.app))
    return (
        unsealed_audit(age, waiting),
        unarchived_runs([run.workflow_id for run in runs], len(runs)),
        unusable_policies(await _not_loadable(system)),
    )


async def _not_loadable(system: Connected) -> Sequence[str]:
    store = PolicyStore(system.app)
    return [
        tenant.name for tenant in await system.all_tenants() if not await is_loadable(store, tenant.tenant_id)
    ]


def _finding(raised: Raised) -> Finding:
    if not raised.count:
        return Finding(raised.alarm.name, raised.seen)
    return Finding(raised.alarm.name, raised.seen, raised.alarm.remedy, raised.alarm.runbook)


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(home.path).free
    seen = f"{home.path}, {free / 1e9:.1f} GB free"
    return Finding("state", seen, "" if free > SMALLEST_FREE_BYTES else "Make room on this disk")


def _supervisor(home: Home) -> Finding:
    if is_locked(supervisor_lock(home)):
        return Finding("supervisor", "runs")
    return Finding("supervisor", "does not run", START_IT)


def _children(home: Home) -> list[Finding]:
    return [
        Finding(name, "runs") if lives(home, name) else _dead(home, name) for name in known_children(home)
    ]


def _dead(home: Home, name: str) -> Finding:
    return Finding(name, "does not run", f"Read {home.logs / name}.log, then run `countersign up`")


def _database(settings: Settings) -> Finding:
    url = settings.app_database_url or settings.database_url
    if url is None:
        return Finding("database", "no address known", START_IT)
    try:
        with psycopg.connect(url.get_secret_value(), connect_timeout=5) as connection:
            version = connection.info.parameter_status("server_version")
            vector = connection.execute(
                "select extversion from pg_extension where extname = 'vector'"
            ).fetchone()
    except psycopg.OperationalError:
        return Finding("database", "does not answer", f"{START_IT}, or check DATABASE_URL")
    if vector is None:
        return Finding("database", f"Postgres {version} without pgvector", "Install pgvector in that server")
    return Finding("database", f"Postgres {version}, pgvector {vector[0]}")


async def _temporal(settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with asyncio.timeout(5):
            service = await connect_service(settings.temporal_address, settings.temporal_profile)
            missing = await missing_search_attributes(service, settings.temporal_namespace)
    except (RPCError, RuntimeError, TimeoutError):
        yield Finding("temporal", "does not answer", f"{START_IT}, or check TEMPORAL_ADDRESS")
        return
    if missing:
        yield Finding("temporal", f"lacks the search attributes {', '.join(missing)}", START_IT)
    else:
        yield Finding("temporal", f"answers, namespace {settings.temporal_namespace}")
    seen = await polling(service, settings.temporal_namespace, TICKET_QUEUE)
    yield Finding("queue", f"{len(seen)} workers poll {TICKET_QUEUE!r}", "" if seen else START_IT)


async def _policy_engine(settings: Settings) -> Finding:
    if not settings.opa_url:
        return Finding("policy engine", "in the worker")
    token = settings.opa_token.get_secret_value() if settings.opa_token else ""
    async with shared_client() as client:
        healthy = await OpaServer(client, settings.opa_url, token).healthy()
    if healthy:
        return Finding("policy engine", f"OPA at {settings.opa_url} answers")
    return Finding(
        "policy engine",
        f"OPA at {settings.opa_url} does not answer, so every action is denied",
        "Start it, or check COUNTERSIGN_OPA_URL and COUNTERSIGN_OPA_TOKEN",
        "docs/policy/engines.md",
    )


async def _doors(settings: Settings) -> Finding:
    url = f"http://{LOOPBACK}:{settings.api_port}"
    if not is_listening(settings.api_port):
        return Finding("doors", f"nothing listens at {url}", START_IT)
    if not await answers(f"{url}/health/ready"):
        return Finding("doors", f"{url} is not ready", f"Open {url}/health/ready")
    return Finding("doors", f"{url} is ready")


async def _codec(settings: Settings) -> Finding:
    url = f"http://{LOOPBACK}:{settings.codec_port}"
    if not is_listening(settings.codec_port):
        return Finding("codec server", f"nothing listens at {url}", START_IT)
    if not await answers(f"{url}/health/ready"):
        return Finding("codec server", f"{url} is not ready", f"Open {url}/health/ready")
    return Finding("codec server", f"{url} is ready")
