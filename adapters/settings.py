"""The environment, read once. Composition roots pass values further in, never this object."""

import base64
import binascii
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

MASTER_KEY_BYTES = 32


class Environment(StrEnum):
    """Where this runs; production refuses embedded servers and default secrets."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)]
HttpAddress = Annotated[
    str,
    StringConstraints(
        pattern=r"^(https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?$"
    ),
]
Region = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_.]{0,63})?$")]


class Settings(BaseSettings):
    """Every setting, with its name in the environment. `.env.example` lists the same ones.

    A secret may also be read from a file: `NAME_FILE` names it.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    environment: Environment = Field(Environment.DEVELOPMENT, alias="COUNTERSIGN_ENV")
    home: Path | None = Field(None, alias="COUNTERSIGN_HOME")  # state of the embedded servers
    log_level: LogLevel = Field("info", alias="COUNTERSIGN_LOG_LEVEL")

    # An administrator's URL of an existing Postgres; with it nothing embedded is started.
    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    # The same for the server of the key database, where that is another one.
    keys_database_url: SecretStr | None = Field(None, alias="KEYS_DATABASE_URL")
    # What each process connects with; `countersign up` fills these in for its children.
    door_database_url: SecretStr | None = Field(None, alias="COUNTERSIGN_DOOR_DATABASE_URL")
    app_database_url: SecretStr | None = Field(None, alias="COUNTERSIGN_APP_DATABASE_URL")
    egress_database_url: SecretStr | None = Field(None, alias="COUNTERSIGN_EGRESS_DATABASE_URL")
    relay_database_url: SecretStr | None = Field(None, alias="COUNTERSIGN_RELAY_DATABASE_URL")
    sealer_database_url: SecretStr | None = Field(None, alias="COUNTERSIGN_SEALER_DATABASE_URL")
    door_keys_url: SecretStr | None = Field(None, alias="COUNTERSIGN_DOOR_KEYS_URL")
    app_keys_url: SecretStr | None = Field(None, alias="COUNTERSIGN_APP_KEYS_URL")
    codec_database_url: SecretStr | None = Field(None, alias="COUNTERSIGN_CODEC_DATABASE_URL")
    codec_keys_url: SecretStr | None = Field(None, alias="COUNTERSIGN_CODEC_KEYS_URL")
    # For commands that change the configuration of tenants; no running process has it.
    owner_database_url: SecretStr | None = Field(None, alias="COUNTERSIGN_OWNER_DATABASE_URL")
    # For `countersign migrate` alone.
    keys_owner_url: SecretStr | None = Field(None, alias="COUNTERSIGN_KEYS_OWNER_URL")
    # 32 bytes as base64; wraps every tenant key.
    master_key: SecretStr | None = Field(None, alias="COUNTERSIGN_MASTER_KEY")

    # Temporal's own envconfig variables (TEMPORAL_ADDRESS, TEMPORAL_PROFILE ...) are read by its SDK.
    temporal_address: str | None = Field(None, alias="TEMPORAL_ADDRESS")
    temporal_profile: str | None = Field(None, alias="TEMPORAL_PROFILE")
    temporal_namespace: str = Field("countersign", alias="TEMPORAL_NAMESPACE")

    # Where the HTTP processes listen; wider than the loopback only inside a container of their own.
    listen_host: str = Field("127.0.0.1", alias="COUNTERSIGN_LISTEN_HOST")
    api_port: int = Field(8000, alias="COUNTERSIGN_API_PORT")
    emulators_port: int = Field(8100, alias="COUNTERSIGN_EMULATORS_PORT")
    codec_port: int = Field(8234, alias="COUNTERSIGN_CODEC_PORT")
    # Reads the payloads of every tenant; at least 32 characters.
    codec_token: SecretStr | None = Field(None, alias="COUNTERSIGN_CODEC_TOKEN")
    # Origins of the Temporal UI that may ask, with spaces between them.
    codec_origins: str = Field("", alias="COUNTERSIGN_CODEC_ORIGINS")
    workers: int = Field(1, ge=1, alias="COUNTERSIGN_WORKERS")
    redaction_processes: int = Field(2, ge=2, alias="COUNTERSIGN_REDACTION_PROCESSES")
    # What the redaction processes can do; crash tests plug in one that dies.
    redaction_module: str = Field("adapters.child_functions", alias="COUNTERSIGN_REDACTION_MODULE")

    # Where the model runs and where the data rests, as policies name them; not known where either is empty.
    model_region: Region = Field("", alias="COUNTERSIGN_MODEL_REGION")
    storage_region: Region = Field("", alias="COUNTERSIGN_STORAGE_REGION")

    # An OPA server that decides instead of the engine in the worker; none where empty. Its token is a secret,
    # and needed in production: whoever may write there says what is allowed.
    opa_url: HttpAddress = Field("", alias="COUNTERSIGN_OPA_URL")
    opa_token: SecretStr | None = Field(None, alias="COUNTERSIGN_OPA_TOKEN")

    # A worker renews this file while it works, for a container's health check; none where empty.
    heartbeat_file: Path | None = Field(None, alias="COUNTERSIGN_HEARTBEAT_FILE")

    slack_signing_secret: SecretStr | None = Field(None, alias="SLACK_SIGNING_SECRET")
    slack_api_base_url: str = Field("https://slack.com/api/", alias="SLACK_API_BASE_URL")
    # Where pages lead: one message in Slack, and workflows in the Temporal UI (none where empty).
    slack_message_url: str = Field(
        "https://app.slack.com/client/{team}/{channel}/thread/{channel}-{ts}",
        alias="COUNTERSIGN_SLACK_MESSAGE_URL",
    )
    temporal_ui_url: str | None = Field(None, alias="COUNTERSIGN_TEMPORAL_UI_URL")
    # The address that people reach the api at; login links begin with it. None: the loopback.
    # Addresses whose X-Forwarded-For and -Proto are believed; `*` believes everybody who can reach the port.
    trusted_proxies: str = Field("127.0.0.1", alias="COUNTERSIGN_TRUSTED_PROXIES")
    public_url: str | None = Field(None, alias="COUNTERSIGN_PUBLIC_URL")
    # Where spans go as JSON lines; none where empty.
    spans_file: Path | None = Field(None, alias="COUNTERSIGN_SPANS_FILE")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Calls of our own, then the environment, then files that it names, then `.env`."""
        return (
            init_settings,
            _DocumentedNames(settings_cls, env_settings),
            _SecretFiles(settings_cls),
            _DocumentedNames(settings_cls, dotenv_settings),
        )


class _DocumentedNames(PydanticBaseSettingsSource):
    """Only aliases: field names are for our own calls, or `home` would be read from HOME."""

    def __init__(self, settings_cls: type[BaseSettings], source: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        source.config = SettingsConfigDict(**{**source.config, "populate_by_name": False})
        self._source = source
        self._names = {field.alias for field in settings_cls.model_fields.values()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in self._source().items() if name in self._names}


class _SecretFiles(PydanticBaseSettingsSource):
    """Secrets that are mounted as files, so that no list of processes or containers shows them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = str(field.alias)
        path = os.environ.get(f"{name}_FILE")  # noqa: TID251 - this is the place
        if not path or field.annotation != SecretStr | None:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError):
            raise SettingUnusable(f"{name}_FILE", f"names {path!r}, which cannot be read") from None

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = {str(field.alias): self.get_field_value(field, name)[0] for name, field in fields}
        return {alias: value for alias, value in found.items() if value is not None}


class SettingUnusable(Exception):
    """A process cannot do its work without it."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"{name} {why}. `countersign up` fills it in for its own processes, "
            "`countersign deploy secrets` for a deployment"
        )


def needed(secret: SecretStr | None, name: str) -> str:
    """The value; raises `SettingUnusable` where there is none."""
    if secret is None or not secret.get_secret_value():
        raise SettingUnusable(name, "is not set")
    return secret.get_secret_value()


def master_key_of(settings: Settings) -> bytes:
    """The key that wraps all others; raises `SettingUnusable`."""
    name = "COUNTERSIGN_MASTER_KEY"
    try:
        key = base64.b64decode(needed(settings.master_key, name), validate=True)
    except binascii.Error:
        raise SettingUnusable(name, "is not base64") from None
    if len(key) != MASTER_KEY_BYTES:
        raise SettingUnusable(name, f"does not hold {MASTER_KEY_BYTES} bytes")
    return key


# What any program may need to find itself, its files and its language; nothing that is ours.
NEEDED_BY_PROGRAMS = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE")


def program_variables() -> dict[str, str]:
    """The part of the environment that every child process is given."""
    return {name: os.environ[name] for name in NEEDED_BY_PROGRAMS if name in os.environ}  # noqa: TID251 - this is the place


def temporal_variables() -> dict[str, str]:
    """Temporal's own variables, for children that make clients."""
    return {name: value for name, value in os.environ.items() if name.startswith("TEMPORAL_")}  # noqa: TID251 - the same


def drop_postgres_variables() -> None:
    """Removes PG* from this process: libpq would mix them into every address we name in full."""
    for name in [name for name in os.environ if name.startswith("PG")]:  # noqa: TID251 - this is the place
        del os.environ[name]  # noqa: TID251 - the same
