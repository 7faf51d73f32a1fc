"""Keeps one row for each run whose history was archived, or could not be because its ticket was erased."""

from alembic import op

revision = "archive_histories"
down_revision = "find_stranded_effects"
branch_labels = None
depends_on = None

# A bare cast raises on a pooled connection, where an earlier transaction leaves '' behind.
OWN_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"

# One round trip for a page of runs of many tenants. It runs as its caller, who may name any tenant anyway, and
# sees each tenant's rows under that tenant's own policy. `route` is null where an approval is not known.
RUNS_TO_ARCHIVE = """
create function countersign.runs_to_archive(tenants uuid[], workflows text[], runs uuid[])
    returns table (run uuid, route text) language plpgsql set search_path = countersign, pg_temp as $$
declare
    own uuid;
begin
    foreach own in array array(select distinct t from unnest(tenants) t) loop
        perform set_config('app.tenant_id', own::text, true);
        return query
            select asked.run_id, a.request -> 'ticket' ->> 'route'
            from unnest(tenants, workflows, runs) as asked (tenant_id, workflow_id, run_id)
            left join archived_runs k on k.tenant_id = own and k.workflow_id = asked.workflow_id
                and k.run_id = asked.run_id
            left join approvals a on a.tenant_id = own and asked.workflow_id = 'approval:' || own || ':' || a.id
            where asked.tenant_id = own and k.run_id is null;
    end loop;
    perform set_config('app.tenant_id', '', true);
end $$
"""

STATEMENTS = (
    "set local lock_timeout = '5s'",
    "set local statement_timeout = '60s'",
    """
    create table countersign.archived_runs (
        tenant_id uuid not null,
        workflow_id text not null,
        run_id uuid not null,
        ticket_id uuid not null,
        kind text not null,
        status text not null,
        started_at timestamptz not null,
        closed_at timestamptz not null,
        events integer not null,
        digest text,
        artifact text,
        archived_at timestamptz not null default now(),
        primary key (tenant_id, workflow_id, run_id),
        constraint archived_run_kind check (kind in ('ticket', 'approval')),
        constraint archived_run_whole check ((digest is null) = (artifact is null)),
        constraint archived_run_own check (workflow_id like kind || ':' || tenant_id::text || ':%')
    )
    """,
    "create index archived_runs_of_ticket on countersign.archived_runs (tenant_id, ticket_id, started_at)",
    "alter table countersign.archived_runs enable row level security",
    "alter table countersign.archived_runs force row level security",
    f"create policy tenant on countersign.archived_runs using ({OWN_TENANT}) with check ({OWN_TENANT})",
    """
    create trigger unchanged before update or delete or truncate on countersign.archived_runs
        for each statement execute function countersign.rows_are_never_changed()
    """,
    """
    grant select, insert (tenant_id, workflow_id, run_id, ticket_id, kind, status, started_at, closed_at, events,
        digest, artifact) on countersign.archived_runs to countersign_app
    """,
    RUNS_TO_ARCHIVE,
    "revoke all on function countersign.runs_to_archive(uuid[], text[], uuid[]) from public",
    "grant execute on function countersign.runs_to_archive(uuid[], text[], uuid[]) to countersign_app",
)


def upgrade() -> None:
    """The table, its isolation, and what the worker may do with it."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forward only: what is archived is never dropped by a program."""
    raise NotImplementedError
