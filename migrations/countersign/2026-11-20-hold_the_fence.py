"""What the database itself refuses, and the claim: locks, checks and mark in one round trip."""

from alembic import op

revision = "hold_the_fence"
down_revision = "isolate_tenants"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "policy_versions",
    "decisions",
    "approval_votes",
    "approval_refusals",
    "approval_uses",
    "audit_events",
)

REFUSE_CHANGE = """
create function countersign.rows_are_never_changed() returns trigger language plpgsql as $$
begin
    raise exception 'Rows of % are never changed', tg_table_name using errcode = 'check_violation';
end $$
"""

EFFECT_ARROWS = """
create function countersign.effects_move_along_arrows() returns trigger language plpgsql as $$
begin
    if (new.tenant_id, new.id, new.ticket_id, new.type, new.digest, new.proposed)
        is distinct from (old.tenant_id, old.id, old.ticket_id, old.type, old.digest, old.proposed) then
        raise exception 'An effect keeps what it is' using errcode = 'check_violation';
    end if;
    if new.state <> old.state and (old.state, new.state) not in (
        ('intended', 'claimed'),
        ('intended', 'withdrawn'),
        ('claimed', 'sent'),
        ('claimed', 'failed'),
        ('claimed', 'unknown'),
        ('claimed', 'withdrawn'),
        ('sent', 'confirmed'),
        ('sent', 'failed'),
        ('sent', 'unknown'),
        ('unknown', 'confirmed'),
        ('unknown', 'compensated'),
        ('unknown', 'settled')
    ) then
        raise exception 'An effect cannot move from % to %', old.state, new.state using errcode = 'check_violation';
    end if;
    return new;
end $$
"""

APPROVALS_CLOSE_ONCE = """
create function countersign.approvals_close_once() returns trigger language plpgsql as $$
begin
    if old.status <> 'pending' or new.status = 'pending' then
        raise exception 'An approval is closed once' using errcode = 'check_violation';
    end if;
    if (new.tenant_id, new.id, new.ticket_id, new.decision_id, new.action_digest, new.revision, new.request,
            new.approver_groups, new.quorum, new.expires_at)
        is distinct from (old.tenant_id, old.id, old.ticket_id, old.decision_id, old.action_digest, old.revision,
            old.request, old.approver_groups, old.quorum, old.expires_at) then
        raise exception 'An approval keeps what was asked' using errcode = 'check_violation';
    end if;
    return new;
end $$
"""

EPOCH_ONLY_RISES = """
create function countersign.owner_epoch_only_rises() returns trigger language plpgsql as $$
begin
    if new.owner_epoch < old.owner_epoch
        or (new.owner <> old.owner and new.owner_epoch = old.owner_epoch) then
        raise exception 'Another owner means a higher epoch' using errcode = 'check_violation';
    end if;
    return new;
end $$
"""

# One place for all advisory keys. A collision only waits.
TICKET_LOCK = """
create function countersign.ticket_lock(uuid, uuid) returns bigint language sql immutable
    as $$ select hashtextextended('ticket/' || $1 || '/' || $2, 0) $$
"""

SCOPE_LOCK = """
create function countersign.scope_lock(uuid, text) returns bigint language sql immutable
    as $$ select hashtextextended('scope/' || $1 || '/' || $2, 0) $$
"""

# Each lock is a statement of its own: lock and read in one statement reads the state before the wait.
# The advisory lock queues fairly, a row lock alone lets claimers starve a take-over; the row lock stops
# whoever forgets the advisory one. The ticket row is never updated here: two sharers would deadlock.
ENTER_FENCE = """
create function countersign.enter_fence(p_tenant uuid, p_ticket uuid, p_type text) returns void
    language plpgsql as $$
declare
    nowhere constant uuid := '00000000-0000-0000-0000-000000000000';
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'A claim must be READ COMMITTED' using errcode = 'invalid_transaction_state';
    end if;
    perform set_config('app.tenant_id', p_tenant::text, true);
    perform pg_advisory_xact_lock_shared(countersign.ticket_lock(p_tenant, p_ticket));
    perform pg_advisory_xact_lock_shared(countersign.scope_lock(nowhere, 'all'));
    perform pg_advisory_xact_lock_shared(countersign.scope_lock(nowhere, p_type));
    perform pg_advisory_xact_lock_shared(countersign.scope_lock(p_tenant, 'all'));
    perform pg_advisory_xact_lock_shared(countersign.scope_lock(p_tenant, p_type));
    perform 1 from countersign.tickets where tenant_id = p_tenant and id = p_ticket for share;
end $$
"""

APPROVAL_REFUSAL = """
create function countersign.approval_refusal(
    p_tenant uuid, p_key text, p_ticket uuid, p_digest text, p_decision text, p_approval text
) returns text language plpgsql as $$
declare
    asked record;
    approvers integer;
begin
    select ticket_id, decision_id, action_digest, approver_groups, quorum, status, seal, expires_at into asked
        from countersign.approvals where tenant_id = p_tenant and id = p_approval;
    if not found or asked.status <> 'approved' or asked.seal is null then
        return 'approval_missing';
    end if;
    if (asked.ticket_id, asked.decision_id, asked.action_digest) is distinct from (p_ticket, p_decision, p_digest) then
        return 'approval_differs';
    end if;
    if asked.expires_at <= clock_timestamp() then
        return 'approval_expired';
    end if;
    select count(*) into approvers
        from countersign.approval_votes vote
        join countersign.principals voter on voter.tenant_id = vote.tenant_id and voter.id = vote.principal_id
        where vote.tenant_id = p_tenant and vote.approval_id = p_approval and vote.kind = 'approve'
            and vote.action_digest = p_digest and voter.groups && asked.approver_groups;
    if approvers < asked.quorum then
        return 'approval_missing';
    end if;
    perform 1 from countersign.approval_uses
        where tenant_id = p_tenant and approval_id = p_approval and effect_id <> p_key;
    if found then
        return 'approval_used';
    end if;
    return null;
end $$
"""

EFFECT_REFUSAL = """
create function countersign.effect_refusal(
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
    if not found or decided not in ('allow', 'approval_needed') then
        return 'not_allowed';
    end if;
    if decided = 'approval_needed' or p_approval is not null then
        return countersign.approval_refusal(p_tenant, p_key, p_ticket, p_digest, p_decision, p_approval);
    end if;
    return null;
end $$
"""

CLAIM_EFFECT = """
create function countersign.claim_effect(
    p_tenant uuid, p_key text, p_ticket uuid, p_type text, p_digest text, p_decision text, p_approval text,
    p_epoch integer
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
    refused := countersign.effect_refusal(
        p_tenant, p_key, p_ticket, p_type, p_digest, p_decision, p_approval, p_epoch);
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
            claimed_at = case when refused is null then clock_timestamp() end,
            moved_at = clock_timestamp()
        where e.tenant_id = p_tenant and e.id = p_key
        returning e.state, e.digest, e.refusal, e.claimed_at, e.receipt_id, e.received_at, false;
    insert into countersign.audit_events (tenant_id, kind, content) values (p_tenant,
        case when refused is null then 'effect_claimed' else 'effect_withdrawn' end,
        jsonb_build_object('effect', p_key, 'decision', p_decision, 'approval', p_approval, 'refusal', refused));
end $$
"""

# `moved_at` of a claimed row is when a request may have left last: what is read back counts from then.
RECHECK_EFFECT = """
create function countersign.recheck_effect(
    p_tenant uuid, p_key text, p_ticket uuid, p_type text, p_digest text, p_decision text, p_approval text,
    p_epoch integer, p_sends boolean
) returns text language plpgsql as $$
declare
    refused text;
begin
    perform countersign.enter_fence(p_tenant, p_ticket, p_type);
    refused := countersign.effect_refusal(
        p_tenant, p_key, p_ticket, p_type, p_digest, p_decision, p_approval, p_epoch);
    if refused is null and p_sends then
        update countersign.effects set moved_at = clock_timestamp()
            where tenant_id = p_tenant and id = p_key and state = 'claimed';
    end if;
    return refused;
end $$
"""

RECORD_EFFECT = """
create function countersign.record_effect(
    p_tenant uuid, p_key text, p_state text, p_receipt text, p_received timestamptz, p_refusal text
) returns table (
    state text, digest text, refusal text, claimed_at timestamptz, receipt_id text, received_at timestamptz
) language plpgsql as $$
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    if p_state = 'claimed' then
        raise exception 'Only a claim claims' using errcode = 'check_violation';
    end if;
    update countersign.effects e set
            state = p_state,
            receipt_id = coalesce(p_receipt, e.receipt_id),
            received_at = coalesce(p_received, e.received_at),
            refusal = coalesce(p_refusal, e.refusal),
            moved_at = clock_timestamp()
        where e.tenant_id = p_tenant and e.id = p_key and e.state <> p_state;
    if found then
        insert into countersign.audit_events (tenant_id, kind, content) values (p_tenant, 'effect_' || p_state,
            jsonb_build_object('effect', p_key, 'receipt', p_receipt, 'refusal', p_refusal));
    end if;
    return query select e.state, e.digest, e.refusal, e.claimed_at, e.receipt_id, e.received_at
        from countersign.effects e where e.tenant_id = p_tenant and e.id = p_key;
end $$
"""

# FOR UPDATE would also block the foreign-key checks of new rows.
HAND_OVER_TICKET = """
create function countersign.hand_over_ticket(p_tenant uuid, p_ticket uuid, p_route text, p_reason text)
    returns integer language plpgsql as $$
declare
    held record;
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    perform pg_advisory_xact_lock(countersign.ticket_lock(p_tenant, p_ticket));
    insert into countersign.tickets (tenant_id, id, route) values (p_tenant, p_ticket, p_route)
        on conflict do nothing;
    select owner, owner_epoch into held from countersign.tickets
        where tenant_id = p_tenant and id = p_ticket for no key update;
    if held.owner = 'teammate' then
        return held.owner_epoch;
    end if;
    update countersign.tickets set owner = 'teammate', owner_epoch = held.owner_epoch + 1, stage = 'handed_over',
            reason = p_reason, updated_at = clock_timestamp()
        where tenant_id = p_tenant and id = p_ticket;
    insert into countersign.audit_events (tenant_id, kind, content) values (p_tenant, 'ticket_handed_over',
        jsonb_build_object('ticket', p_ticket, 'reason', p_reason, 'owner_epoch', held.owner_epoch + 1));
    return held.owner_epoch + 1;
end $$
"""

FREEZE_SCOPE = """
create function countersign.freeze_scope(p_tenant uuid, p_scope text, p_reason text) returns void
    language plpgsql as $$
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    perform pg_advisory_xact_lock(countersign.scope_lock(p_tenant, p_scope));
    insert into countersign.freezes (tenant_id, scope, reason) values (p_tenant, p_scope, p_reason)
        on conflict do nothing;
    insert into countersign.audit_events (tenant_id, kind, content)
        values (p_tenant, 'scope_frozen', jsonb_build_object('scope', p_scope, 'reason', p_reason));
end $$
"""

LIFT_FREEZE = """
create function countersign.lift_freeze(p_tenant uuid, p_scope text) returns void language plpgsql as $$
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    perform pg_advisory_xact_lock(countersign.scope_lock(p_tenant, p_scope));
    delete from countersign.freezes where tenant_id = p_tenant and scope = p_scope;
    insert into countersign.audit_events (tenant_id, kind, content)
        values (p_tenant, 'freeze_lifted', jsonb_build_object('scope', p_scope));
end $$
"""

FUNCTIONS = (
    REFUSE_CHANGE,
    EFFECT_ARROWS,
    APPROVALS_CLOSE_ONCE,
    EPOCH_ONLY_RISES,
    TICKET_LOCK,
    SCOPE_LOCK,
    ENTER_FENCE,
    APPROVAL_REFUSAL,
    EFFECT_REFUSAL,
    CLAIM_EFFECT,
    RECHECK_EFFECT,
    RECORD_EFFECT,
    HAND_OVER_TICKET,
    FREEZE_SCOPE,
    LIFT_FREEZE,
)

TRIGGERS = """
create trigger arrows before update on countersign.effects
    for each row execute function countersign.effects_move_along_arrows();

create trigger close_once before update on countersign.approvals
    for each row execute function countersign.approvals_close_once();

create trigger epoch before update of owner, owner_epoch on countersign.tickets
    for each row execute function countersign.owner_epoch_only_rises()
"""

RIGHTS = """
revoke all on all functions in schema countersign from public;

grant execute on function
    countersign.ticket_lock(uuid, uuid),
    countersign.scope_lock(uuid, text)
    to countersign_app, countersign_egress;

grant execute on function
    countersign.enter_fence(uuid, uuid, text),
    countersign.approval_refusal(uuid, text, uuid, text, text, text),
    countersign.effect_refusal(uuid, text, uuid, text, text, text, text, integer),
    countersign.claim_effect(uuid, text, uuid, text, text, text, text, integer),
    countersign.recheck_effect(uuid, text, uuid, text, text, text, text, integer, boolean),
    countersign.record_effect(uuid, text, text, text, timestamptz, text)
    to countersign_egress;

grant execute on function
    countersign.hand_over_ticket(uuid, uuid, text, text),
    countersign.freeze_scope(uuid, text, text),
    countersign.lift_freeze(uuid, text)
    to countersign_app
"""


def upgrade() -> None:
    """Functions, then the triggers that use them, then who may call what."""
    for function in FUNCTIONS:
        op.execute(function)
    for statement in f"{TRIGGERS};{RIGHTS}".split(";"):
        op.execute(statement)
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger unchanged before update or delete or truncate on countersign.{table}"
            " for each statement execute function countersign.rows_are_never_changed()"
        )


def downgrade() -> None:
    """Forward only: the fence is never taken away."""
    raise NotImplementedError
