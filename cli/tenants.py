"""Adds a tenant, or brings it to what its file says. `countersign tenant add` and the demo call it."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from adapters.policy.bundle import Bundle
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.postgres.articles import ArticleEntry, ArticleShelf
from adapters.postgres.policy_moves import MoverMissing, Movers, PolicyMoves, SecondPersonNeeded
from adapters.postgres.policy_register import Place, PolicyRegister, Publication
from adapters.postgres.session import Database
from adapters.postgres.tenant_registry import (
    HelpdeskEntry,
    PrincipalEntry,
    ProviderEntry,
    SlackEntry,
    TenantRegistry,
)
from adapters.triage.taxonomy import starter_taxonomy
from cli.article_files import read_articles
from cli.tenant_file import (
    TenantFile,
    TenantFileRefused,
    checked_name,
    read_taxonomy,
    read_tenant_file,
    read_text,
)
from domain.decision import Obligations
from domain.errors import BundleRefused
from domain.model import Code
from domain.ports import TenantConfiguration
from domain.triage import Taxonomy

STARTER = "starter"


@dataclass(frozen=True)
class TenantSpec:
    """Everything about a tenant, read and checked, with nothing written yet."""

    name: Code
    file: TenantFile
    taxonomy: Taxonomy
    policy: Bundle
    articles: tuple[ArticleEntry, ...]

    def configuration(self, tenant_id: UUID) -> TenantConfiguration:
        """What the steps of a ticket read."""
        return TenantConfiguration(
            tenant_id=tenant_id,
            name=self.name,
            settings=self.file.settings,
            taxonomy=self.taxonomy,
            playbooks=self.file.playbooks,
            greeting=self.file.greeting,
            acknowledgement=self.file.acknowledgement,
            signature=self.file.signature or f"Kind regards\n{self.file.title}",
        )


@dataclass(frozen=True)
class PolicyStores:
    """Where policies are published and moved, as `owner`."""

    register: PolicyRegister
    moves: PolicyMoves


@dataclass(frozen=True)
class TenantStores:
    """Where a tenant is written to, all as `owner`."""

    registry: TenantRegistry
    articles: ArticleShelf
    policies: PolicyStores


def policy_stores(owner: Database) -> PolicyStores:
    """Of one database."""
    return PolicyStores(PolicyRegister(owner), PolicyMoves(owner))


@dataclass(frozen=True)
class Added:
    """What was made."""

    tenant_id: UUID
    is_new: bool
    hook_path: str
    articles_changed: int
    policy_changed: bool
    policy_waits: bool = False  # it takes people who were not named, and what was in force stays


def read_tenant(name: str, path: Path, fill: dict[str, str] | None = None) -> TenantSpec:
    """Reads the file and all that it names. Raises `TenantFileRefused`, `TenantNameRefused`."""
    file = read_tenant_file(path, fill)
    beside = path.parent
    taxonomy = starter_taxonomy() if file.taxonomy == STARTER else read_taxonomy(beside / file.taxonomy)
    _check_playbooks(path, file, taxonomy)
    policy = read_policy(beside / file.policy, path)
    _check_approvers(path, file, policy)
    return TenantSpec(checked_name(name), file, taxonomy, policy, read_articles(beside / file.articles, path))


def read_policy(path: Path, named_by: Path) -> Bundle:
    """A policy file. Raises `TenantFileRefused` with the line that is wrong."""
    try:
        return parse(read_text(path, named_by, "policy"))
    except BundleRefused as refused:
        raise TenantFileRefused(path, "", str(refused)) from None


async def add_tenant(stores: TenantStores, spec: TenantSpec, movers: Movers) -> Added:
    """Repeating is safe: what is there already is brought to what the file says.

    But a policy in force is replaced only by people, `movers`, as `PolicyMoves` asks.
    """
    known = await stores.registry.find(spec.name)
    tenant_id = known or uuid4()
    await stores.registry.put_tenant(spec.configuration(tenant_id))
    await _connect(stores.registry, tenant_id, spec)
    await _staff(stores.registry, tenant_id, spec)
    articles_changed = await stores.articles.put(tenant_id, spec.articles)
    publication = Publication(reason="From the tenant file")
    try:
        moved, waits = await put_policy(stores.policies, tenant_id, spec.policy, publication, movers), False
    except (MoverMissing, SecondPersonNeeded):
        moved, waits = False, True
    return Added(
        tenant_id=tenant_id,
        is_new=known is None,
        hook_path=f"/hooks/{spec.name}/{spec.file.helpdesk.source}/{spec.file.helpdesk.slug}",
        articles_changed=articles_changed,
        policy_changed=moved,
        policy_waits=waits,
    )


async def put_policy(
    policies: PolicyStores, tenant_id: UUID, policy: Bundle, publication: Publication, movers: Movers
) -> bool:
    """Publishes and switches on; whether anything changed. Raises what `PolicyMoves.activate` raises."""
    file, place = published(policy), Place(tenant_id)
    if await policies.register.active(place) == file.version:
        return False
    await policies.register.publish(place, file, publication)
    return (await policies.moves.activate(place, file.version, movers)).changed


async def _connect(registry: TenantRegistry, tenant_id: UUID, spec: TenantSpec) -> None:
    file = spec.file
    await registry.put_helpdesk(tenant_id, spec.name, HelpdeskEntry(**dict(file.helpdesk)))
    await registry.put_shop(tenant_id, ProviderEntry(**dict(file.shop)))
    payments = ProviderEntry(base_url=file.payments.base_url, token=file.payments.secret_key)
    await registry.put_payments(tenant_id, payments)
    await registry.put_slack(tenant_id, SlackEntry(**dict(file.slack)))


async def _staff(registry: TenantRegistry, tenant_id: UUID, spec: TenantSpec) -> None:
    staying = []
    for teammate in spec.file.teammates:
        entry = PrincipalEntry(slack_team_id=spec.file.slack.team_id, **teammate.model_dump())
        staying.append(await registry.put_principal(tenant_id, entry))
    await registry.retire_others(tenant_id, staying)


def _check_playbooks(path: Path, file: TenantFile, taxonomy: Taxonomy) -> None:
    intents = {intent.intent for intent in taxonomy.intents}
    for number, playbook in enumerate(file.playbooks):
        if playbook.intent not in intents:
            remedy = f"No such intent in the taxonomy. Choose one of {', '.join(sorted(intents))}"
            raise TenantFileRefused(path, f"playbooks.{number}.intent", remedy)


def _check_approvers(path: Path, file: TenantFile, policy: Bundle) -> None:
    groups = {group for teammate in file.teammates for group in teammate.groups}
    for terms in policy.every_terms():
        asked = Obligations.model_validate(terms.obligations(), strict=False).every_group
        for group in asked:
            if group not in groups:
                remedy = f"The policy asks group {group!r} for approval. Put at least one teammate into it"
                raise TenantFileRefused(path, "teammates", remedy)
        able = {teammate.slack_user_id for teammate in file.teammates if set(asked) & set(teammate.groups)}
        if len(able) < terms.quorum:
            remedy = (
                f"The policy asks for {terms.quorum} approvals."
                f" Put {terms.quorum} teammates into its approver groups"
            )
            raise TenantFileRefused(path, "teammates", remedy)
