"""What a person at a terminal reads when a command fails."""

import httpx
import psycopg
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

OURS = ("domain", "adapters", "cli", "workflows", "activities", "worker", "api", "policies")
SENTENCES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((psycopg.OperationalError, SQLAlchemyError), "The database did not do it"),
    # The SDK raises a bare RuntimeError where it cannot connect.
    ((RPCError, RuntimeError), "Temporal does not answer"),
    ((httpx.TransportError,), "A server of ours does not answer"),
)


def sentence_for(error: Exception) -> str:
    """One or two sentences without a traceback and without values of tenants."""
    if type(error).__module__.partition(".")[0] in OURS:
        return str(error)
    if isinstance(error, ValidationError):
        return _about_settings(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {str(error.filename)!r}"
    for kinds, sentence in SENTENCES:
        if isinstance(error, kinds):
            return f"{sentence} ({type(error).__name__}). Run `countersign doctor`"
    return f"Unexpected {type(error).__name__}. Set COUNTERSIGN_LOG_LEVEL=debug to see where it happened"


def _about_settings(error: ValidationError) -> str:
    places = sorted({".".join(str(part) for part in entry["loc"]) for entry in error.errors()})
    return f"{error.title} cannot be read: {', '.join(places)} is missing or has a value of the wrong kind"
