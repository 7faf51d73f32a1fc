"""Counts what left: amounts, orders and customers of effects in columns, and the sums over windows."""

from alembic import op

revision = "count_what_left"
down_revision = "measure_tickets"
branch_labels = None
depends_on = None

BOUNDS = (
    "set local lock_timeout = '5s'",
    "set local statement_timeout = '300s'",
)

# Computed from what was proposed, so they cannot say anything else; earlier effects have theirs at once.
COLUMNS = """
alter table countersign.effects
    add column customer text,
    add column order_id text generated always as (proposed -> 'action' ->> 'order') stored,
    add column minor_units bigint generated always as
        ((proposed -> 'action' -> 'amount' ->> 'minor_units')::bigint) stored,
    add column currency text generated always as (proposed -> 'action' -> 'amount' ->> 'currency') stored
"""

INDEXES = (
    """
    create index effects_of_customer on countersign.effects (tenant_id, customer, type, claimed_at)
        where customer is not null
    """,
    """
    create index effects_of_order on countersign.effects (tenant_id, order_id, type, claimed_at)
        where order_id is not null
    """,
    """
    create index effects_by_type on countersign.effects (tenant_id, type, claimed_at)
        where claimed_at is not null
    """,
)

# What failed or was withdrawn has not left. What is not known, taken back or settled by a person counts.
COUNT_WHAT_LEFT = """
create function countersign.count_what_left(
    p_tenant uuid, p_windows jsonb, p_ticket uuid, p_proposed text[], p_key text
) returns table (place integer, currency text, effects bigint, minor_units bigint) language plpgsql as $$
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    return query
        with asked as (
            select w.place, w.action, w.per, w.subject, clock_timestamp() - make_interval(secs => w.within_s) as since
            from jsonb_to_recordset(p_windows) as w (
                place integer, action text, per text, within_s bigint, subject text)
        ), matching as (
            select a.place, e.* from asked a
                join countersign.effects e on e.tenant_id = p_tenant and e.type = a.action
                    and e.claimed_at > a.since
                where a.per = 'tenant'
            union all
            select a.place, e.* from asked a
                join countersign.effects e on e.tenant_id = p_tenant and e.customer = a.subject
                    and e.type = a.action and e.claimed_at > a.since
                where a.per = 'customer'
            union all
            select a.place, e.* from asked a
                join countersign.effects e on e.tenant_id = p_tenant and e.order_id = a.subject
                    and e.type = a.action and e.claimed_at > a.since
                where a.per = 'order'
            union all
            select a.place, e.* from asked a
                join countersign.effects e on e.tenant_id = p_tenant and e.ticket_id = a.subject::uuid
                    and e.type = a.action and e.claimed_at > a.since
                where a.per = 'ticket'
        )
        select m.place, m.currency, count(*), coalesce(sum(m.minor_units), 0)::bigint from matching m
            where m.state not in ('intended', 'withdrawn', 'failed') and m.id is distinct from p_key
                and not (m.ticket_id = p_ticket and m.digest = any (p_proposed))
            group by m.place, m.currency;
end $$
"""

RIGHTS = (
    "revoke all on function countersign.count_what_left(uuid, jsonb, uuid, text[], text) from public",
    """
    grant execute on function countersign.count_what_left(uuid, jsonb, uuid, text[], text)
        to countersign_app, countersign_egress
    """,
    "grant insert (customer) on countersign.effects to countersign_app",
)


def upgrade() -> None:
    """Columns, the indexes that windows are read by, the sums, and who may ask for them."""
    for statement in (*BOUNDS, COLUMNS, *INDEXES, COUNT_WHAT_LEFT, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    """Forward only, as every migration."""
    raise NotImplementedError
