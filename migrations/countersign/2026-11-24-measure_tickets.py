"""Keeps how each outcome came about, what each turn took, what people think of handoffs and how they edit drafts."""

from alembic import op

revision = "measure_tickets"
down_revision = "chain_audit_events"
branch_labels = None
depends_on = None

TENANT_TABLES = ("ticket_outcomes", "ticket_measures", "handoff_judgements", "labelled_edits")
OWN_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"

TABLES = """
set local lock_timeout = '5s';

set local statement_timeout = '300s';

create table countersign.ticket_outcomes (
    tenant_id uuid not null,
    ticket_id uuid not null,
    sequence integer not null,
    outcome text,
    previous text,
    reason text,
    turns integer default 0 not null,
    at timestamptz default now() not null,
    primary key (tenant_id, ticket_id, sequence)
);

create table countersign.ticket_measures (
    tenant_id uuid not null,
    ticket_id uuid not null,
    turn integer not null,
    received_at timestamptz,
    first_reply_at timestamptz,
    settled_at timestamptz default now() not null,
    waited_for_people_ms bigint,
    approved_unchanged boolean,
    decided_in_ms bigint,
    handoff_reason text,
    primary key (tenant_id, ticket_id, turn)
);

create table countersign.handoff_judgements (
    tenant_id uuid not null,
    ticket_id uuid not null,
    sequence integer not null,
    principal_id text not null,
    verdict text not null,
    at timestamptz default now() not null,
    primary key (tenant_id, ticket_id, sequence)
);

create table countersign.labelled_edits (
    tenant_id uuid not null,
    ticket_id uuid not null,
    message text not null,
    turn integer not null,
    draft text not null,
    edited text not null,
    distance_permille integer not null,
    policy_version text,
    drafter text,
    at timestamptz default now() not null,
    primary key (tenant_id, ticket_id, message)
);

alter table countersign.handoff_judgements add constraint judged_verdict check (verdict in ('right', 'wrong'));

alter table countersign.labelled_edits add constraint edit_distance check (distance_permille between 0 and 1000);

create index inbox_of_route on countersign.inbox (tenant_id, route, received_at)
    where kind = 'helpdesk' and route is not null
"""

# Whoever changes an outcome holds the ticket's row, so numbers follow each other.
KEEP_OUTCOME = """
create function countersign.keep_outcome() returns trigger
    language plpgsql security definer set search_path = countersign, pg_temp as $$
begin
    insert into countersign.ticket_outcomes (tenant_id, ticket_id, sequence, outcome, previous, reason, turns)
        select new.tenant_id, new.id, coalesce(max(o.sequence), 0) + 1, new.outcome, old.outcome, new.reason, new.turns
        from countersign.ticket_outcomes o where o.tenant_id = new.tenant_id and o.ticket_id = new.id;
    return null;
end $$
"""

# A ticket that teammates took was not given to them. The row itself speaks for what was before the trail began.
WAS_HANDED_OVER = """
create function countersign.was_handed_over(p_tenant uuid, p_ticket uuid) returns boolean language plpgsql as $$
begin
    return exists (select from countersign.ticket_outcomes o where o.tenant_id = p_tenant and o.ticket_id = p_ticket
            and o.outcome = 'handed_over' and o.reason is distinct from 'taken_over')
        or exists (select from countersign.tickets t where t.tenant_id = p_tenant and t.id = p_ticket
            and t.outcome = 'handed_over' and t.reason is distinct from 'taken_over');
end $$
"""

HANDOFF_STANDING = """
create function countersign.handoff_standing(p_tenant uuid, p_ticket uuid) returns jsonb
    language plpgsql security definer set search_path = countersign, pg_temp as $$
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    return jsonb_build_object('handed_over', countersign.was_handed_over(p_tenant, p_ticket), 'verdict',
        (select j.verdict from countersign.handoff_judgements j
            where j.tenant_id = p_tenant and j.ticket_id = p_ticket order by j.sequence desc limit 1));
end $$
"""

JUDGE_HANDOFF = """
create function countersign.judge_handoff(p_tenant uuid, p_ticket uuid, p_principal text, p_verdict text)
    returns jsonb language plpgsql security definer set search_path = countersign, pg_temp as $$
declare
    refused text;
    last record;
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    refused := countersign.ownership_refusal(p_tenant, p_principal);
    if refused is not null then
        return jsonb_build_object('refusal', refused);
    end if;
    perform 1 from countersign.tickets where tenant_id = p_tenant and id = p_ticket for no key update;
    if not found then
        return jsonb_build_object('refusal', 'unknown_ticket');
    end if;
    if not countersign.was_handed_over(p_tenant, p_ticket) then
        return jsonb_build_object('refusal', 'not_handed_over');
    end if;
    select j.sequence, j.principal_id, j.verdict into last from countersign.handoff_judgements j
        where j.tenant_id = p_tenant and j.ticket_id = p_ticket order by j.sequence desc limit 1;
    if (last.principal_id, last.verdict) is not distinct from (p_principal, p_verdict) then
        return jsonb_build_object('verdict', p_verdict, 'changed', false);
    end if;
    insert into countersign.handoff_judgements (tenant_id, ticket_id, sequence, principal_id, verdict)
        values (p_tenant, p_ticket, coalesce(last.sequence, 0) + 1, p_principal, p_verdict);
    insert into countersign.audit_events (tenant_id, kind, content) values (p_tenant, 'handoff_judged',
        jsonb_build_object('ticket', p_ticket, 'principal', p_principal, 'verdict', p_verdict,
            'verdict_before', last.verdict));
    return jsonb_build_object('verdict', p_verdict, 'changed', true);
end $$
"""

FUNCTIONS = (KEEP_OUTCOME, WAS_HANDED_OVER, HANDOFF_STANDING, JUDGE_HANDOFF)

RIGHTS = """
create trigger outcome_trail after update of outcome on countersign.tickets
    for each row when (old.outcome is distinct from new.outcome) execute function countersign.keep_outcome();

revoke all on function
    countersign.keep_outcome(),
    countersign.was_handed_over(uuid, uuid),
    countersign.handoff_standing(uuid, uuid),
    countersign.judge_handoff(uuid, uuid, text, text)
    from public;

grant execute on function
    countersign.handoff_standing(uuid, uuid),
    countersign.judge_handoff(uuid, uuid, text, text)
    to countersign_app, countersign_door;

grant select on countersign.ticket_outcomes, countersign.handoff_judgements to countersign_app;

grant select, insert (tenant_id, ticket_id, turn, received_at, first_reply_at, waited_for_people_ms,
    approved_unchanged, decided_in_ms, handoff_reason)
    on countersign.ticket_measures to countersign_app;

grant select, insert (tenant_id, ticket_id, message, turn, draft, edited, distance_permille, policy_version, drafter)
    on countersign.labelled_edits to countersign_app
"""


def upgrade() -> None:
    """Tables, then isolation, then what writes them, then who may call it."""
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
    for function in FUNCTIONS:
        op.execute(function)
    _each(RIGHTS)


def _each(statements: str) -> None:
    for statement in statements.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: what was measured is never forgotten."""
    raise NotImplementedError
