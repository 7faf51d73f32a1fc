"""Keeps who published which policy for which level, and what the levels of a tenant were composed to.

The organisation's rows have the tenant of nobody, which every tenant may read and only the owner writes.
"""

from alembic import op

revision = "publish_policies"
down_revision = "count_what_left"
branch_labels = None
depends_on = None

OWN_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
ORGANISATION = "tenant_id = '00000000-0000-0000-0000-000000000000'::uuid"

COMPOSITIONS = """
set local lock_timeout = '5s';

set local statement_timeout = '60s';

create table countersign.policy_compositions (
    tenant_id uuid not null,
    id text not null,
    content text not null,
    composed_at timestamptz default now() not null,
    primary key (tenant_id, id)
)
"""

# Until now a version was the compiled policy of one file, and decisions name it. The owner sees rows of all
# tenants, to copy them and to check keys over them, until both tables are closed to it again below.
CARRY_OVER = """
alter table countersign.policy_versions no force row level security;

alter table countersign.policy_pointers no force row level security;

insert into countersign.policy_compositions (tenant_id, id, content, composed_at)
    select tenant_id, id, content, created_at from countersign.policy_versions
"""

# An author that is null is not known: an earlier release, or whoever operates the installation.
VERSIONS = """
alter table countersign.policy_versions rename column created_at to published_at;

alter table countersign.policy_versions
    add column level text not null default 'tenant',
    add column agent text not null default '',
    add column author text,
    add column reviewers text[] not null default '{}',
    add column reason text not null default '',
    add column replaces text,
    add column diff text not null default '',
    add column test_run jsonb;

alter table countersign.policy_versions alter column level drop default;

create unique index policy_versions_of_agent on countersign.policy_versions (tenant_id, agent, id);

alter table countersign.policy_pointers
    add column agent text not null default '',
    add column moved_by text,
    add column second text;

alter table countersign.policy_pointers drop constraint policy_pointers_tenant_id_version_id_fkey;

alter table countersign.policy_pointers drop constraint policy_pointers_pkey;

alter table countersign.policy_pointers add primary key (tenant_id, kind, agent);

alter table countersign.policy_pointers add foreign key (tenant_id, agent, version_id)
    references countersign.policy_versions (tenant_id, agent, id);

alter table countersign.policy_versions force row level security;

alter table countersign.policy_pointers force row level security
"""

LEVELS = f"""
alter table countersign.policy_versions add constraint policy_level check (
    level in ('organisation', 'tenant', 'agent')
    and (level = 'organisation') = ({ORGANISATION}) and (level = 'agent') = (agent <> ''))
"""

ISOLATION = f"""
alter table countersign.policy_compositions enable row level security;

alter table countersign.policy_compositions force row level security;

create policy tenant on countersign.policy_compositions using ({OWN_TENANT}) with check ({OWN_TENANT});

create policy organisation on countersign.policy_versions for select using ({ORGANISATION});

create policy organisation on countersign.policy_pointers for select using ({ORGANISATION});

create trigger unchanged before update or delete or truncate on countersign.policy_compositions
    for each statement execute function countersign.rows_are_never_changed()
"""

# A trigger and no check: rows of the first release have other names, and stay.
NAMED_BY_CONTENT = """
create function countersign.policy_is_named_by_content() returns trigger language plpgsql as $$
begin
    if new.id <> 'sha256:' || encode(sha256(convert_to(new.content, 'UTF8')), 'hex') then
        raise exception 'a policy is named by its content' using errcode = 'check_violation';
    end if;
    return new;
end $$
"""

TELL = """
create function countersign.tell_policy_moved() returns trigger language plpgsql as $$
begin
    perform pg_notify('countersign_policy_moved', coalesce(new.tenant_id, old.tenant_id)::text);
    return null;
end $$
"""

RIGHTS = """
create trigger told after insert or update or delete on countersign.policy_pointers
    for each row execute function countersign.tell_policy_moved();

create trigger named before insert on countersign.policy_versions
    for each row execute function countersign.policy_is_named_by_content();

create trigger named before insert on countersign.policy_compositions
    for each row execute function countersign.policy_is_named_by_content();

revoke all on function countersign.tell_policy_moved(), countersign.policy_is_named_by_content() from public;

grant select, insert (tenant_id, id, content) on countersign.policy_compositions to countersign_app
"""


def upgrade() -> None:
    """What decisions name is kept first, under the name that they have for it."""
    for statements in (COMPOSITIONS, CARRY_OVER, VERSIONS, LEVELS, ISOLATION):
        _each(statements)
    op.execute(NAMED_BY_CONTENT)
    op.execute(TELL)
    _each(RIGHTS)


def _each(statements: str) -> None:
    for statement in statements.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only: a published policy is never forgotten."""
    raise NotImplementedError
