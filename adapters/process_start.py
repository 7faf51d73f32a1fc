"""How a process of ours reads its settings: what is wrong with them is one line in its log."""

import sys
from typing import NoReturn

import structlog
from pydantic import ValidationError

from adapters.production_secrets import refuse_weak_secrets
from adapters.settings import Settings, SettingUnusable, drop_postgres_variables
from adapters.structured_logs import set_up_logs

log = structlog.get_logger("adapters.process_start")


def settings_of_process(service: str) -> Settings:
    """Sets up the logs too. Ends the process where a setting is wrong or, in production, a secret weak."""
    drop_postgres_variables()
    set_up_logs(service=service)
    try:
        settings = Settings()
        refuse_weak_secrets(settings)
    except ValidationError as error:
        _refuse(service, _sentence(error))
    except SettingUnusable as error:
        _refuse(service, str(error))
    set_up_logs(settings.log_level, service)
    return settings


def _refuse(service: str, sentence: str) -> NoReturn:
    event = f"{service}_not_started"
    log.error(event, sentence=sentence)
    sys.exit(1)


def _sentence(error: ValidationError) -> str:
    """Names of settings, never what was written there."""
    names = sorted({str(entry["loc"][0]) for entry in error.errors() if entry["loc"]})
    return f"{', '.join(names)} has a value of the wrong kind"
