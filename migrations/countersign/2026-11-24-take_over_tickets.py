"""Lets teammates take a ticket over, hand it back and stop it, and remembers who holds it."""

from alembic import op

revision = "take_over_tickets"
down_revision = "hold_the_fence"
branch_labels = None
depends_on = None

BOUNDS = """
set local lock_timeout = '5s';

set local statement_timeout = '60s'
"""

HOLDERS = """
alter table countersign.tickets add column held_by text;

alter table countersign.tickets add constraint ticket_holder check (held_by is null or owner = 'teammate')
"""

# Locked against a change: whoever is being retired takes over before it, or not at all.
OWNERSHIP_REFUSAL = """
create function countersign.ownership_refusal(p_tenant uuid, p_principal text) returns text
    language plpgsql as $$
declare
    person record;
begin
    select p.groups, p.roles into person from countersign.principals p
        where p.tenant_id = p_tenant and p.id = p_principal for share;
    if not found then
        return 'unknown_principal';
    end if;
    if cardinality(person.groups) = 0 and not person.roles && array['teammate', 'admin'] then
        return 'not_entitled';
    end if;
    return null;
end $$
"""

# Without keys: whatever has left our hands and has no known end. The door may not read the ledger itself.
EFFECTS_STANDING = """
create function countersign.effects_standing(p_tenant uuid, p_ticket uuid, p_keys text[]) returns jsonb
    language plpgsql security definer set search_path = countersign, pg_temp as $$
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    return (select coalesce(jsonb_agg(jsonb_build_object('key', e.id, 'type', e.type, 'state', e.state)
            order by e.intended_at, e.id), '[]')
        from countersign.effects e
        where e.tenant_id = p_tenant and e.ticket_id = p_ticket
            and case when p_keys is null then e.state in ('claimed', 'sent', 'unknown')
                else e.id = any (p_keys) end);
end $$
"""

# The advisory lock queues fairly behind the running claims; the row lock stops whoever forgets it.
ENTER_OWNERSHIP = """
create function countersign.enter_ownership(p_tenant uuid, p_ticket uuid, p_principal text) returns text
    language plpgsql as $$
declare
    refused text;
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    refused := countersign.ownership_refusal(p_tenant, p_principal);
    if refused is null then
        perform pg_advisory_xact_lock(countersign.ticket_lock(p_tenant, p_ticket));
        perform 1 from countersign.tickets where tenant_id = p_tenant and id = p_ticket for no key update;
    end if;
    return refused;
end $$
"""

OWNER_CHANGE = """
create function countersign.owner_change(p_tenant uuid, p_ticket uuid, p_changed boolean) returns jsonb
    language plpgsql as $$
begin
    return (select jsonb_build_object('owner', t.owner, 'held_by', t.held_by, 'owner_epoch', t.owner_epoch,
            'changed', p_changed, 'effects', countersign.effects_standing(p_tenant, p_ticket, null))
        from countersign.tickets t where t.tenant_id = p_tenant and t.id = p_ticket);
end $$
"""

CHANGE_OWNER = """
create function countersign.change_owner(
    p_tenant uuid, p_ticket uuid, p_principal text, p_owner text, p_stage text, p_outcome text, p_reason text
) returns jsonb language plpgsql as $$
declare
    before record;
begin
    select t.held_by, t.owner_epoch into before from countersign.tickets t
        where t.tenant_id = p_tenant and t.id = p_ticket;
    update countersign.tickets set owner = p_owner, owner_epoch = before.owner_epoch + 1,
            held_by = case when p_owner = 'teammate' then p_principal end,
            stage = p_stage, outcome = p_outcome, reason = p_reason, updated_at = clock_timestamp()
        where tenant_id = p_tenant and id = p_ticket;
    insert into countersign.audit_events (tenant_id, kind, content) values (p_tenant, 'ticket_' || p_reason,
        jsonb_build_object('ticket', p_ticket, 'principal', p_principal, 'owner_epoch', before.owner_epoch + 1,
            'held_before', before.held_by));
    return countersign.owner_change(p_tenant, p_ticket, true);
end $$
"""

TAKE_OVER_TICKET = """
create function countersign.take_over_ticket(p_tenant uuid, p_ticket uuid, p_route text, p_principal text)
    returns jsonb language plpgsql security definer set search_path = countersign, pg_temp as $$
declare
    refused text := countersign.enter_ownership(p_tenant, p_ticket, p_principal);
    held record;
    stopped boolean;
begin
    if refused is not null then
        return jsonb_build_object('refusal', refused);
    end if;
    insert into countersign.tickets (tenant_id, id, route) values (p_tenant, p_ticket, p_route)
        on conflict do nothing;
    select t.owner, t.held_by, t.outcome, t.reason into held from countersign.tickets t
        where t.tenant_id = p_tenant and t.id = p_ticket for no key update;
    stopped := held.outcome is not distinct from 'abandoned' and held.reason is not distinct from 'stopped';
    if held.owner = 'teammate' and held.held_by = p_principal and not stopped then
        return countersign.owner_change(p_tenant, p_ticket, false);
    end if;
    return countersign.change_owner(p_tenant, p_ticket, p_principal, 'teammate', 'handed_over',
        case when not stopped then held.outcome end, 'taken_over');
end $$
"""

# An outcome that only said that automation had ended is over; another one stays until there is news.
# Until automation has done something again, the same word may be said again: it wakes the ticket.
HAND_BACK_TICKET = """
create function countersign.hand_back_ticket(p_tenant uuid, p_ticket uuid, p_principal text) returns jsonb
    language plpgsql security definer set search_path = countersign, pg_temp as $$
declare
    refused text := countersign.enter_ownership(p_tenant, p_ticket, p_principal);
    held record;
begin
    if refused is not null then
        return jsonb_build_object('refusal', refused);
    end if;
    select t.owner, t.held_by, t.outcome, t.reason into held from countersign.tickets t
        where t.tenant_id = p_tenant and t.id = p_ticket;
    if not found then
        return jsonb_build_object('refusal', 'unknown_ticket');
    end if;
    if held.owner <> 'teammate' and held.reason is not distinct from 'handed_back' then
        return countersign.owner_change(p_tenant, p_ticket, false);
    end if;
    if held.owner <> 'teammate' then
        return jsonb_build_object('refusal', 'not_taken_over');
    end if;
    if held.held_by <> p_principal then
        perform 1 from countersign.principals p
            where p.tenant_id = p_tenant and p.id = p_principal and 'admin' = any (p.roles);
        if not found then
            return jsonb_build_object('refusal', 'held_by_another');
        end if;
    end if;
    return countersign.change_owner(p_tenant, p_ticket, p_principal, 'automation', 'fetching',
        case when held.outcome not in ('handed_over', 'abandoned') then held.outcome end, 'handed_back');
end $$
"""

STOP_TICKET = """
create function countersign.stop_ticket(p_tenant uuid, p_ticket uuid, p_principal text) returns jsonb
    language plpgsql security definer set search_path = countersign, pg_temp as $$
declare
    refused text := countersign.enter_ownership(p_tenant, p_ticket, p_principal);
    held record;
begin
    if refused is not null then
        return jsonb_build_object('refusal', refused);
    end if;
    select t.held_by, t.outcome, t.reason into held from countersign.tickets t
        where t.tenant_id = p_tenant and t.id = p_ticket;
    if not found then
        return jsonb_build_object('refusal', 'unknown_ticket');
    end if;
    if (held.held_by, held.outcome, held.reason) is not distinct from (p_principal, 'abandoned', 'stopped') then
        return countersign.owner_change(p_tenant, p_ticket, false);
    end if;
    return countersign.change_owner(p_tenant, p_ticket, p_principal, 'teammate', 'handed_over', 'abandoned', 'stopped');
end $$
"""

FUNCTIONS = (
    OWNERSHIP_REFUSAL,
    EFFECTS_STANDING,
    ENTER_OWNERSHIP,
    OWNER_CHANGE,
    CHANGE_OWNER,
    TAKE_OVER_TICKET,
    HAND_BACK_TICKET,
    STOP_TICKET,
)

RIGHTS = """
revoke all on function
    countersign.ownership_refusal(uuid, text),
    countersign.effects_standing(uuid, uuid, text[]),
    countersign.enter_ownership(uuid, uuid, text),
    countersign.owner_change(uuid, uuid, boolean),
    countersign.change_owner(uuid, uuid, text, text, text, text, text),
    countersign.take_over_ticket(uuid, uuid, text, text),
    countersign.hand_back_ticket(uuid, uuid, text),
    countersign.stop_ticket(uuid, uuid, text)
    from public;

grant execute on function
    countersign.effects_standing(uuid, uuid, text[]),
    countersign.take_over_ticket(uuid, uuid, text, text),
    countersign.hand_back_ticket(uuid, uuid, text),
    countersign.stop_ticket(uuid, uuid, text)
    to countersign_app, countersign_door
"""


def upgrade() -> None:
    """The column, then the functions that write it, then who may call them."""
    for statement in f"{BOUNDS};{HOLDERS}".split(";"):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(function)
    for statement in RIGHTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: who holds a ticket is never forgotten."""
    raise NotImplementedError
