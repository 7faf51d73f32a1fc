"""Production does not start with a secret that somebody could guess; development may."""

import base64
import os
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from adapters.production_secrets import refuse_weak_secrets
from adapters.settings import Environment, Settings, SettingUnusable

STRONG = "k3jf0Zq8xVn2LrT5wYb7"
ADDRESS = "postgresql://countersign_app:{}@db/countersign"


def settings(secrets: Mapping[str, str], environment: Environment = Environment.PRODUCTION) -> Settings:
    given = {name: SecretStr(value) for name, value in secrets.items()}
    return Settings(_env_file=None).model_copy(update={"environment": environment, **given})


def test_strong_secrets_are_accepted() -> None:
    refuse_weak_secrets(
        settings(
            {
                "app_database_url": ADDRESS.format(STRONG),
                "master_key": base64.b64encode(os.urandom(32)).decode(),
                "slack_signing_secret": STRONG,
            }
        )
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app_database_url", ADDRESS.format("postgres")),
        ("app_database_url", ADDRESS.format("fifteen_letters")),
        ("app_database_url", "postgresql://countersign_app@db/countersign"),
        ("door_database_url", "postgresql://countersign_door_x:countersign_door_x@db/countersign"),
        ("database_url", "postgresql://postgres:postgres@db/postgres"),
        ("app_keys_url", "no address"),
        ("master_key", base64.b64encode(bytes(32)).decode()),
        ("master_key", base64.b64encode(bytes(range(32))).decode()),
        ("master_key", base64.b64encode(b"a sentence that somebody typed!!").decode()),
        ("slack_signing_secret", "changeme"),
    ],
)
def test_a_weak_secret_is_refused_by_name_and_never_shown(name: str, value: str) -> None:
    with pytest.raises(SettingUnusable) as refused:
        refuse_weak_secrets(settings({name: value}))

    assert str(Settings.model_fields[name].alias) in str(refused.value)
    assert value not in str(refused.value)


def test_opa_without_a_token_is_refused_in_production_only() -> None:
    open_to_all = Settings(_env_file=None, opa_url="http://opa:8181")

    refuse_weak_secrets(open_to_all)
    with pytest.raises(SettingUnusable, match="COUNTERSIGN_OPA_TOKEN is not set"):
        refuse_weak_secrets(open_to_all.model_copy(update={"environment": Environment.PRODUCTION}))


@pytest.mark.parametrize("means", ["sslcert=/c.pem", "passfile=/p"])
def test_an_address_may_authenticate_by_other_means(means: str) -> None:
    refuse_weak_secrets(
        settings({"app_database_url": f"postgresql://countersign_app@db/countersign?{means}"})
    )


def test_development_may_be_weak() -> None:
    refuse_weak_secrets(settings({"app_database_url": ADDRESS.format("x")}, Environment.DEVELOPMENT))
