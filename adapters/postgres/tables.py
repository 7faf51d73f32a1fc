"""Every table, for queries and for `alembic check`. Grants, policies and triggers live in `migrations/`."""

from sqlalchemy import (
    BigInteger,
    Column,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

SCHEMA = "countersign"
KEYS_SCHEMA = "countersign_keys"

main = MetaData(schema=SCHEMA)
keys = MetaData(schema=KEYS_SCHEMA)

NOW = text("now()")
NO_CODES = text("'{}'::text[]")


def _tenant() -> Column[object]:
    return Column("tenant_id", Uuid, primary_key=True, nullable=False)


def _uuid_key() -> Column[object]:
    return Column("id", Uuid, primary_key=True, nullable=False, server_default=text("gen_random_uuid()"))


def _text_key(name: str = "id") -> Column[object]:
    return Column(name, Text, primary_key=True, nullable=False)


def _required(name: str, default: str | None = None) -> Column[object]:
    return Column(name, Text, nullable=False, server_default=default)


def _count(name: str, default: str = "0") -> Column[object]:
    return Column(name, Integer, nullable=False, server_default=text(default))


def _at(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=NOW)


def _maybe_at(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _codes(name: str) -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False, server_default=NO_CODES)


def _sealed(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, LargeBinary, nullable=nullable)


def _document(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False)


# --- who is who -----------------------------------------------------------------------------------

directory = Table(
    "directory",
    main,
    _text_key("kind"),
    Column("key_digest", LargeBinary, primary_key=True, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
)

tenants = Table(
    "tenants",
    main,
    _tenant(),
    _required("name"),
    _required("mode"),  # of the configuration, where the claim can read it
    _document("configuration"),
    _count("version", "1"),
    _sealed("routing_secret"),  # with the door key
    _at("created_at"),
    _at("updated_at"),
)

principals = Table(
    "principals",
    main,
    _tenant(),
    _text_key(),
    _required("slack_team_id"),
    _required("slack_user_id"),
    _sealed("name"),
    _codes("groups"),
    _codes("roles"),
    UniqueConstraint("tenant_id", "slack_team_id", "slack_user_id"),
)

helpdesk_connections = Table(
    "helpdesk_connections",
    main,
    _tenant(),
    _text_key("source"),
    _required("base_url"),
    _sealed("api_token"),
    _sealed("webhook_secrets"),  # a JSON list, with the door key
    _sealed("hook_digest"),  # of the directory entry, to be removed when the slug changes
)

slack_installations = Table(
    "slack_installations",
    main,
    _tenant(),
    _text_key("team_id"),
    _required("channel_id"),
    _sealed("bot_token"),
)

provider_connections = Table(
    "provider_connections",
    main,
    _tenant(),
    _text_key("kind"),
    _required("base_url"),
    _sealed("token"),
)

api_tokens = Table(
    "api_tokens",
    main,
    _tenant(),
    _uuid_key(),
    Column("principal_id", Text, nullable=False),
    Column("token_digest", LargeBinary, nullable=False),
    _codes("roles"),
    _at("created_at"),
    _maybe_at("revoked_at"),
)

# --- what arrives -----------------------------------------------------------------------------------

inbox = Table(
    "inbox",
    main,
    _tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    _required("kind"),
    _required("source"),
    Column("route", Text),
    _required("delivery_key"),
    _sealed("body"),
    _required("state", "pending"),
    _count("attempts"),
    _at("not_before"),
    _at("received_at"),
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
)

tickets = Table(
    "tickets",
    main,
    _tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    _required("route"),
    Column("source", Text),
    _sealed("external_id", nullable=True),
    _required("stage", "fetching"),
    _required("owner", "automation"),
    _count("owner_epoch"),
    Column("outcome", Text),
    Column("reason", Text),
    _count("turns"),
    # Means nothing: a right to update one column is what lets the claim share-lock the row.
    Column("fence", SmallInteger, nullable=False, server_default=text("0")),
    _at("opened_at"),
    _at("updated_at"),
    Index("tickets_newest", "tenant_id", "updated_at"),
)

answered_messages = Table(
    "answered_messages",
    main,
    _tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    _text_key("message"),
    _count("turn"),
)

vault = Table(
    "vault",
    main,
    _tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    _text_key("name"),
    _sealed("value"),
)

artifacts = Table(
    "artifacts",
    main,
    _tenant(),
    Column("ticket_id", Uuid, primary_key=True, nullable=False),
    _text_key(),
    _sealed("body", nullable=True),  # None once it has expired
    _maybe_at("expires_at"),
    _at("created_at"),
    Index("artifacts_expiring", "tenant_id", "expires_at", postgresql_where=text("body is not null")),
)

# --- what is known -----------------------------------------------------------------------------------

articles = Table(
    "articles",
    main,
    _tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    _required("zone"),
    _count("version", "1"),
    _required("title"),
    _required("content_digest"),
)

passages = Table(
    "passages",
    main,
    _tenant(),
    Column("id", Uuid, primary_key=True, nullable=False),
    Column("article_id", Uuid, nullable=False),
    _count("version", "1"),
    _required("zone"),
    _required("title"),
    _required("body"),
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
    _tenant(),
    _text_key(),
    _required("content"),  # canonical JSON, byte for byte what the digest was made from
    _at("created_at"),
)

policy_pointers = Table(
    "policy_pointers",
    main,
    _tenant(),
    _text_key("kind"),
    _required("version_id"),
    _at("moved_at"),
    ForeignKeyConstraint(
        ["tenant_id", "version_id"], [f"{SCHEMA}.policy_versions.tenant_id", f"{SCHEMA}.policy_versions.id"]
    ),
)

decisions = Table(
    "decisions",
    main,
    _tenant(),
    _text_key(),
    Column("ticket_id", Uuid, nullable=False),
    _count("turn"),
    _required("action_type"),
    _required("action_digest"),
    _required("verdict"),
    _required("policy_version"),
    _required("input_digest"),
    _document("input"),
    _document("reasons"),
    Column("obligations", JSONB(none_as_null=True)),
    _codes("messages"),
    Column("latency_us", BigInteger, nullable=False),
    _at("decided_at"),
    Index("decisions_of_ticket", "tenant_id", "ticket_id", "decided_at"),
)

approvals = Table(
    "approvals",
    main,
    _tenant(),
    _text_key(),
    Column("ticket_id", Uuid, nullable=False),
    _required("decision_id"),
    _required("action_digest"),
    _count("revision", "1"),
    _document("request"),
    _codes("approver_groups"),
    _count("quorum", "1"),
    _required("status", "pending"),
    Column("seal", Text),  # digest of what was shown, who voted and when; set when approved
    _at("requested_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _maybe_at("closed_at"),
    Index("approvals_of_ticket", "tenant_id", "ticket_id"),
)

approval_votes = Table(
    "approval_votes",
    main,
    _tenant(),
    _text_key("approval_id"),
    _text_key("principal_id"),
    _required("kind"),
    _count("revision", "1"),
    _required("action_digest"),
    _codes("groups"),
    Column("eligible_as_of", DateTime(timezone=True), nullable=False),
    Column("reason", Text),  # an artifact
    _at("cast_at"),
    ForeignKeyConstraint(
        ["tenant_id", "approval_id"], [f"{SCHEMA}.approvals.tenant_id", f"{SCHEMA}.approvals.id"]
    ),
)

approval_refusals = Table(
    "approval_refusals",
    main,
    _tenant(),
    _uuid_key(),
    _required("approval_id"),
    _required("principal_id"),
    _required("why"),
    _at("refused_at"),
    Index("refusals_of_approval", "tenant_id", "approval_id"),
)

approval_uses = Table(
    "approval_uses",
    main,
    _tenant(),
    _text_key("approval_id"),
    _required("effect_id"),
    _at("used_at"),
)

# --- what leaves -----------------------------------------------------------------------------------

effects = Table(
    "effects",
    main,
    _tenant(),
    _text_key(),
    Column("ticket_id", Uuid, nullable=False),
    _required("type"),
    _required("digest"),
    _document("proposed"),
    _required("decision_id"),
    Column("approval_id", Text),
    _count("owner_epoch"),
    _count("turn"),
    _required("state", "intended"),
    Column("refusal", Text),
    Column("receipt_id", Text),
    _maybe_at("received_at"),
    _at("intended_at"),
    _maybe_at("claimed_at"),
    _maybe_at("moved_at"),
    Index("effects_of_ticket", "tenant_id", "ticket_id"),
)

freezes = Table(
    "freezes",
    main,
    _tenant(),  # the nil id freezes every tenant
    _text_key("scope"),
    _required("reason"),
    _at("frozen_at"),
)

audit_events = Table(
    "audit_events",
    main,
    _tenant(),
    _uuid_key(),
    _required("kind"),
    _document("content"),
    _at("at"),
)

# --- the key database -----------------------------------------------------------------------------------

data_keys = Table(
    "data_keys",
    keys,
    _tenant(),
    _text_key("kind"),
    Column("owner_id", Uuid, primary_key=True, nullable=False),
    _sealed("wrapped", nullable=True),
    Column("wrapped_by", Uuid),
    _at("created_at"),
    _maybe_at("destroyed_at"),
)
