"""Whether each process of ours is told what it needs, and no secret beyond: as `countersign up` tells it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from adapters.postgres.bootstrap import ROLES, DatabaseUrls
from adapters.settings import Settings, program_variables
from cli.child_environments import Environments, Secrets
from cli.migrate import NAMES
from tests.deploy.composition import Composition, environment, is_ours, services

# Temporal's client reads these itself.
OF_THE_CLIENT = {"TEMPORAL_API_KEY", "TEMPORAL_TLS", "TEMPORAL_CONFIG_FILE"}
FIELDS = {str(field.alias): field for field in Settings.model_fields.values()}
SECRETS = {alias for alias, field in FIELDS.items() if field.annotation == SecretStr | None}


def settings(found: Composition) -> Iterator[str]:
    """Every name is a setting, each process has those it cannot do without, and no secret of another."""
    measures = _measures()
    for name, service in services(found):
        if not is_ours(service):
            continue
        given = {_alias(variable) for variable in environment(service)}
        for unknown in given - set(FIELDS) - OF_THE_CLIENT:
            yield f"{name} is told {unknown}, which is no setting"
        told = measures[name]
        for missing in {alias for alias in told if _has_no_default(alias)} - given:
            yield f"{name} is not told {missing}"
        for foreign in (given & SECRETS) - told:
            yield f"{name} is told {foreign}, which is not its business"
        if environment(service).get("COUNTERSIGN_ENV") != "production":
            yield f"{name} does not know that it is in production"


def _measures() -> Mapping[str, set[str]]:
    by_up = Environments(
        settings=Settings(_env_file=None, opa_url="http://opa:8181", opa_token=SecretStr("told")),
        secrets=Secrets(master_key="", slack_signing_secret="", control_token="", codec_token=""),
        databases=DatabaseUrls(**dict.fromkeys(ROLES, "")),
        embedded_temporal_address="",
        no_profiles=Path(),
        api_port=0,
        codec_port=0,
        codec_origins="",
        slack_api_base_url="",
    )
    of_commands = set(by_up.commands()) - {"SLACK_SIGNING_SECRET"}  # they answer no click
    told = {
        "api": set(by_up.api()),
        "worker": set(by_up.worker()) | {"COUNTERSIGN_HEARTBEAT_FILE"},
        "commands": of_commands,
        "migrate": {*NAMES.values(), "DATABASE_URL", "KEYS_DATABASE_URL"},
        "codec": {
            "COUNTERSIGN_CODEC_DATABASE_URL",
            "COUNTERSIGN_CODEC_KEYS_URL",
            "COUNTERSIGN_CODEC_TOKEN",
            "COUNTERSIGN_MASTER_KEY",
        },
    }
    return {name: names - set(program_variables()) for name, names in told.items()}


def _alias(variable: str) -> str:
    named = variable.removesuffix("_FILE")
    return named if named in SECRETS else variable


def _has_no_default(alias: str) -> bool:
    # An address of Temporal has a default of its own.
    return alias in FIELDS and FIELDS[alias].default is None and alias != "TEMPORAL_PROFILE"
