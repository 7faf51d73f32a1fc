"""The whole system as processes: `up`, demo, end-to-end tests and benchmark start it from here."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from adapters.closed_runs import check_retention
from adapters.embedded.errors import EmbeddedServerUnavailable
from adapters.embedded.files import take_lock, write_durably
from adapters.embedded.home import Home
from adapters.embedded.namespace import ensure_search_attributes
from adapters.embedded.ports import LOOPBACK
from adapters.postgres.bootstrap import DatabaseUrls, bootstrap
from adapters.postgres.migrate import migrate
from adapters.settings import Environment, Settings
from cli.child_environments import (
    Environments,
    Secrets,
    database_passwords,
    emulators_environment,
    secrets_of,
)
from cli.children import ChildProcess, end_leftover, known_children
from cli.readiness import answers, connect_service, polling, until
from cli.servers import (
    POSTGRES_PORT,
    TEMPORAL_PORT,
    TEMPORAL_UI_PORT,
    EmbeddedPostgres,
    EmbeddedTemporal,
)
from cli.supervisor import Supervisor
from workflows.ids import TICKET_QUEUE

READY_WITHIN_S = 60.0
CONNECTIONS = "connections.json"  # what other commands on this machine read


class ProductionRefused(EmbeddedServerUnavailable):
    """The embedded servers are for one person's machine."""

    def __init__(self) -> None:
        super().__init__(
            "COUNTERSIGN_ENV=production refuses the embedded servers. "
            "Set DATABASE_URL and TEMPORAL_ADDRESS (or TEMPORAL_PROFILE) to servers of your own"
        )


class EmulatorsRefused(Exception):
    """What plays the outside world must not stand beside real tenants."""

    def __init__(self) -> None:
        super().__init__("COUNTERSIGN_ENV=production refuses the demo and the emulators")


class AlreadyRunning(Exception):
    """Two supervisors on one home would end each other's processes."""

    def __init__(self, home: Home) -> None:
        port = home.ports.all().get("api")
        where = f" at http://{LOOPBACK}:{port}" if port else ""
        super().__init__(
            f"Countersign already runs{where} on {str(home.path)!r}. "
            "Stop it with Ctrl-C in its terminal, or set COUNTERSIGN_HOME to another directory"
        )


class AddressUnknown(Exception):
    """Asked for an address before everything was started."""

    def __init__(self) -> None:
        super().__init__("Nothing has been started yet")


@dataclass(frozen=True)
class StackOptions:
    """How much to start."""

    workers: int = 1
    emulators: bool = False
    # Tests choose any port, so that they never meet each other or a running system.
    usual_ports: bool = True


class Stack:
    """Servers first, then schema, emulators, api and workers; stopped in the reverse order."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        options: StackOptions | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.home = home
        self.supervisor = Supervisor(tell)
        self._settings = settings
        self._options = options or StackOptions(workers=settings.workers)
        self._tell = tell
        self._temporal: EmbeddedTemporal | None = None
        self._environments: Environments | None = None
        self._ports: dict[str, int] = {}
        self._lock: int | None = None

    @property
    def environments(self) -> Environments:
        """Once started: what each kind of process is told."""
        if self._environments is None:
            raise AddressUnknown
        return self._environments

    @property
    def secrets(self) -> Secrets:
        """What this home keeps."""
        return secrets_of(self.home, self._settings)

    @property
    def api_url(self) -> str:
        """Where the doors are."""
        return f"http://{LOOPBACK}:{self.environments.api_port}"

    @property
    def emulators_url(self) -> str:
        """Where the local Slack, helpdesks, shop and payment provider are."""
        return f"http://{LOOPBACK}:{self._ports['emulators']}"

    @property
    def codec_url(self) -> str:
        """Where operators sign in; as browsers must name it, because cookies belong to a host name."""
        return f"http://localhost:{self.environments.codec_port}"

    @property
    def has_emulators(self) -> bool:
        """Whether the outside world is played here."""
        return self._options.emulators

    @property
    def embeds(self) -> bool:
        """Whether any server of ours is an embedded one."""
        return self._embeds_postgres or self._embeds_temporal

    @property
    def temporal_ui_url(self) -> str | None:
        """Of the embedded server; we do not know another one's."""
        return self._temporal.server.ui_url if self._temporal else None

    @property
    def settings(self) -> Settings:
        """What a command on this machine needs to reach everything; never given to a child."""
        return settings_from(self._settings, self.environments.commands())

    async def start(self) -> None:
        """Starts all and returns when it is ready. Whoever calls it stops it, also when it raises."""
        self._refuse_in_production()
        self._lock = take_lock(supervisor_lock(self.home))
        if self._lock is None:
            raise AlreadyRunning(self.home)
        for name in known_children(self.home):
            end_leftover(self.home, name)
        databases = await self._start_postgres()
        await self._start_temporal()
        await self._prepare(databases)
        if self._options.emulators:
            await self._start_emulators()
        await self.supervisor.start(self._child("api", self.environments.api()))
        await self.supervisor.start(self._child("codec", self.environments.codec(), "api.codec"))
        for number in range(1, self._options.workers + 1):
            await self.supervisor.start(self._child(f"worker-{number}", self.environments.worker(), "worker"))
        await self.until_ready()

    async def stop(self) -> None:
        """Drains the workers first; safe to repeat."""
        await self.supervisor.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Waits until the doors acknowledge and every worker polls; raises `NotReady`."""
        self._tell("Waiting until everything answers")
        await until("api", self._api_answers, within_s, self._words_of("api"))
        await until("codec", self._codec_answers, within_s, self._words_of("codec"))
        if self._options.workers:
            await until("worker", self._workers_poll, within_s, self._words_of("worker-1"))

    def _refuse_in_production(self) -> None:
        if self._settings.environment is not Environment.PRODUCTION:
            return
        if self.embeds:
            raise ProductionRefused
        if self._options.emulators:
            raise EmulatorsRefused

    @property
    def _embeds_postgres(self) -> bool:
        return self._settings.database_url is None

    @property
    def _embeds_temporal(self) -> bool:
        return not (self._settings.temporal_address or self._settings.temporal_profile)

    async def _start_postgres(self) -> DatabaseUrls:
        admin_url = self._settings.database_url or await self._embedded_postgres()
        self._tell("Preparing the databases")
        urls = await bootstrap(admin_url.get_secret_value(), database_passwords(self.home))
        await migrate(urls)
        return urls

    async def _embedded_postgres(self) -> SecretStr:
        self._tell("Starting Postgres")
        postgres = EmbeddedPostgres(self.home, self._usual(POSTGRES_PORT))
        await self.supervisor.start(postgres)
        return SecretStr(postgres.server.admin_url)

    async def _start_temporal(self) -> None:
        if not self._embeds_temporal:
            await self._prepare_namespace()
            return
        self._tell("Starting Temporal")
        self._temporal = EmbeddedTemporal(
            self.home,
            self._usual(TEMPORAL_PORT),
            self._usual(TEMPORAL_UI_PORT),
            self._usual(self._settings.codec_port),
        )
        await self.supervisor.start(self._temporal)

    async def _prepare_namespace(self) -> None:
        service = await connect_service(self._settings.temporal_address, self._settings.temporal_profile)
        await check_retention(service, self._settings.temporal_namespace)
        await ensure_search_attributes(service, self._settings.temporal_namespace)

    async def _prepare(self, databases: DatabaseUrls) -> None:
        self._ports = {"api": self._choose("api", self._settings.api_port)}
        self._ports["codec"] = self._codec_port()
        if self._options.emulators:
            self._ports["emulators"] = self._choose("emulators", self._settings.emulators_port)
        self.home.ports.remember(self._ports)
        no_profiles = self.home.run / "temporal.toml"
        write_durably(no_profiles, "")
        self._environments = Environments(
            settings=self._settings,
            secrets=self.secrets,
            databases=databases,
            embedded_temporal_address=self._temporal.server.address if self._temporal else None,
            no_profiles=no_profiles,
            api_port=self._ports["api"],
            codec_port=self._ports["codec"],
            codec_origins=self._codec_origins(),
            slack_api_base_url=self._slack_api(),
            slack_message_url=self._slack_message(),
            temporal_ui_url=self._temporal.server.ui_url
            if self._temporal
            else self._settings.temporal_ui_url,
        )
        write_durably(self.home.secrets / CONNECTIONS, json.dumps(self._environments.commands()))

    def _choose(self, name: str, usual: int) -> int:
        return self.home.ports.choose(name, self._usual(usual))

    def _usual(self, port: int) -> int | None:
        return port if self._options.usual_ports else None

    def _codec_port(self) -> int:
        # An embedded Temporal has told its UI already.
        if self._temporal:
            return self._temporal.server.codec_port
        return self._choose("codec", self._settings.codec_port)

    def _codec_origins(self) -> str:
        own = [self._temporal.server.ui_url] if self._temporal else []
        return " ".join([*own, *self._settings.codec_origins.split()])

    def _slack_api(self) -> str:
        return (
            f"{self.emulators_url}/slack/api/"
            if self._options.emulators
            else self._settings.slack_api_base_url
        )

    def _slack_message(self) -> str:
        if not self._options.emulators:
            return self._settings.slack_message_url
        return f"{self.emulators_url}/slack/channels/{{channel}}#m-{{ts}}"

    async def _start_emulators(self) -> None:
        self._tell("Starting the emulators")
        config = self.home.secrets / "emulators.json"
        write_durably(config, json.dumps({"control_token": self.secrets.control_token}))
        arguments = ["--port", str(self._ports["emulators"]), "--state", str(self.home.emulators)]
        child = self._child(
            "emulators", emulators_environment(), "emulators", [*arguments, "--config", str(config)]
        )
        await self.supervisor.start(child)
        await until("emulators", self._emulators_answer, READY_WITHIN_S, lambda: child.last_words)

    def _child(
        self,
        name: str,
        environment: Mapping[str, str],
        module: str | None = None,
        arguments: list[str] | None = None,
    ) -> ChildProcess:
        return ChildProcess(name, ["-m", module or name, *(arguments or [])], environment, self.home)

    def _words_of(self, name: str) -> Callable[[], str]:
        return lambda: self.supervisor.service(name).last_words

    async def _api_answers(self) -> bool:
        return await answers(f"{self.api_url}/health/ready")

    async def _codec_answers(self) -> bool:
        return await answers(f"http://{LOOPBACK}:{self.environments.codec_port}/health/ready")

    async def _emulators_answer(self) -> bool:
        return await answers(f"{self.emulators_url}/health/live")

    async def _workers_poll(self) -> bool:
        """Every worker of ours by its process id, not one that died a moment ago."""
        embedded = self.environments.embedded_temporal_address
        service = await connect_service(
            embedded or self._settings.temporal_address, self._settings.temporal_profile
        )
        seen = await polling(service, self._settings.temporal_namespace, TICKET_QUEUE)
        ids = {identity.rpartition(":")[2] for identity in seen}
        names = [name for name in self.supervisor.names if name.startswith("worker-")]
        return all(str(self.supervisor.service(name).pid) in ids for name in names)


def supervisor_lock(home: Home) -> Path:
    """Held for as long as somebody supervises this home."""
    return home.run / "supervisor.lock"


def settings_from(settings: Settings, known: Mapping[str, str]) -> Settings:
    """Settings with what a running system knows put in where the environment is silent."""
    own = settings.model_fields_set
    names = {str(field.alias): name for name, field in Settings.model_fields.items()}
    told = {alias: value for alias, value in known.items() if alias in names and names[alias] not in own}
    return Settings(**{**settings.model_dump(exclude_unset=True, by_alias=True), **told})


def settings_of_running(home: Home, settings: Settings) -> Settings:
    """For commands in another terminal: what `up` on this home wrote down."""
    try:
        known = json.loads((home.secrets / CONNECTIONS).read_text())
    except FileNotFoundError:
        return settings
    return settings_from(settings, known)
