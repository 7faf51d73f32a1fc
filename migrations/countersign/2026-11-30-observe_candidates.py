"""Keeps what a candidate policy would have decided: how many decisions it was put to, and each difference."""

from alembic import op

revision = "observe_candidates"
down_revision = "decide_at_the_claim"
branch_labels = None
depends_on = None

TENANT_TABLES = ("candidate_observations", "candidate_differences")
OWN_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"

TABLES = """
set local lock_timeout = '5s';

set local statement_timeout = '60s';

create table countersign.candidate_observations (
    tenant_id uuid not null,
    id uuid default gen_random_uuid() not null,
    candidate text not null,
    files text[] default '{}'::text[] not null,
    decisions integer default 0 not null,
    different integer default 0 not null,
    unknown integer default 0 not null,
    failed integer default 0 not null,
    dropped integer default 0 not null,
    began_at timestamptz not null,
    ended_at timestamptz default now() not null,
    primary key (tenant_id, id)
);

create table countersign.candidate_differences (
    tenant_id uuid not null,
    candidate text not null,
    decision_id text not null,
    files text[] default '{}'::text[] not null,
    active text not null,
    ticket_id uuid not null,
    action_type text not null,
    verdict text not null,
    candidate_verdict text not null,
    rules text[] default '{}'::text[] not null,
    must_hold text[] default '{}'::text[] not null,
    reasons jsonb not null,
    obligations jsonb,
    at timestamptz default now() not null,
    primary key (tenant_id, candidate, decision_id),
    foreign key (tenant_id, decision_id) references countersign.decisions (tenant_id, id)
);

alter table countersign.candidate_observations add constraint observed_counts check (
    least(decisions, different, unknown, failed, dropped) >= 0
    and different::bigint + unknown + failed <= decisions);

alter table countersign.candidate_differences add constraint candidate_verdicts check (
    verdict in ('allow', 'sanitize', 'approval_needed', 'deny')
    and candidate_verdict in ('allow', 'sanitize', 'approval_needed', 'deny'));

create index observations_of_candidate on countersign.candidate_observations (tenant_id, candidate);

create index differences_of_decision on countersign.candidate_differences (tenant_id, decision_id)
"""

RIGHTS = """
grant insert (tenant_id, candidate, files, decisions, different, unknown, failed, dropped, began_at)
    on countersign.candidate_observations to countersign_app;

grant insert (tenant_id, candidate, decision_id, files, active, ticket_id, action_type, verdict, candidate_verdict,
    rules, must_hold, reasons, obligations) on countersign.candidate_differences to countersign_app;

grant select on countersign.candidate_observations, countersign.candidate_differences to countersign_door
"""


def upgrade() -> None:
    """Tables, then isolation, then who may touch what."""
    _each(TABLES)
    for table in TENANT_TABLES:
        op.execute(f"alter table countersign.{table} enable row level security")
        op.execute(f"alter table countersign.{table} force row level security")
        op.execute(
            f"create policy tenant on countersign.{table} using ({OWN_TENANT}) with check ({OWN_TENANT})"
        )
        op.execute(
            f"create trigger unchanged before update or delete or truncate on countersign.{table}"
            " for each statement execute function countersign.rows_are_never_changed()"
        )
    _each(RIGHTS)


def _each(statements: str) -> None:
    for statement in statements.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: what was observed is never forgotten."""
    raise NotImplementedError
