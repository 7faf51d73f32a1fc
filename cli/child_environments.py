"""What each child process is told, and nothing else: a process cannot lose a secret it never had."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from adapters.embedded.home import Home
from adapters.embedded.temporal import NAMESPACE
from adapters.postgres.bootstrap import ROLES, DatabaseUrls
from adapters.settings import Settings, program_variables, temporal_variables

MASTER_KEY_BYTES = 32
CODEC_TOKEN = "codec_token"  # noqa: S105 - the name of its file


@dataclass(frozen=True)
class Secrets:
    """What a home keeps for its processes; made once."""

    master_key: str = field(repr=False)
    slack_signing_secret: str = field(repr=False)
    control_token: str = field(repr=False)
    codec_token: str = field(repr=False)


def secrets_of(home: Home, settings: Settings) -> Secrets:
    """The settings' own where given."""
    return Secrets(
        master_key=_given(settings.master_key) or home.secret("master_key", _new_master_key),
        slack_signing_secret=_given(settings.slack_signing_secret)
        or home.secret("slack_signing_secret", lambda: secrets.token_hex(16)),
        control_token=home.secret("emulators_control_token", lambda: secrets.token_urlsafe(24)),
        codec_token=_given(settings.codec_token)
        or home.secret(CODEC_TOKEN, lambda: secrets.token_urlsafe(32)),
    )


def database_passwords(home: Home) -> Mapping[str, str]:
    """By role; made once per home, one file each."""
    return {role: home.secret(f"database_{role}", lambda: secrets.token_urlsafe(24)) for role in ROLES}


@dataclass(frozen=True)
class Environments:
    """Makes the variables of every child from what is known after the servers are up."""

    settings: Settings
    secrets: Secrets
    databases: DatabaseUrls
    embedded_temporal_address: str | None
    no_profiles: Path
    api_port: int
    codec_port: int
    codec_origins: str
    slack_api_base_url: str
    slack_message_url: str = ""
    temporal_ui_url: str | None = None

    def api(self) -> dict[str, str]:
        """The doors: insert deliveries, never read them."""
        return self._shared() | {
            "COUNTERSIGN_DOOR_DATABASE_URL": self.databases.door,
            "COUNTERSIGN_DOOR_KEYS_URL": self.databases.key_door,
            "COUNTERSIGN_MASTER_KEY": self.secrets.master_key,
            "SLACK_SIGNING_SECRET": self.secrets.slack_signing_secret,
            "COUNTERSIGN_API_PORT": str(self.api_port),
            "COUNTERSIGN_SLACK_MESSAGE_URL": self.slack_message_url,
            "COUNTERSIGN_TEMPORAL_UI_URL": self.temporal_ui_url or "",
            "COUNTERSIGN_PUBLIC_URL": self.settings.public_url or "",
            **self._temporal(),
        }

    def worker(self) -> dict[str, str]:
        """Everything that works on tickets; not the doors' roles and not the owner's."""
        return self._shared() | {
            "COUNTERSIGN_APP_DATABASE_URL": self.databases.app,
            "COUNTERSIGN_EGRESS_DATABASE_URL": self.databases.egress,
            "COUNTERSIGN_RELAY_DATABASE_URL": self.databases.relay,
            "COUNTERSIGN_SEALER_DATABASE_URL": self.databases.sealer,
            "COUNTERSIGN_APP_KEYS_URL": self.databases.key_app,
            "COUNTERSIGN_MASTER_KEY": self.secrets.master_key,
            "COUNTERSIGN_REDACTION_PROCESSES": str(self.settings.redaction_processes),
            "COUNTERSIGN_REDACTION_MODULE": self.settings.redaction_module,
            "COUNTERSIGN_MODEL_REGION": self.settings.model_region,
            "COUNTERSIGN_STORAGE_REGION": self.settings.storage_region,
            "SLACK_API_BASE_URL": self.slack_api_base_url,
            **self._opa(),
            **self._temporal(),
        }

    def codec(self) -> dict[str, str]:
        """The codec server: opens payloads, reads no ticket."""
        return self._shared() | {
            "COUNTERSIGN_CODEC_DATABASE_URL": self.databases.codec,
            "COUNTERSIGN_CODEC_KEYS_URL": self.databases.key_codec,
            "COUNTERSIGN_MASTER_KEY": self.secrets.master_key,
            "COUNTERSIGN_CODEC_TOKEN": self.secrets.codec_token,
            "COUNTERSIGN_CODEC_PORT": str(self.codec_port),
            "COUNTERSIGN_CODEC_ORIGINS": self.codec_origins,
        }

    def commands(self) -> dict[str, str]:
        """What the commands of the person who runs `up` need, beside the worker's."""
        return self.worker() | {
            "COUNTERSIGN_OWNER_DATABASE_URL": self.databases.owner,
            "COUNTERSIGN_DOOR_DATABASE_URL": self.databases.door,
            "COUNTERSIGN_DOOR_KEYS_URL": self.databases.key_door,
            "SLACK_SIGNING_SECRET": self.secrets.slack_signing_secret,
            "COUNTERSIGN_API_PORT": str(self.api_port),
            "COUNTERSIGN_CODEC_PORT": str(self.codec_port),
        }

    def _shared(self) -> dict[str, str]:
        spans = self.settings.spans_file
        return {
            **program_variables(),
            "COUNTERSIGN_ENV": self.settings.environment.value,
            "COUNTERSIGN_LOG_LEVEL": self.settings.log_level,
            **({"COUNTERSIGN_SPANS_FILE": str(spans.absolute())} if spans else {}),
        }

    def _opa(self) -> dict[str, str]:
        told = {
            "COUNTERSIGN_OPA_URL": self.settings.opa_url,
            "COUNTERSIGN_OPA_TOKEN": _given(self.settings.opa_token),
        }
        return {name: value for name, value in told.items() if value}

    def _temporal(self) -> dict[str, str]:
        if not self.embedded_temporal_address:
            return temporal_variables() | self._own_temporal()
        return {
            "TEMPORAL_ADDRESS": self.embedded_temporal_address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            # A profile of the user's for another cluster must not be mixed in; this file stays empty.
            "TEMPORAL_CONFIG_FILE": str(self.no_profiles),
        }

    def _own_temporal(self) -> dict[str, str]:
        # The settings may come from a file, so the environment alone does not tell.
        told = {
            "TEMPORAL_ADDRESS": self.settings.temporal_address,
            "TEMPORAL_PROFILE": self.settings.temporal_profile,
            "TEMPORAL_NAMESPACE": self.settings.temporal_namespace,
        }
        return {name: value for name, value in told.items() if value}


def emulators_environment() -> dict[str, str]:
    """They play the outside world, so they get nothing of ours."""
    return program_variables()


def _given(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _new_master_key() -> str:
    return base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode()
