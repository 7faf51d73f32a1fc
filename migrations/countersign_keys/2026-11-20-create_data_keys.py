"""Creates the key table: isolated, written once, destroyed for ever."""

from alembic import op

revision = "create_data_keys"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table countersign_keys.data_keys (
    tenant_id uuid not null,
    kind text not null,
    owner_id uuid not null,
    wrapped bytea,
    wrapped_by uuid,
    created_at timestamptz default now() not null,
    destroyed_at timestamptz,
    primary key (tenant_id, kind, owner_id)
)
"""

ISOLATION = """
alter table countersign_keys.data_keys enable row level security;

alter table countersign_keys.data_keys force row level security;

alter table countersign_keys.data_keys add constraint key_kind check (kind in ('tenant', 'door', 'ticket', 'delivery'));

alter table countersign_keys.data_keys add constraint key_or_tombstone check ((wrapped is null) = (destroyed_at is not null));

create policy tenant on countersign_keys.data_keys to countersign_key_app, countersign_keys_owner
    using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

create policy door_reads on countersign_keys.data_keys for select to countersign_key_door
    using (kind = 'door' and tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

create policy door_adds on countersign_keys.data_keys for insert to countersign_key_door
    with check (kind = 'delivery' and tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

grant usage on schema countersign_keys to countersign_key_door, countersign_key_app;

grant select, insert (tenant_id, kind, owner_id, wrapped, wrapped_by) on countersign_keys.data_keys
    to countersign_key_door, countersign_key_app;

grant update (wrapped, destroyed_at) on countersign_keys.data_keys to countersign_key_app
"""

KEYS_ARE_WRITTEN_ONCE = """
create function countersign_keys.keys_are_written_once() returns trigger language plpgsql as $$
begin
    if old.destroyed_at is not null then
        raise exception 'A destroyed key stays destroyed' using errcode = 'check_violation';
    end if;
    if new.wrapped is not null or new.destroyed_at is null
        or (new.tenant_id, new.kind, new.owner_id, new.wrapped_by, new.created_at)
            is distinct from (old.tenant_id, old.kind, old.owner_id, old.wrapped_by, old.created_at) then
        raise exception 'A key is written once and can only be destroyed' using errcode = 'check_violation';
    end if;
    return new;
end $$
"""

TRIGGERS = """
create trigger keys_are_written_once before update on countersign_keys.data_keys
    for each row execute function countersign_keys.keys_are_written_once();

revoke all on function countersign_keys.keys_are_written_once() from public
"""


def upgrade() -> None:
    """One statement after another; only the function holds semicolons of its own."""
    for statement in (*(TABLES + ";" + ISOLATION).split(";"), KEYS_ARE_WRITTEN_ONCE, *TRIGGERS.split(";")):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: a destroyed key table cannot be had back."""
    raise NotImplementedError
