"""Creates every table of the first slice, closed sets included."""

from alembic import op

revision = "create_tables"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table countersign.answered_messages (
    tenant_id uuid not null,
    ticket_id uuid not null,
    message text not null,
    turn integer default 0 not null,
    primary key (tenant_id, ticket_id, message)
);

create table countersign.api_tokens (
    tenant_id uuid not null,
    id uuid default gen_random_uuid() not null,
    principal_id text not null,
    token_digest bytea not null,
    roles text[] default '{}'::text[] not null,
    created_at timestamptz default now() not null,
    revoked_at timestamptz,
    primary key (tenant_id, id)
);

create table countersign.approval_refusals (
    tenant_id uuid not null,
    id uuid default gen_random_uuid() not null,
    approval_id text not null,
    principal_id text not null,
    why text not null,
    refused_at timestamptz default now() not null,
    primary key (tenant_id, id)
);

create index refusals_of_approval on countersign.approval_refusals (tenant_id, approval_id);

create table countersign.approval_uses (
    tenant_id uuid not null,
    approval_id text not null,
    effect_id text not null,
    used_at timestamptz default now() not null,
    primary key (tenant_id, approval_id)
);

create table countersign.approvals (
    tenant_id uuid not null,
    id text not null,
    ticket_id uuid not null,
    decision_id text not null,
    action_digest text not null,
    revision integer default 1 not null,
    request jsonb not null,
    approver_groups text[] default '{}'::text[] not null,
    quorum integer default 1 not null,
    status text default 'pending' not null,
    seal text,
    requested_at timestamptz default now() not null,
    expires_at timestamptz not null,
    closed_at timestamptz,
    primary key (tenant_id, id)
);

create index approvals_of_ticket on countersign.approvals (tenant_id, ticket_id);

create table countersign.articles (
    tenant_id uuid not null,
    id uuid not null,
    zone text not null,
    version integer default 1 not null,
    title text not null,
    content_digest text not null,
    primary key (tenant_id, id)
);

create table countersign.artifacts (
    tenant_id uuid not null,
    ticket_id uuid not null,
    id text not null,
    body bytea,
    expires_at timestamptz,
    created_at timestamptz default now() not null,
    primary key (tenant_id, ticket_id, id)
);

create index artifacts_expiring on countersign.artifacts (tenant_id, expires_at) where body is not null;

create table countersign.audit_events (
    tenant_id uuid not null,
    id uuid default gen_random_uuid() not null,
    kind text not null,
    content jsonb not null,
    at timestamptz default now() not null,
    primary key (tenant_id, id)
);

create table countersign.decisions (
    tenant_id uuid not null,
    id text not null,
    ticket_id uuid not null,
    turn integer default 0 not null,
    action_type text not null,
    action_digest text not null,
    verdict text not null,
    policy_version text not null,
    input_digest text not null,
    input jsonb not null,
    reasons jsonb not null,
    obligations jsonb,
    messages text[] default '{}'::text[] not null,
    latency_us bigint not null,
    decided_at timestamptz default now() not null,
    primary key (tenant_id, id)
);

create index decisions_of_ticket on countersign.decisions (tenant_id, ticket_id, decided_at);

create table countersign.directory (
    kind text not null,
    key_digest bytea not null,
    tenant_id uuid not null,
    primary key (kind, key_digest)
);

create table countersign.effects (
    tenant_id uuid not null,
    id text not null,
    ticket_id uuid not null,
    type text not null,
    digest text not null,
    proposed jsonb not null,
    decision_id text not null,
    approval_id text,
    owner_epoch integer default 0 not null,
    turn integer default 0 not null,
    state text default 'intended' not null,
    refusal text,
    receipt_id text,
    received_at timestamptz,
    intended_at timestamptz default now() not null,
    claimed_at timestamptz,
    moved_at timestamptz,
    primary key (tenant_id, id)
);

create index effects_of_ticket on countersign.effects (tenant_id, ticket_id);

create table countersign.freezes (
    tenant_id uuid not null,
    scope text not null,
    reason text not null,
    frozen_at timestamptz default now() not null,
    primary key (tenant_id, scope)
);

create table countersign.helpdesk_connections (
    tenant_id uuid not null,
    source text not null,
    base_url text not null,
    api_token bytea not null,
    webhook_secrets bytea not null,
    hook_digest bytea not null,
    primary key (tenant_id, source)
);

create table countersign.inbox (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    source text not null,
    route text,
    delivery_key text not null,
    body bytea not null,
    state text default 'pending' not null,
    attempts integer default 0 not null,
    not_before timestamptz default now() not null,
    received_at timestamptz default now() not null,
    traceparent text,
    primary key (tenant_id, id),
    unique (tenant_id, kind, source, delivery_key)
);

create index inbox_pending on countersign.inbox (tenant_id, not_before, id) where state = 'pending';

create index inbox_unconsumed on countersign.inbox (tenant_id, route, received_at) where state in ('pending', 'dispatched');

create table countersign.policy_versions (
    tenant_id uuid not null,
    id text not null,
    content text not null,
    created_at timestamptz default now() not null,
    primary key (tenant_id, id)
);

create table countersign.principals (
    tenant_id uuid not null,
    id text not null,
    slack_team_id text not null,
    slack_user_id text not null,
    name bytea not null,
    groups text[] default '{}'::text[] not null,
    roles text[] default '{}'::text[] not null,
    primary key (tenant_id, id),
    unique (tenant_id, slack_team_id, slack_user_id)
);

create table countersign.provider_connections (
    tenant_id uuid not null,
    kind text not null,
    base_url text not null,
    token bytea not null,
    primary key (tenant_id, kind)
);

create table countersign.slack_installations (
    tenant_id uuid not null,
    team_id text not null,
    channel_id text not null,
    bot_token bytea not null,
    primary key (tenant_id, team_id)
);

create table countersign.tenants (
    tenant_id uuid not null,
    name text not null,
    mode text not null,
    configuration jsonb not null,
    version integer default 1 not null,
    routing_secret bytea not null,
    created_at timestamptz default now() not null,
    updated_at timestamptz default now() not null,
    primary key (tenant_id)
);

create table countersign.tickets (
    tenant_id uuid not null,
    id uuid not null,
    route text not null,
    source text,
    external_id bytea,
    stage text default 'fetching' not null,
    owner text default 'automation' not null,
    owner_epoch integer default 0 not null,
    outcome text,
    reason text,
    turns integer default 0 not null,
    fence smallint default 0 not null,
    opened_at timestamptz default now() not null,
    updated_at timestamptz default now() not null,
    primary key (tenant_id, id)
);

create index tickets_newest on countersign.tickets (tenant_id, updated_at);

create table countersign.vault (
    tenant_id uuid not null,
    ticket_id uuid not null,
    name text not null,
    value bytea not null,
    primary key (tenant_id, ticket_id, name)
);

create table countersign.approval_votes (
    tenant_id uuid not null,
    approval_id text not null,
    principal_id text not null,
    kind text not null,
    revision integer default 1 not null,
    action_digest text not null,
    groups text[] default '{}'::text[] not null,
    eligible_as_of timestamptz not null,
    reason text,
    cast_at timestamptz default now() not null,
    primary key (tenant_id, approval_id, principal_id),
    foreign key(tenant_id, approval_id) references countersign.approvals (tenant_id, id)
);

create table countersign.passages (
    tenant_id uuid not null,
    id uuid not null,
    article_id uuid not null,
    version integer default 1 not null,
    zone text not null,
    title text not null,
    body text not null,
    terms tsvector not null,
    primary key (tenant_id, id),
    foreign key(tenant_id, article_id) references countersign.articles (tenant_id, id)
);

create index passages_of_article on countersign.passages (tenant_id, article_id);

create table countersign.policy_pointers (
    tenant_id uuid not null,
    kind text not null,
    version_id text not null,
    moved_at timestamptz default now() not null,
    primary key (tenant_id, kind),
    foreign key(tenant_id, version_id) references countersign.policy_versions (tenant_id, id)
)
"""

CLOSED_SETS = """
alter table countersign.inbox add constraint inbox_kind check (kind in ('helpdesk', 'slack'));

alter table countersign.inbox add constraint inbox_state
    check (state in ('pending', 'dispatched', 'consumed', 'unroutable', 'refused'));

alter table countersign.tenants add constraint tenant_mode check (mode in ('observe', 'assist', 'automate'));

alter table countersign.tickets add constraint ticket_owner check (owner in ('automation', 'teammate'));

alter table countersign.decisions add constraint decision_verdict
    check (verdict in ('allow', 'sanitize', 'approval_needed', 'deny'));

alter table countersign.approvals add constraint approval_status
    check (status in ('pending', 'approved', 'rejected', 'expired', 'cancelled'));

alter table countersign.approvals add constraint approval_sealed check (status <> 'approved' or seal is not null);

alter table countersign.approval_votes add constraint vote_kind check (kind in ('approve', 'reject'));

alter table countersign.policy_pointers add constraint pointer_kind check (kind in ('active', 'candidate'));

alter table countersign.effects add constraint effect_state
    check (state in ('intended', 'claimed', 'sent', 'confirmed', 'failed', 'unknown', 'withdrawn', 'compensated', 'settled'))
"""


def upgrade() -> None:
    """One statement after another; none of them holds a semicolon of its own."""
    for statement in (TABLES + ";" + CLOSED_SETS).split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: a tenant's data is never dropped by a program."""
    raise NotImplementedError
