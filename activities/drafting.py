"""Draft a reply: a playbook's, where its facts hold, else one from passages, else none."""

from temporalio import activity

from activities.retrieval import Passages
from domain.action import Refund
from domain.conversation import Conversation, TextModel
from domain.draft import Abstention, Draft
from domain.fact import Facts
from domain.knowledge import Citation
from domain.model import ArtifactRef, Digest, Model, Version, digest_of
from domain.placeholder import PLACEHOLDER
from domain.playbook import RefundPlaybook
from domain.ports import ArtifactKind, Artifacts, Drafter, TenantConfiguration, Tenants
from domain.ticket import TicketRef
from domain.triage import Triage

PLAYBOOK_DRAFTER: Version = "playbook-1"


class DraftInput(Model):
    """What a draft is made from."""

    ticket: TicketRef
    conversation: ArtifactRef
    triage: Triage
    facts: Facts
    passages: ArtifactRef | None = None
    citations: tuple[Citation, ...] = ()


class AcknowledgeInput(Model):
    """Who is to be told that they are heard; without a conversation they are not named."""

    ticket: TicketRef
    conversation: ArtifactRef | None = None


class Acknowledgement(Model):
    """The tenant's fixed word, with placeholders where personal data belongs."""

    text: ArtifactRef
    input_digest: Digest


class Selected(TextModel):
    """A playbook whose facts hold, with the refund it asks for."""

    playbook: RefundPlaybook
    refund: Refund


class DraftingActivities:
    """Writes artifacts named by their content, so repeating is safe."""

    def __init__(self, *, tenants: Tenants, artifacts: Artifacts, drafter: Drafter) -> None:
        self._tenants = tenants
        self._artifacts = artifacts
        self._drafter = drafter

    @activity.defn
    async def draft(self, input: DraftInput) -> Draft:
        """A text may select a playbook, never fill its arguments."""
        tenant = await self._tenants.configuration(input.ticket.tenant_id)
        content = await self._artifacts.get(input.ticket, input.conversation)
        conversation = Conversation.model_validate_json(content)
        selected = _selected(input, tenant)
        if selected is not None:
            return await self._from_playbook(input, tenant, conversation, selected)
        return await self._from_passages(input, tenant, conversation)

    @activity.defn
    async def acknowledge(self, input: AcknowledgeInput) -> Acknowledgement:
        """Says nothing but that a person will answer."""
        tenant = await self._tenants.configuration(input.ticket.tenant_id)
        conversation = None
        if input.conversation is not None:
            content = await self._artifacts.get(input.ticket, input.conversation)
            conversation = Conversation.model_validate_json(content)
        letter = _letter(tenant.acknowledgement, tenant, conversation)
        return Acknowledgement(text=await self._keep(input.ticket, letter), input_digest=digest_of(input))

    async def _from_playbook(
        self, input: DraftInput, tenant: TenantConfiguration, conversation: Conversation, selected: Selected
    ) -> Draft:
        body = selected.playbook.reply.replace("{amount}", str(selected.refund.amount))
        return Draft(
            reply=await self._keep(input.ticket, _letter(body, tenant, conversation)),
            refund=selected.refund,
            playbook=selected.playbook.id,
            confidence_permille=input.triage.confidence_permille,
            drafter=PLAYBOOK_DRAFTER,
            prompt=digest_of(selected.playbook),
            input_digest=digest_of(input),
        )

    async def _from_passages(
        self, input: DraftInput, tenant: TenantConfiguration, conversation: Conversation
    ) -> Draft:
        passages = await self._passages(input)
        drafted = await self._drafter.draft(conversation, passages.passages, tenant) if passages else None
        confidence = drafted.confidence_permille if drafted else 0
        if drafted is None:
            return self._none(input, Abstention.NOTHING_FOUND, confidence)
        if confidence < tenant.settings.min_confidence_permille:
            return self._none(input, Abstention.LOW_CONFIDENCE, confidence)
        return Draft(
            reply=await self._keep(input.ticket, _letter(drafted.body, tenant, conversation)),
            citations=drafted.citations,
            confidence_permille=confidence,
            drafter=self._drafter.version,
            prompt=self._drafter.prompt,
            input_digest=digest_of(input),
        )

    def _none(self, input: DraftInput, why: Abstention, confidence: int) -> Draft:
        return Draft(
            abstained=why,
            confidence_permille=confidence,
            drafter=self._drafter.version,
            prompt=self._drafter.prompt,
            input_digest=digest_of(input),
        )

    async def _passages(self, input: DraftInput) -> Passages | None:
        if input.passages is None:
            return None
        return Passages.model_validate_json(await self._artifacts.get(input.ticket, input.passages))

    async def _keep(self, ticket: TicketRef, text: str) -> ArtifactRef:
        return await self._artifacts.put(ticket, ArtifactKind.DRAFT, text.encode())


def _selected(input: DraftInput, tenant: TenantConfiguration) -> Selected | None:
    """The first playbook of the intent whose facts hold, if the intent is sure enough for an action."""
    if input.triage.confidence_permille < tenant.settings.min_confidence_permille:
        return None
    for playbook in tenant.playbooks:
        refund = playbook.propose(input.facts) if playbook.intent == input.triage.intent else None
        if refund is not None:
            return Selected(playbook=playbook, refund=refund)
    return None


def _letter(body: str, tenant: TenantConfiguration, conversation: Conversation | None) -> str:
    return f"{_greeting(tenant, conversation)}\n\n{body.strip()}\n\n{tenant.signature}"


def _greeting(tenant: TenantConfiguration, conversation: Conversation | None) -> str:
    """With the requester's placeholder; where the helpdesk knows no name the greeting has none."""
    name = conversation.requester.name if conversation else None
    if name and PLACEHOLDER.fullmatch(name):
        return tenant.greeting.replace("{name}", name)
    return tenant.greeting.replace(" {name}", "").replace("{name}", "")
