"""Every table, for queries and for `alembic check`. Grants, policies and triggers live in `migrations/`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from adapters.postgres.columns import (
    at,
    codes,
    count,
    document,
    maybe_at,
    required,
    sealed,
    tenant,
    text_key,
    uuid_key,
)

SCHEMA = "countersign"
KEYS_SCHEMA = "countersign_keys"

main = MetaData(schema=SCHEMA)
keys = MetaData(schema=KEYS_SCHEMA)

MINOR_UNITS = "((proposed -> 'action' -> 'amount' ->> 'minor_units'))::bigint"
PROMISE = "((configuration #>> '{settings,acknowledge_within_s}'::text[]))::integer"

# --- who is who -----------------------------------------------------------------------------------

directory = Table(
    "directory",
    main,
    text_key("kind"),
    Column("key_digest", LargeBinary, primary_key=True, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
)

tenants = Table(
    "tenants",
    main,
    tenant(),
    required("name"),
    required("mode"),  # of the configuration, where the claim can read it
    document("configuration"),
    count("version", "1"),
    sealed("routing_secret"),  # with the door key
    at("created_at"),
    at("updated_at"),
    # Of the configuration, where the door can read it.
    Column("acknowledge_within_s", Integer, Computed(PROMISE, persisted=True)),
)

principals = Table(
    "principals",
    main,
    tenant(),
    text_key(),
    required("slack_team_id"),
    required("slack_user_id"),
    sealed("name"),
    codes("groups"),
    codes("roles"),
    sealed("shown_name", nullable=True),  # the same with the door key, for pages
    UniqueConstraint("tenant_id", "slack_team_id", "slack_user_id"),
)

helpdesk_connections = Table(
    "helpdesk_connections",
    main,
    tenant(),
    text_key("source"),
    required("base_url"),
    sealed("api_token"),
    sealed("webhook_secrets"),  # a JSON list, with the door key
    sealed("hook_digest"),  # of the directory entry, to be removed when the slug changes
    Column("ticket_url", Text),  # where people open a ticket, with {number} in it
)

slack_installations = Table(
    "slack_installations",
    main,
    tenant(),
    text_key("team_id"),
    required("channel_id"),
    sealed("bot_token"),
)

provider_connections = Table(
    "provider_connections",
    main,
    tenant(),
    text_key("kind"),
    required("base_url"),
    sealed("token"),
)

api_tokens = Table(
    "api_tokens",
    main,
    tenant(),
    uuid_key(),
    Column("principal_id", Text, nullable=False),
    Column("token_digest", LargeBinary, nullable=False),
    codes("roles"),
    at("created_at"),
    maybe_at("revoked_at"),
)

# Secrets of sessions and links are random, so a plain digest gives nothing away.
sessions = Table(
    "sessions",
    main,
    tenant(),
    Column("secret_digest", LargeBinary, primary_key=True, nullable=False),
    required("principal_id"),
    Column("token_id", Uuid),  # None: opened with a link
    at("created_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    maybe_at("ended_at"),
)

login_links = Table(
    "login_links",
    main,
    tenant(),
    Column("secret_digest", LargeBinary, primary_key=True, nullable=False),
    required("principal_id"),
    at("created_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    maybe_at("used_at"),
)

# --- what arrives -----------------------------------------------------------------------------------

inbox = Table(
    "inbox",
    main,
    tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    required("kind"),
    required("source"),
    Column("route", Text),
    required("delivery_key"),
    sealed("body"),
    required("state", "pending"),
    count("attempts"),
    at("not_before"),
    at("received_at"),
    Column("traceparent", Text),
    UniqueConstraint("tenant_id", "kind", "source", "delivery_key"),
    Index(
        "inbox_pending",
        "tenant_id",
        "not_before",
        "id",
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "inbox_unconsumed",
        "tenant_id",
        "route",
        "received_at",
        postgresql_where=text("state in ('pending', 'dispatched')"),
    ),
    Index(
        "inbox_of_route",
        "tenant_id",
        "route",
        "received_at",
        postgresql_where=text("kind = 'helpdesk' and route is not null"),
    ),
)

tickets = Table(
    "tickets",
    main,
    tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    required("route"),
    Column("source", Text),
    sealed("external_id", nullable=True),
    required("stage", "fetching"),
    required("owner", "automation"),
    count("owner_epoch"),
    Column("outcome", Text),
    Column("reason", Text),
    count("turns"),
    # Means nothing: a right to update one column is what lets the claim share-lock the row.
    Column("fence", SmallInteger, nullable=False, server_default=text("0")),
    at("opened_at"),
    at("updated_at"),
    Column("held_by", Text),  # the principal who took it over
    sealed("number", nullable=True),  # the helpdesk's id again, with a key of its own that the door may read
    Index("tickets_newest", "tenant_id", "updated_at"),
)

answered_messages = Table(
    "answered_messages",
    main,
    tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    text_key("message"),
    count("turn"),
)

vault = Table(
    "vault",
    main,
    tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    text_key("name"),
    sealed("value"),
)

artifacts = Table(
    "artifacts",
    main,
    tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    text_key(),
    sealed("body", nullable=True),  # None once it has expired
    maybe_at("expires_at"),
    at("created_at"),
    Index("artifacts_expiring", "tenant_id", "expires_at", postgresql_where=text("body is not null")),
)

# --- what is known -----------------------------------------------------------------------------------

articles = Table(
    "articles",
    main,
    tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    required("zone"),
    count("version", "1"),
    required("title"),
    required("content_digest"),
)

passages = Table(
    "passages",
    main,
    tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    Column("article_id", Uuid, nullable=False),
    count("version", "1"),
    required("zone"),
    required("title"),
    required("body"),
    # No GIN index: under row-level security `@@` is not leakproof, so one would never be used.
    Column("terms", TSVECTOR, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "article_id"], [f"{SCHEMA}.articles.tenant_id", f"{SCHEMA}.articles.id"]
    ),
    Index("passages_of_article", "tenant_id", "article_id"),
)

# --- what is decided -----------------------------------------------------------------------------------

policy_versions = Table(
    "policy_versions",
    main,
    tenant(),  # nobody's, for the organisation
    text_key(),
    required("content"),  # canonical JSON, byte for byte what the digest was made from
    at("published_at"),
    required("level"),
    required("agent", ""),
    Column("author", Text),  # None: not known
    codes("reviewers"),
    required("reason", ""),
    Column("replaces", Text),
    required("diff", ""),
    Column("test_run", JSONB),
    Index("policy_versions_of_agent", "tenant_id", "agent", "id", unique=True),
)

policy_pointers = Table(
    "policy_pointers",
    main,
    tenant(),
    text_key("kind"),
    required("version_id"),
    at("moved_at"),
    Column("agent", Text, primary_key=True, nullable=False, server_default=""),
    Column("moved_by", Text),
    Column("second", Text),
    ForeignKeyConstraint(
        ["tenant_id", "agent", "version_id"],
        [f"{SCHEMA}.policy_versions.{name}" for name in ("tenant_id", "agent", "id")],
    ),
)

# What levels of policy come to; decisions name it.
policy_compositions = Table(
    "policy_compositions",
    main,
    tenant(),
    text_key(),
    required("content"),
    at("composed_at"),
)

decisions = Table(
    "decisions",
    main,
    tenant(),
    text_key(),
    Column("ticket_id", Uuid, nullable=False),
    count("turn"),
    required("action_type"),
    required("action_digest"),
    required("verdict"),
    required("policy_version"),
    required("input_digest"),
    document("input"),
    document("reasons"),
    Column("obligations", JSONB(none_as_null=True)),
    codes("messages"),
    Column("latency_us", BigInteger, nullable=False),
    at("decided_at"),
    Column("rules_considered", Integer),  # None: decided before it was kept
    Column("effect_id", Text),  # that was about to leave; None: about a plan
    Index("decisions_of_ticket", "tenant_id", "ticket_id", "decided_at"),
)

approvals = Table(
    "approvals",
    main,
    tenant(),
    text_key(),
    Column("ticket_id", Uuid, nullable=False),
    required("decision_id"),
    required("action_digest"),
    count("revision", "1"),
    document("request"),
    codes("approver_groups"),
    count("quorum", "1"),
    required("status", "pending"),
    Column("seal", Text),  # digest of what was shown, who voted and when; set when approved
    at("requested_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    maybe_at("closed_at"),
    Index("approvals_of_ticket", "tenant_id", "ticket_id"),
    Index("approvals_pending", "tenant_id", "expires_at", postgresql_where=text("status = 'pending'")),
)

approval_votes = Table(
    "approval_votes",
    main,
    tenant(),
    text_key("approval_id"),
    text_key("principal_id"),
    required("kind"),
    count("revision", "1"),
    required("action_digest"),
    codes("groups"),
    Column("eligible_as_of", DateTime(timezone=True), nullable=False),
    Column("reason", Text),  # an artifact
    at("cast_at"),
    ForeignKeyConstraint(
        ["tenant_id", "approval_id"], [f"{SCHEMA}.approvals.tenant_id", f"{SCHEMA}.approvals.id"]
    ),
)

approval_refusals = Table(
    "approval_refusals",
    main,
    tenant(),
    uuid_key(),
    required("approval_id"),
    required("principal_id"),
    required("why"),
    at("refused_at"),
    Index("refusals_of_approval", "tenant_id", "approval_id"),
)

approval_uses = Table(
    "approval_uses",
    main,
    tenant(),
    text_key("approval_id"),
    required("effect_id"),
    at("used_at"),
)

# --- what leaves -----------------------------------------------------------------------------------

effects = Table(
    "effects",
    main,
    tenant(),
    text_key(),
    Column("ticket_id", Uuid, nullable=False),
    required("type"),
    required("digest"),
    document("proposed"),
    required("decision_id"),
    Column("approval_id", Text),
    count("owner_epoch"),
    count("turn"),
    required("state", "intended"),
    Column("refusal", Text),
    Column("receipt_id", Text),
    maybe_at("received_at"),
    at("intended_at"),
    maybe_at("claimed_at"),
    maybe_at("moved_at"),
    Column("let_out_by", Text),  # the last decision about it
    Column("customer", Text),  # None: not certain whose it is
    Column("order_id", Text, Computed("proposed -> 'action' ->> 'order'", persisted=True)),
    Column("minor_units", BigInteger, Computed(MINOR_UNITS, persisted=True)),
    Column("currency", Text, Computed("proposed -> 'action' -> 'amount' ->> 'currency'", persisted=True)),
    Index("effects_of_ticket", "tenant_id", "ticket_id"),
    Index(
        "effects_of_customer",
        "tenant_id",
        "customer",
        "type",
        "claimed_at",
        postgresql_where=text("customer is not null"),
    ),
    Index(
        "effects_of_order",
        "tenant_id",
        "order_id",
        "type",
        "claimed_at",
        postgresql_where=text("order_id is not null"),
    ),
    Index(
        "effects_by_type",
        "tenant_id",
        "type",
        "claimed_at",
        postgresql_where=text("claimed_at is not null"),
    ),
    Index("effects_claimed", "moved_at", postgresql_where=text("state = 'claimed'")),
    Index("effects_unknown", "tenant_id", "ticket_id", postgresql_where=text("state = 'unknown'")),
)

freezes = Table(
    "freezes",
    main,
    tenant(),  # the nil id freezes every tenant
    text_key("scope"),
    required("reason"),
    at("frozen_at"),
)

audit_events = Table(
    "audit_events",
    main,
    tenant(),
    uuid_key(),
    required("kind"),
    document("content"),
    at("at"),
)

archived_runs = Table(
    "archived_runs",
    main,
    tenant(),
    text_key("workflow_id"),
    Column("run_id", Uuid, primary_key=True, nullable=False),
    Column("ticket_id", Uuid, nullable=False),
    required("kind"),
    required("status"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
    Column("events", Integer, nullable=False),
    Column("digest", Text),  # of the history as text; None where the ticket was erased before
    Column("artifact", Text),
    at("archived_at"),
    Index("archived_runs_of_ticket", "tenant_id", "ticket_id", "started_at"),
)

audit_pending = Table(
    "audit_pending",
    main,
    tenant(),
    Column("event_id", Uuid, primary_key=True, nullable=False),
    at("at"),
    Index("audit_pending_oldest", "tenant_id", "at", "event_id"),
)

audit_links = Table(
    "audit_links",
    main,
    tenant(),
    Column("sequence", BigInteger, primary_key=True, nullable=False, autoincrement=False),
    Column("event_id", Uuid, nullable=False),
    required("event_digest"),
    required("previous"),
    required("link"),
    UniqueConstraint("tenant_id", "event_id"),
)

audit_heads = Table(
    "audit_heads",
    main,
    tenant(),
    Column("register", BigInteger, primary_key=True, nullable=False, autoincrement=False),  # of all tenants
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    required("link"),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    required("previous"),  # the register's entry before this one
    required("after"),  # the stream of that entry, as a digest
    required("key_id"),
    required("entry"),
    required("signature"),
    UniqueConstraint("register"),
)

# --- what is measured -----------------------------------------------------------------------------------

# A trigger writes it: an outcome that changes leaves a line.
ticket_outcomes = Table(
    "ticket_outcomes",
    main,
    tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    Column("sequence", Integer, primary_key=True, nullable=False, autoincrement=False),
    Column("outcome", Text),
    Column("previous", Text),
    Column("reason", Text),
    count("turns"),
    at("at"),
)

ticket_measures = Table(
    "ticket_measures",
    main,
    tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    Column("turn", Integer, primary_key=True, nullable=False, autoincrement=False),
    maybe_at("received_at"),
    maybe_at("first_reply_at"),
    at("settled_at"),
    Column("waited_for_people_ms", BigInteger),  # None: nobody was asked
    Column("approved_unchanged", Boolean),  # None: nobody has answered
    Column("decided_in_ms", BigInteger),
    Column("handoff_reason", Text),
)

handoff_judgements = Table(
    "handoff_judgements",
    main,
    tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    Column("sequence", Integer, primary_key=True, nullable=False, autoincrement=False),
    required("principal_id"),
    required("verdict"),
    at("at"),
)

labelled_edits = Table(
    "labelled_edits",
    main,
    tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    text_key("message"),
    Column("turn", Integer, nullable=False),
    required("draft"),  # artifacts, as the edited one is
    required("edited"),
    Column("distance_permille", Integer, nullable=False),
    Column("policy_version", Text),
    Column("drafter", Text),
    at("at"),
)

# --- what is tried -----------------------------------------------------------------------------------

# One row a batch: decisions that a candidate was put to after they were made, and what came of it.
candidate_observations = Table(
    "candidate_observations",
    main,
    tenant(),
    uuid_key(),
    required("candidate"),
    codes("files"),  # versions of the files that the candidate is made of
    count("decisions"),
    count("different"),
    count("unknown"),
    count("failed"),
    count("dropped"),  # there were more than could wait
    Column("began_at", DateTime(timezone=True), nullable=False),
    at("ended_at"),
    Index("observations_of_candidate", "tenant_id", "candidate"),
)

candidate_differences = Table(
    "candidate_differences",
    main,
    tenant(),
    text_key("candidate"),
    text_key("decision_id"),
    codes("files"),
    required("active"),
    Column("ticket_id", Uuid, nullable=False),
    required("action_type"),
    required("verdict"),
    required("candidate_verdict"),
    codes("rules"),  # that decide in one of both only
    codes("must_hold"),
    document("reasons"),
    Column("obligations", JSONB(none_as_null=True)),
    at("at"),
    ForeignKeyConstraint(
        ["tenant_id", "decision_id"], [f"{SCHEMA}.decisions.tenant_id", f"{SCHEMA}.decisions.id"]
    ),
    Index("differences_of_decision", "tenant_id", "decision_id"),
)

# --- the key database -----------------------------------------------------------------------------------

data_keys = Table(
    "data_keys",
    keys,
    tenant(),
    text_key("kind"),
    Column("owner_id", Uuid, primary_key=True, nullable=False),
    sealed("wrapped", nullable=True),
    Column("wrapped_by", Uuid),
    at("created_at"),
    maybe_at("destroyed_at"),
    Index("tenant_keys_by_id", "owner_id", unique=True, postgresql_where=text("kind = 'tenant'")),
)
