"""The newest policy is asked as the last thing before a claim, and windows are exact among racing claims."""

from alembic import op

revision = "decide_at_the_claim"
down_revision = "publish_policies"
branch_labels = None
depends_on = None

COLUMNS = (
    "set local lock_timeout = '5s'",
    "set local statement_timeout = '300s'",
    # The effect that was about to leave; null for a decision about a plan.
    "alter table countersign.decisions add column effect_id text",
    # The decision that let it out, which is the last one about it.
    "alter table countersign.effects add column let_out_by text",
)

# The plan's decision still has to allow it: a newer policy can tighten, never loosen.
EFFECT_REFUSAL = """
create or replace function countersign.effect_refusal(
    p_tenant uuid, p_key text, p_ticket uuid, p_type text, p_digest text, p_decision text, p_approval text,
    p_epoch integer
) returns text language plpgsql as $$
declare
    nowhere constant uuid := '00000000-0000-0000-0000-000000000000';
    ticket record;
    decided text;
begin
    select owner, owner_epoch into ticket from countersign.tickets where tenant_id = p_tenant and id = p_ticket;
    if not found or ticket.owner_epoch <> p_epoch
        or (ticket.owner = 'teammate' and p_type in ('reply', 'refund')) then
        return 'owner_changed';
    end if;
    perform 1 from countersign.freezes where tenant_id in (nowhere, p_tenant) and scope in ('all', p_type);
    if found then
        return 'frozen';
    end if;
    perform 1 from countersign.tenants where tenant_id = p_tenant and mode <> 'observe';
    if not found then
        return 'observe_mode';
    end if;
    select verdict into decided from countersign.decisions
        where tenant_id = p_tenant and id = p_decision and ticket_id = p_ticket and action_digest = p_digest;
    if not found or decided not in ('allow', 'sanitize', 'approval_needed') then
        return 'not_allowed';
    end if;
    if decided = 'approval_needed' or p_approval is not null then
        return countersign.approval_refusal(p_tenant, p_key, p_ticket, p_digest, p_decision, p_approval);
    end if;
    return null;
end $$
"""

# Each vote as it would have counted under these terms. Without groups, those that were asked.
DEMAND_REFUSAL = """
create function countersign.demand_refusal(p_tenant uuid, p_digest text, p_approval text, p_terms jsonb) returns text
    language plpgsql as $$
declare
    asked record;
    demanded text[] := array(select jsonb_array_elements_text(coalesce(p_terms -> 'approver_groups', '[]')));
    rungs jsonb := case jsonb_typeof(p_terms -> 'ladder') when 'array' then p_terms -> 'ladder' else '[]' end;
    approvers integer;
begin
    select approver_groups, requested_at into asked from countersign.approvals
        where tenant_id = p_tenant and id = p_approval;
    if not found then
        return 'approval_missing';
    end if;
    if cardinality(demanded) = 0 then
        demanded := asked.approver_groups;
    end if;
    select count(*) into approvers
        from countersign.approval_votes vote
        join countersign.principals voter on voter.tenant_id = vote.tenant_id and voter.id = vote.principal_id
        where vote.tenant_id = p_tenant and vote.approval_id = p_approval and vote.kind = 'approve'
            and vote.action_digest = p_digest
            and (voter.groups && demanded or exists (select from jsonb_array_elements(rungs) as rung
                where vote.cast_at >= asked.requested_at + make_interval(secs => (rung ->> 'after_s')::integer)
                    and voter.groups && array(select jsonb_array_elements_text(rung -> 'approver_groups'))));
    if approvers < coalesce((p_terms ->> 'quorum')::integer, 1) then
        return 'approval_falls_short';
    end if;
    return null;
end $$
"""

# What the newest policy says, as it was asked about this very effect.
GATE_REFUSAL = """
create function countersign.gate_refusal(
    p_tenant uuid, p_key text, p_ticket uuid, p_digest text, p_decision text, p_approval text, p_gate text
) returns text language plpgsql as $$
declare
    planned jsonb;
    gate record;
begin
    select verdict, obligations, effect_id into gate from countersign.decisions
        where tenant_id = p_tenant and id = p_gate and ticket_id = p_ticket and action_digest = p_digest;
    if not found or gate.effect_id is distinct from p_key
        or gate.verdict not in ('allow', 'sanitize', 'approval_needed') then
        return 'not_allowed';
    end if;
    if gate.verdict <> 'approval_needed' then
        return null;
    end if;
    if p_approval is null then
        return 'approval_now_needed';
    end if;
    select obligations into planned from countersign.decisions where tenant_id = p_tenant and id = p_decision;
    if planned = gate.obligations then
        return null;
    end if;
    return countersign.demand_refusal(p_tenant, p_digest, p_approval, gate.obligations);
end $$
"""

# Locks come last and in one order. Whoever waited counts what the one before has claimed.
WINDOWS_MOVED = """
create function countersign.windows_moved(p_tenant uuid, p_ticket uuid, p_key text, p_counters jsonb, p_left bigint)
    returns boolean language plpgsql as $$
declare
    held record;
    asked jsonb;
    lock bigint;
    moved boolean;
begin
    select e.customer, e.order_id into held from countersign.effects e
        where e.tenant_id = p_tenant and e.id = p_key;
    select coalesce(jsonb_agg(jsonb_build_object('place', place, 'action', parts[1], 'per', parts[2],
            'within_s', parts[3]::bigint, 'subject', case parts[2] when 'customer' then held.customer
                when 'order' then held.order_id when 'ticket' then p_ticket::text else p_tenant::text end,
            'seen', seen)), '[]') into asked
        from (
            select row_number() over (order by key) as place, value as seen,
                regexp_match(key, '^(.+)[.](customer|ticket|order|tenant)[.]([0-9]+)$') as parts
            from jsonb_each(coalesce(p_counters, '{}'))
        ) as counters;
    for lock in
        select distinct hashtextextended('window/' || p_tenant || '/' || name, 0) as number
        from (
            select coalesce(w ->> 'action', '') || '/' || coalesce(w ->> 'per', '') || '/'
                || coalesce(w ->> 'subject', '') as name from jsonb_array_elements(asked) as w
            union all
            select 'refund/order/' || held.order_id where p_left is not null
        ) as names
        order by number
    loop
        perform pg_advisory_xact_lock(lock);
    end loop;
    select coalesce(bool_or(w -> 'seen' is distinct from jsonb_build_object(
            'count', coalesce(now_left.count, 0), 'amounts', coalesce(now_left.amounts, '{}'))), false) into moved
        from jsonb_array_elements(asked) as w
        left join (
            select place, sum(effects) as count,
                jsonb_object_agg(currency, minor_units) filter (where currency is not null) as amounts
            from countersign.count_what_left(p_tenant, asked, p_ticket, '{}', p_key) group by place
        ) as now_left on now_left.place = (w ->> 'place')::integer;
    return moved;
end $$
"""

# The shop does not show yet what is under way, or what was confirmed after it was read.
MORE_THAN_IS_LEFT = """
create function countersign.more_than_is_left(p_tenant uuid, p_key text, p_left bigint, p_read_at timestamptz)
    returns boolean language plpgsql as $$
declare
    mine record;
    unseen bigint;
begin
    if p_left is null then
        return false;
    end if;
    select e.order_id, e.minor_units into mine from countersign.effects e
        where e.tenant_id = p_tenant and e.id = p_key;
    select coalesce(sum(e.minor_units), 0) into unseen from countersign.effects e
        where e.tenant_id = p_tenant and e.order_id = mine.order_id and e.type = 'refund' and e.id <> p_key
            and (e.state in ('claimed', 'sent', 'unknown') or (e.state = 'confirmed' and e.moved_at >= p_read_at));
    return mine.minor_units > p_left - unseen;
end $$
"""

CLAIM_EFFECT = """
create function countersign.claim_effect(
    p_tenant uuid, p_key text, p_ticket uuid, p_type text, p_digest text, p_decision text, p_approval text,
    p_epoch integer, p_gate text, p_left bigint, p_read_at timestamptz
) returns table (
    state text, digest text, refusal text, claimed_at timestamptz, receipt_id text, received_at timestamptz,
    taken_before boolean
) language plpgsql as $$
declare
    held countersign.effects;
    refused text;
begin
    perform countersign.enter_fence(p_tenant, p_ticket, p_type);
    select * into held from countersign.effects e where e.tenant_id = p_tenant and e.id = p_key for update;
    if not found or (held.ticket_id, held.type) is distinct from (p_ticket, p_type) then
        raise exception 'This effect was never intended' using errcode = 'no_data_found';
    end if;
    if held.state <> 'intended' or held.digest <> p_digest then
        return query select held.state, held.digest, held.refusal, held.claimed_at, held.receipt_id,
            held.received_at, true;
        return;
    end if;
    refused := coalesce(
        countersign.effect_refusal(p_tenant, p_key, p_ticket, p_type, p_digest, p_decision, p_approval, p_epoch),
        countersign.gate_refusal(p_tenant, p_key, p_ticket, p_digest, p_decision, p_approval, p_gate));
    if refused is null and countersign.windows_moved(p_tenant, p_ticket, p_key,
        (select input -> 'counters' from countersign.decisions where tenant_id = p_tenant and id = p_gate), p_left)
    then
        return query select held.state, held.digest, 'counters_moved', null::timestamptz, null::text,
            null::timestamptz, false;
        return;
    end if;
    if refused is null and countersign.more_than_is_left(p_tenant, p_key, p_left, p_read_at) then
        refused := 'facts_changed';
    end if;
    if refused is null and p_approval is not null then
        insert into countersign.approval_uses (tenant_id, approval_id, effect_id)
            values (p_tenant, p_approval, p_key) on conflict do nothing;
        if not found then
            refused := 'approval_used';
        end if;
    end if;
    return query update countersign.effects e set
            state = case when refused is null then 'claimed' else 'withdrawn' end,
            refusal = refused,
            decision_id = p_decision,
            approval_id = p_approval,
            owner_epoch = p_epoch,
            let_out_by = case when refused is null then p_gate end,
            claimed_at = case when refused is null then clock_timestamp() end,
            moved_at = clock_timestamp()
        where e.tenant_id = p_tenant and e.id = p_key
        returning e.state, e.digest, e.refusal, e.claimed_at, e.receipt_id, e.received_at, false;
    insert into countersign.audit_events (tenant_id, kind, content) values (p_tenant,
        case when refused is null then 'effect_claimed' else 'effect_withdrawn' end,
        jsonb_build_object('effect', p_key, 'decision', p_decision, 'approval', p_approval, 'gate', p_gate,
            'refusal', refused));
end $$
"""

RECHECK_EFFECT = """
create function countersign.recheck_effect(
    p_tenant uuid, p_key text, p_ticket uuid, p_type text, p_digest text, p_decision text, p_approval text,
    p_epoch integer, p_gate text, p_sends boolean
) returns text language plpgsql as $$
declare
    refused text;
begin
    perform countersign.enter_fence(p_tenant, p_ticket, p_type);
    refused := coalesce(
        countersign.effect_refusal(p_tenant, p_key, p_ticket, p_type, p_digest, p_decision, p_approval, p_epoch),
        countersign.gate_refusal(p_tenant, p_key, p_ticket, p_digest, p_decision, p_approval, p_gate));
    if refused is null and p_sends then
        update countersign.effects set moved_at = clock_timestamp(), let_out_by = p_gate
            where tenant_id = p_tenant and id = p_key and state = 'claimed';
    end if;
    return refused;
end $$
"""

FUNCTIONS = (
    EFFECT_REFUSAL,
    DEMAND_REFUSAL,
    GATE_REFUSAL,
    WINDOWS_MOVED,
    MORE_THAN_IS_LEFT,
    CLAIM_EFFECT,
    RECHECK_EFFECT,
)

SIGNATURES = (
    "demand_refusal(uuid, text, text, jsonb)",
    "gate_refusal(uuid, text, uuid, text, text, text, text)",
    "windows_moved(uuid, uuid, text, jsonb, bigint)",
    "more_than_is_left(uuid, text, bigint, timestamptz)",
    "claim_effect(uuid, text, uuid, text, text, text, text, integer, text, bigint, timestamptz)",
    "recheck_effect(uuid, text, uuid, text, text, text, text, integer, text, boolean)",
)

GRANTS = (
    "grant insert (effect_id) on countersign.decisions to countersign_app",
    "grant select (effect_id) on countersign.decisions to countersign_door",
    "grant select (input, obligations, effect_id) on countersign.decisions to countersign_egress",
    "grant select (requested_at) on countersign.approvals to countersign_egress",
    "grant select (cast_at) on countersign.approval_votes to countersign_egress",
    "grant update (let_out_by) on countersign.effects to countersign_egress",
    "grant select (let_out_by) on countersign.effects to countersign_door",
)


def upgrade() -> None:
    """Columns, functions, and who may call them. Those of the previous release stay while it runs."""
    for statement in (*COLUMNS, *FUNCTIONS):
        op.execute(statement)
    for signature in SIGNATURES:
        op.execute(f"revoke all on function countersign.{signature} from public")
        op.execute(f"grant execute on function countersign.{signature} to countersign_egress")
    for grant in GRANTS:
        op.execute(grant)


def downgrade() -> None:
    """Forward only: the fence is never taken away."""
    raise NotImplementedError
