"""The kinds of columns our tables are made of."""

from sqlalchemy import Column, DateTime, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

NOW = text("now()")
NO_CODES = text("'{}'::text[]")


def tenant() -> Column[object]:
    return Column("tenant_id", Uuid, primary_key=True, nullable=False)


def uuid_key() -> Column[object]:
    return Column("id", Uuid, primary_key=True, nullable=False, server_default=text("gen_random_uuid()"))


def text_key(name: str = "id") -> Column[object]:
    return Column(name, Text, primary_key=True, nullable=False)


def required(name: str, default: str | None = None) -> Column[object]:
    return Column(name, Text, nullable=False, server_default=default)


def count(name: str, default: str = "0") -> Column[object]:
    return Column(name, Integer, nullable=False, server_default=text(default))


def at(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=NOW)


def maybe_at(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def codes(name: str) -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False, server_default=NO_CODES)


def sealed(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, LargeBinary, nullable=nullable)


def document(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False)
