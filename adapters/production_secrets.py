"""What production refuses to start with: secrets that are missing strength or are somebody's default."""

from itertools import pairwise

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from adapters.settings import Environment, Settings, SettingUnusable, master_key_of

SHORTEST = 16
OPA_TOKEN = "COUNTERSIGN_OPA_TOKEN"  # noqa: S105 - the name of a setting
# A random key of 32 bytes has about 30 different ones; below this it was typed or is a pattern.
FEWEST_DIFFERENT_BYTES = 20
# An address may authenticate by other means than a password of its own.
OTHER_MEANS = ("sslcert", "passfile", "krbsrvname")


def refuse_weak_secrets(settings: Settings) -> None:
    """In production only. Names the setting and never its value; raises `SettingUnusable`."""
    if settings.environment is not Environment.PRODUCTION:
        return
    if settings.opa_url and not settings.opa_token:
        raise SettingUnusable(OPA_TOKEN, "is not set, and whoever may write to OPA says what is allowed")
    for name, value in _secrets(settings).items():
        if name.endswith("_URL"):
            _refuse_weak_address(name, value)
        elif name == "COUNTERSIGN_MASTER_KEY":
            _refuse_patterned_key(name, master_key_of(settings))
        elif len(value) < SHORTEST:
            raise SettingUnusable(name, f"is shorter than {SHORTEST} characters, which production refuses")


def _secrets(settings: Settings) -> dict[str, str]:
    given = {str(field.alias): getattr(settings, name) for name, field in Settings.model_fields.items()}
    return {
        alias: value.get_secret_value()
        for alias, value in given.items()
        if hasattr(value, "get_secret_value")
    }


def _refuse_weak_address(name: str, address: str) -> None:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise SettingUnusable(name, "is not the address of a database") from None
    if any(means in url.query for means in OTHER_MEANS):
        return
    password = str(url.password or "")
    if len(password) < SHORTEST or password == url.username:
        raise SettingUnusable(
            name, f"has no password of {SHORTEST} characters or more, which production refuses"
        )


def _refuse_patterned_key(name: str, key: bytes) -> None:
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    if len(set(key)) < FEWEST_DIFFERENT_BYTES or len(steps) == 1:
        raise SettingUnusable(name, "is a pattern and no random key, which production refuses")
