"""Lets teammates log in and read what is theirs: sessions, one-time links, and the door's read columns.

The door reads columns that hold ids, digests, enums and numbers; text stays closed to it.
"""

from alembic import op

revision = "log_in_principals"
down_revision = "supersede_approvals"
branch_labels = None
depends_on = None

TENANT_TABLES = ("sessions", "login_links")
OWN_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"

TABLES = """
set local lock_timeout = '5s';

set local statement_timeout = '60s';

create table countersign.sessions (
    tenant_id uuid not null,
    secret_digest bytea not null,
    principal_id text not null,
    token_id uuid,
    created_at timestamptz default now() not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, secret_digest)
);

create table countersign.login_links (
    tenant_id uuid not null,
    secret_digest bytea not null,
    principal_id text not null,
    created_at timestamptz default now() not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (tenant_id, secret_digest)
);

create index approvals_pending on countersign.approvals (tenant_id, expires_at) where status = 'pending';

create index effects_unknown on countersign.effects (tenant_id, ticket_id) where state = 'unknown';

alter table countersign.tickets add column number bytea;

alter table countersign.principals add column shown_name bytea;

alter table countersign.helpdesk_connections add column ticket_url text;

alter table countersign.tenants add column acknowledge_within_s integer
    generated always as ((configuration #>> '{settings,acknowledge_within_s}')::integer) stored;

alter table countersign.inbox drop constraint inbox_kind;

alter table countersign.inbox add constraint inbox_kind check (kind in ('helpdesk', 'slack', 'operator'))
"""

# Sessions that are over may be forgotten, others only ended.
NARROW_POLICY = """
create policy door_forgets on countersign.sessions as restrictive for delete to countersign_door
    using (expires_at < now())
"""

GRANTS = """
grant select, insert (tenant_id, secret_digest, principal_id, token_id, expires_at), update (ended_at), delete
    on countersign.sessions to countersign_door;

grant select, update (used_at) on countersign.login_links to countersign_door;

grant select (tenant_id, id, principal_id, token_digest, revoked_at) on countersign.api_tokens to countersign_door;

grant select (tenant_id, id, groups, roles, shown_name) on countersign.principals to countersign_door;

grant select (acknowledge_within_s) on countersign.tenants to countersign_door;

grant select (tenant_id, source, ticket_url) on countersign.helpdesk_connections to countersign_door;

grant select (tenant_id, team_id) on countersign.slack_installations to countersign_door;

grant select (tenant_id, id, route, source, number, stage, owner, held_by, owner_epoch, outcome, reason, turns, opened_at,
    updated_at) on countersign.tickets to countersign_door;

grant select (tenant_id, id, ticket_id, turn, action_type, action_digest, verdict, policy_version, input_digest, input,
    reasons, obligations, messages, latency_us, decided_at) on countersign.decisions to countersign_door;

grant select (tenant_id, id, ticket_id, decision_id, action_digest, revision, approver_groups, quorum, status, seal,
    requested_at, expires_at, closed_at) on countersign.approvals to countersign_door;

grant select (tenant_id, approval_id, principal_id, kind, revision, groups, eligible_as_of, cast_at)
    on countersign.approval_votes to countersign_door;

grant select (tenant_id, id, approval_id, principal_id, why, refused_at) on countersign.approval_refusals
    to countersign_door;

grant select (tenant_id, id, ticket_id, type, decision_id, approval_id, owner_epoch, turn, state, refusal, receipt_id,
    received_at, intended_at, claimed_at, moved_at) on countersign.effects to countersign_door;

grant insert (number), update (number) on countersign.tickets to countersign_app
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
    _each(NARROW_POLICY)
    _each(GRANTS)


def _each(statements: str) -> None:
    for statement in statements.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: isolation is never taken away."""
    raise NotImplementedError
