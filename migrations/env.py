"""Runs the migrations of one database. `adapters/postgres/migrate.py` says which one and where it is."""

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from adapters.postgres.migrate import Schema, migration_options
from adapters.postgres.session import driver_url

# Any fixed number: two upgrades at once wait for each other.
UPGRADE_LOCK = 7_231_995_402


def _run(connection: Connection, schema: Schema) -> None:
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": UPGRADE_LOCK})
    connection.execute(text("set lock_timeout = '5s'"))
    connection.execute(text("set statement_timeout = '60s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=schema.metadata,
        version_table_schema=schema.name,
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name == schema.name,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _main(schema: Schema, url: str) -> None:
    engine = create_engine(
        driver_url(url), poolclass=NullPool, hide_parameters=True, connect_args=migration_options(url)
    )
    with engine.connect() as connection:
        _run(connection, schema)
    engine.dispose()


_main(context.config.attributes["schema"], context.config.attributes["url"])
