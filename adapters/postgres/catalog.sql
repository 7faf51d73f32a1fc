-- Everything that keeps tenants and roles apart, one line each, for the self-check.
-- Works as the weakest role. Texts are the same on PostgreSQL 16 to 18.
with ours as (
    select oid, rolname, rolname::text as name from pg_roles where rolname like 'countersign\_%'
), spaces as (
    select oid, nspname, nspowner, nspacl from pg_namespace
    where nspname not like 'pg\_%' and nspname <> 'information_schema'
), things as (
    select c.oid, s.nspname || '.' || c.relname as name, c.relkind, c.relowner, c.relacl,
        c.relrowsecurity, c.relforcerowsecurity
    from pg_class c join spaces s on s.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
)
select 'role ' || name || ' super=' || r.rolsuper || ' inherit=' || r.rolinherit || ' createrole=' || r.rolcreaterole
    || ' createdb=' || r.rolcreatedb || ' replication=' || r.rolreplication || ' bypassrls=' || r.rolbypassrls as line
    from ours join pg_roles r using (oid)
union all
select 'member ' || m.member::regrole::text || ' of ' || m.roleid::regrole::text from pg_auth_members m
    where m.member in (select oid from ours) or m.roleid in (select oid from ours)
union all
select 'table ' || name || ' kind=' || relkind::text || ' owner=' || relowner::regrole::text
    || ' rls=' || relrowsecurity || ' forced=' || relforcerowsecurity from things
union all
select 'key ' || t.name || ' (' || string_agg(a.attname, ', ' order by k.place) || ')'
    from pg_index i join things t on t.oid = i.indrelid
    cross join unnest(i.indkey) with ordinality as k (number, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
    where i.indisprimary group by t.name
union all
select 'policy ' || t.name || ' ' || p.polname || ' permissive=' || p.polpermissive || ' for=' || p.polcmd::text
    || ' to=' || (select string_agg(coalesce(r.rolname, 'public'), ', ' order by r.rolname)
        from unnest(p.polroles) as role left join pg_roles r on r.oid = role)
    || ' using ' || coalesce(pg_get_expr(p.polqual, p.polrelid), '-')
    || ' check ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-')
    from pg_policy p join things t on t.oid = p.polrelid
union all
select 'trigger ' || t.name || ' ' || g.tgname || ' enabled=' || g.tgenabled::text || ' type=' || g.tgtype
    || ' calls ' || p.proname
    from pg_trigger g join things t on t.oid = g.tgrelid join pg_proc p on p.oid = g.tgfoid where not g.tgisinternal
union all
select 'function ' || s.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ') owner='
    || p.proowner::regrole::text || ' definer=' || p.prosecdef || ' settings=' || coalesce(array_to_string(p.proconfig, '; '), '-')
    || ' body=' || md5(p.prosrc)
    from pg_proc p join spaces s on s.oid = p.pronamespace
    where not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
union all
select 'grant ' || lower(g.privilege_type) || ' on ' || t.name || ' to ' || case g.grantee when 0 then 'public' else g.grantee::regrole::text end
    || case when g.is_grantable then ' grantable' else '' end
    from things t cross join aclexplode(t.relacl) g where g.grantee <> t.relowner
union all
select 'grant ' || lower(g.privilege_type) || ' on ' || t.name || ' ('
    || string_agg(a.attname, ', ' order by a.attname) || ') to ' || case g.grantee when 0 then 'public' else g.grantee::regrole::text end
    from pg_attribute a join things t on t.oid = a.attrelid cross join aclexplode(a.attacl) g
    where g.grantee <> t.relowner group by g.privilege_type, t.name, g.grantee
union all
select 'grant execute on ' || s.nspname || '.' || p.proname || ' to ' || case g.grantee when 0 then 'public' else g.grantee::regrole::text end
    from pg_proc p join spaces s on s.oid = p.pronamespace
    cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
    where g.grantee <> p.proowner and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
union all
select 'grant ' || lower(g.privilege_type) || ' on schema ' || s.nspname || ' to ' || case g.grantee when 0 then 'public' else g.grantee::regrole::text end
    from spaces s cross join aclexplode(coalesce(s.nspacl, acldefault('n', s.nspowner))) g where g.grantee <> s.nspowner
union all
select 'grant ' || lower(g.privilege_type) || ' on this database to ' || case g.grantee when 0 then 'public' else g.grantee::regrole::text end
    from pg_database d cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) g
    where d.datname = current_database() and g.grantee <> d.datdba
union all
select 'default privileges of ' || defaclrole::regrole::text || ' on ' || defaclobjtype::text from pg_default_acl
union all
select 'setting ' || coalesce(r.rolname, 'everyone') || ' ' || unnest(s.setconfig)
    from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
    where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
        and (s.setrole = 0 or s.setrole in (select oid from ours))
order by line
