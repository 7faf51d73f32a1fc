"""Chains audit events: what waits to be sealed, links, signed heads, and the one role that writes them."""

from alembic import op

revision = "chain_audit_events"
down_revision = "let_operators_decode"
branch_labels = None
depends_on = None

TIMEOUTS = ("set lock_timeout = '5s'", "set statement_timeout = '300s'")

TABLES = """
create table countersign.audit_pending (
    tenant_id uuid not null,
    event_id uuid not null,
    at timestamptz default now() not null,
    primary key (tenant_id, event_id)
);

create index audit_pending_oldest on countersign.audit_pending (tenant_id, at, event_id);

create table countersign.audit_links (
    tenant_id uuid not null,
    sequence bigint not null,
    event_id uuid not null,
    event_digest text not null,
    previous text not null,
    link text not null,
    primary key (tenant_id, sequence),
    unique (tenant_id, event_id)
);

create table countersign.audit_heads (
    tenant_id uuid not null,
    register bigint not null,
    first_sequence bigint not null,
    last_sequence bigint not null,
    count bigint not null,
    link text not null,
    sealed_at timestamptz not null,
    previous text not null,
    after text not null,
    key_id text not null,
    entry text not null,
    signature text not null,
    primary key (tenant_id, register),
    unique (register)
)
"""

# Written for whoever adds an event, by the owner: nobody but the sealer sees what waits.
AWAIT_SEALING = """
create function countersign.events_await_sealing() returns trigger language plpgsql
    security definer set search_path = countersign, pg_temp as $$
begin
    insert into countersign.audit_pending (tenant_id, event_id, at) select tenant_id, id, at from added;
    return null;
end $$
"""

# Forced row security binds the owner too; without it for these statements nothing would be copied.
EARLIER_EVENTS = """
alter table countersign.audit_events no force row level security;

insert into countersign.audit_pending (tenant_id, event_id, at) select tenant_id, id, at from countersign.audit_events;

alter table countersign.audit_events force row level security
"""

TRIGGERS = """
create trigger await_sealing after insert on countersign.audit_events
    referencing new table as added for each statement execute function countersign.events_await_sealing();

create trigger unchanged before update or delete or truncate on countersign.audit_links
    for each statement execute function countersign.rows_are_never_changed();

create trigger unchanged before update or delete or truncate on countersign.audit_heads
    for each statement execute function countersign.rows_are_never_changed()
"""

TENANT_TABLES = ("audit_pending", "audit_links", "audit_heads")
OWN_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"

# The sealer works across tenants, on these four tables and on nothing else.
SEALER = """
revoke all on function countersign.events_await_sealing() from public;

grant usage on schema countersign to countersign_sealer;

grant select on countersign.alembic_version, countersign.audit_events to countersign_sealer;

grant select, delete on countersign.audit_pending to countersign_sealer;

grant select, insert on countersign.audit_links, countersign.audit_heads to countersign_sealer;

create policy sealer_reads on countersign.audit_events for select to countersign_sealer using (true);

create policy sealer_reads on countersign.audit_pending for select to countersign_sealer using (true);

create policy sealer_takes on countersign.audit_pending for delete to countersign_sealer using (true);

create policy sealer_reads on countersign.audit_links for select to countersign_sealer using (true);

create policy sealer_adds on countersign.audit_links for insert to countersign_sealer with check (true);

create policy sealer_reads on countersign.audit_heads for select to countersign_sealer using (true);

create policy sealer_adds on countersign.audit_heads for insert to countersign_sealer with check (true)
"""


def upgrade() -> None:
    """Events from before this release are sealed by the first rounds after it."""
    for statement in (*TIMEOUTS, *TABLES.split(";"), AWAIT_SEALING, *EARLIER_EVENTS.split(";")):
        op.execute(statement)
    for table in TENANT_TABLES:
        op.execute(f"alter table countersign.{table} enable row level security")
        op.execute(f"alter table countersign.{table} force row level security")
        op.execute(
            f"create policy tenant on countersign.{table} using ({OWN_TENANT}) with check ({OWN_TENANT})"
        )
    for statement in f"{TRIGGERS};{SEALER}".split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: evidence is never dropped by a program."""
    raise NotImplementedError
