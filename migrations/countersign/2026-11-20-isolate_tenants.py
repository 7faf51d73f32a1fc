"""Closes every table to other tenants, also for its owner, and gives each role its columns."""

from alembic import op

revision = "isolate_tenants"
down_revision = "create_tables"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "tenants",
    "principals",
    "helpdesk_connections",
    "slack_installations",
    "provider_connections",
    "api_tokens",
    "inbox",
    "tickets",
    "answered_messages",
    "vault",
    "artifacts",
    "articles",
    "passages",
    "policy_versions",
    "policy_pointers",
    "decisions",
    "approvals",
    "approval_votes",
    "approval_refusals",
    "approval_uses",
    "effects",
    "freezes",
    "audit_events",
)

# A bare cast raises on a pooled connection, where an earlier transaction leaves '' behind.
OWN_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"

NARROW_POLICIES = """
create policy relay_reads on countersign.inbox for select to countersign_relay using (true);

create policy relay_marks on countersign.inbox for update to countersign_relay
    using (state = 'pending') with check (true);

create policy door_adds on countersign.inbox as restrictive for insert to countersign_door
    with check (state in ('pending', 'unroutable'));

create policy everywhere on countersign.freezes for select
    using (tenant_id = '00000000-0000-0000-0000-000000000000'::uuid)
"""

DIRECTORY = """
create function countersign.directory_tenant(text, bytea) returns uuid
    language sql stable security definer set search_path = countersign, pg_temp
    as 'select tenant_id from countersign.directory where kind = $1 and key_digest = $2';

revoke all on function countersign.directory_tenant(text, bytea) from public;

grant execute on function countersign.directory_tenant(text, bytea) to countersign_door, countersign_app
"""

GRANTS = """
grant usage on schema countersign to countersign_door, countersign_app, countersign_egress, countersign_relay;

grant select on countersign.alembic_version to countersign_door, countersign_app, countersign_egress, countersign_relay;

grant select (tenant_id, name, routing_secret) on countersign.tenants to countersign_door;

grant select (tenant_id, source, webhook_secrets) on countersign.helpdesk_connections to countersign_door;

grant insert (tenant_id, id, kind, source, route, delivery_key, body, state, traceparent),
    select (tenant_id, id, kind, source, route, delivery_key, state, attempts, not_before, received_at)
    on countersign.inbox to countersign_door;

grant insert (tenant_id, kind, content) on countersign.audit_events
    to countersign_door, countersign_app, countersign_egress;

grant select (tenant_id, id, kind, source, route, delivery_key, state, attempts, not_before, received_at, traceparent),
    update (state, attempts, not_before)
    on countersign.inbox to countersign_relay;

grant select (tenant_id, name, mode, configuration, version, created_at, updated_at) on countersign.tenants
    to countersign_app;

grant select (tenant_id, source, base_url, api_token) on countersign.helpdesk_connections to countersign_app;

grant select on countersign.principals, countersign.slack_installations, countersign.provider_connections,
    countersign.articles, countersign.passages, countersign.policy_versions, countersign.policy_pointers,
    countersign.approval_uses
    to countersign_app;

grant select, update (state, attempts, not_before) on countersign.inbox to countersign_app;

grant select, insert (tenant_id, id, route, source, external_id),
    update (source, external_id, stage, owner, owner_epoch, outcome, reason, turns, updated_at)
    on countersign.tickets to countersign_app;

grant select, insert on countersign.answered_messages, countersign.vault to countersign_app;

grant select, insert (tenant_id, ticket_id, id, body, expires_at), update (body, expires_at)
    on countersign.artifacts to countersign_app;

grant select, insert (tenant_id, id, ticket_id, turn, action_type, action_digest, verdict, policy_version,
    input_digest, input, reasons, obligations, messages, latency_us)
    on countersign.decisions to countersign_app;

grant select, insert (tenant_id, id, ticket_id, decision_id, action_digest, revision, request, approver_groups,
    quorum, expires_at), update (status, seal, closed_at)
    on countersign.approvals to countersign_app;

grant select, insert (tenant_id, approval_id, principal_id, kind, revision, action_digest, groups, eligible_as_of,
    reason) on countersign.approval_votes to countersign_app;

grant select, insert (tenant_id, approval_id, principal_id, why) on countersign.approval_refusals to countersign_app;

grant select, insert (tenant_id, id, ticket_id, type, digest, proposed, decision_id, approval_id, owner_epoch, turn)
    on countersign.effects to countersign_app;

grant select, insert (tenant_id, scope, reason), delete on countersign.freezes to countersign_app;

grant select (tenant_id, mode) on countersign.tenants to countersign_egress;

grant select (tenant_id, id, groups) on countersign.principals to countersign_egress;

grant select (tenant_id, id, owner, owner_epoch), update (fence) on countersign.tickets to countersign_egress;

grant select (tenant_id, id, ticket_id, action_digest, verdict) on countersign.decisions to countersign_egress;

grant select (tenant_id, id, ticket_id, decision_id, action_digest, approver_groups, quorum, status, seal, expires_at)
    on countersign.approvals to countersign_egress;

grant select (tenant_id, approval_id, principal_id, kind, action_digest) on countersign.approval_votes
    to countersign_egress;

grant select, insert (tenant_id, approval_id, effect_id) on countersign.approval_uses to countersign_egress;

grant select on countersign.freezes to countersign_egress;

grant select, update (decision_id, approval_id, owner_epoch, state, refusal, receipt_id, received_at, claimed_at,
    moved_at) on countersign.effects to countersign_egress
"""


def upgrade() -> None:
    """Row-level security first, then who may touch what."""
    for table in TENANT_TABLES:
        op.execute(f"alter table countersign.{table} enable row level security")
        op.execute(f"alter table countersign.{table} force row level security")
        op.execute(
            f"create policy tenant on countersign.{table} using ({OWN_TENANT}) with check ({OWN_TENANT})"
        )
    for statement in f"{NARROW_POLICIES};{DIRECTORY};{GRANTS}".split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: isolation is never taken away."""
    raise NotImplementedError
