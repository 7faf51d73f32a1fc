"""Plugs adapters into ports: everything a worker holds open, opened and closed in one place."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

from temporalio.client import Client

from activities.approvals import ApprovalActivities
from activities.drafting import DraftingActivities
from activities.effects import EffectActivities
from activities.facts import FactActivities
from activities.gate import Gate
from activities.handoff import HandoffActivities
from activities.intake import IntakeActivities
from activities.learning import LearningActivities
from activities.policy import PolicyActivities
from activities.registration import steps_of
from activities.retrieval import RetrievalActivities
from activities.settlement import SettlementActivities
from activities.triage import TriageActivities
from adapters.active_policies import ActivePolicies
from adapters.archiver import Archiver
from adapters.audit.signing import audit_signer
from adapters.child_pool import ChildPool
from adapters.drafting.extractive import ExtractiveDrafter
from adapters.helpdesks.generic import GenericHelpdesk
from adapters.helpdesks.sender import HelpdeskSender
from adapters.http import RestApi, shared_client
from adapters.keys import EnvelopeKeys
from adapters.observing import CandidateObserver
from adapters.payments import RefundSender
from adapters.postgres.approvals import PostgresApprovals
from adapters.postgres.archive import ArchivedRuns
from adapters.postgres.artifacts import PostgresArtifacts
from adapters.postgres.connections import Connections
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.deliveries import InboxDeliveries
from adapters.postgres.inbox import InboxKind
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.knowledge import PostgresKnowledge
from adapters.postgres.labelled_edits import PostgresLabelledEdits
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.observations import Observations
from adapters.postgres.policies import PolicyStore
from adapters.postgres.relay_inbox import RelayInbox
from adapters.postgres.sealer import Sealer
from adapters.postgres.session import Database
from adapters.postgres.stranded import StrandedEffects
from adapters.postgres.tenants import PostgresTenants
from adapters.postgres.tickets import PostgresTickets
from adapters.postgres.vault import PostgresVault
from adapters.postgres.voting import VotingRecords
from adapters.postgres.what_left import PostgresWhatLeft
from adapters.presidio.redactor import PresidioRedactor
from adapters.shop import RestShop
from adapters.slack.client import SlackApi
from adapters.slack.sender import slack_senders
from adapters.triage.linear import LinearClassifier
from domain.decision import ResidencyInput
from worker.ballots import TemporalBallots
from worker.operator_words import OperatorWords, TemporalRuns
from worker.policy_engine import loader
from worker.relay import Relay, TemporalWaker
from worker.votes import VotePorts, Votes
from worker.word_to_clicker import EphemeralWord

POOL_SIZE = 8


@dataclass(frozen=True, repr=False)
class Addresses:
    """Where everything is, passwords included."""

    app: str
    egress: str
    relay: str
    sealer: str
    app_keys: str
    slack_api: str
    residency: ResidencyInput | None = None
    opa_url: str = ""
    opa_token: str = ""


class Parts:
    """Made once per process, inside its event loop."""

    def __init__(self, addresses: Addresses, master_key: bytes, pool: ChildPool) -> None:
        self._residency = addresses.residency
        self.app = Database(addresses.app, pool_size=POOL_SIZE)
        self.egress = Database(addresses.egress)
        self.relay = Database(addresses.relay)
        self.sealer = Database(addresses.sealer, pool_size=1)
        self.key_database = Database(addresses.app_keys)
        self.keys = EnvelopeKeys(PostgresKeyStore(self.key_database), master_key)
        self.pool = pool
        self._signer = audit_signer(master_key)
        self._connections = Connections(self.app, self.keys)
        self._http = shared_client()
        self._slack = SlackApi(self._connections.slack, addresses.slack_api)
        self._redactor = PresidioRedactor(pool)
        self._tenants = PostgresTenants(self.app)
        self._tickets = PostgresTickets(self.app, self.keys)
        self._artifacts = PostgresArtifacts(self.app, self.keys)
        self._vault = PostgresVault(self.app, self.keys)
        self._approvals = PostgresApprovals(self.app)
        self._deliveries = InboxDeliveries(self.app, self.keys)
        self._shop = RestShop(self._rest("shop", self._connections.shop))
        self._helpdesk_api = self._rest("helpdesk", self._connections.helpdesk)
        deciding = loader(self._http, addresses.opa_url, addresses.opa_token)
        self.policies = ActivePolicies(PolicyStore(self.app), deciding)
        self.candidates = CandidateObserver(self.policies, Observations(self.app))
        self._decisions = PostgresDecisions(self.app, self.candidates.offer)
        self._what_left = PostgresWhatLeft(self.app)
        self._policy = self._make_policy()
        self._effects = self._make_effects()

    async def __aenter__(self) -> Self:
        """Starts the child processes; `pool.ready` waits for them."""
        self._open = AsyncExitStack()
        for database in (self.app, self.egress, self.relay, self.sealer, self.key_database):
            self._open.push_async_callback(database.close)
        self._open.push_async_callback(self._slack.close)
        self._open.push_async_callback(self._http.aclose)
        await self._open.enter_async_context(self.pool)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes everything in the reverse order."""
        await self._open.aclose()

    def steps(self) -> Sequence[Callable[..., Any]]:
        """Every step of every workflow."""
        return steps_of(
            self._intake(),
            TriageActivities(
                tenants=self._tenants, artifacts=self._artifacts, classifier=LinearClassifier(self.pool)
            ),
            self._facts(),
            RetrievalActivities(artifacts=self._artifacts, knowledge=PostgresKnowledge(self.app)),
            DraftingActivities(tenants=self._tenants, artifacts=self._artifacts, drafter=ExtractiveDrafter()),
            self._policy,
            self._approval_steps(),
            self._effects,
            HandoffActivities(tickets=self._tickets, artifacts=self._artifacts, vault=self._vault),
            SettlementActivities(tickets=self._tickets),
            self._learning(),
        )

    def relay_to(self, client: Client) -> Relay:
        """Wakes tickets."""
        return Relay(RelayInbox(self.relay, InboxKind.HELPDESK), TemporalWaker(client))

    def stranded_effects(self) -> StrandedEffects:
        """Says that it is not known how an effect ended, where its step can no longer find out."""
        return StrandedEffects(self.relay, self.egress)

    def archiver_of(self, client: Client) -> Archiver:
        """Keeps what closed."""
        return Archiver(client, ArchivedRuns(self.app), self._artifacts)

    def seals(self) -> Sealer:
        """Links audit events."""
        return Sealer(self.sealer, self._signer)

    def votes_to(self, client: Client) -> Votes:
        """Casts clicks."""
        return Votes(
            VotePorts(
                waiting=RelayInbox(self.relay, InboxKind.SLACK),
                kept=self._deliveries,
                records=VotingRecords(self.app),
                redactor=self._redactor,
                artifacts=self._artifacts,
                vault=self._vault,
                approvals=self._approvals,
                ballots=TemporalBallots(client),
                word=EphemeralWord(
                    policy=self._policy,
                    effects=self._effects,
                    artifacts=self._artifacts,
                    tickets=self._tickets,
                ),
            )
        )

    def words_to(self, client: Client) -> OperatorWords:
        """Tells tickets what teammates said on pages."""
        waiting = RelayInbox(self.relay, InboxKind.OPERATOR)
        return OperatorWords(waiting, self._deliveries, TemporalRuns(client))

    def _rest(self, surface: str, endpoint_of: Any) -> RestApi:
        return RestApi(self._http, surface, endpoint_of)

    def _intake(self) -> IntakeActivities:
        return IntakeActivities(
            tenants=self._tenants,
            deliveries=self._deliveries,
            tickets=self._tickets,
            helpdesk=GenericHelpdesk(self._helpdesk_api),
            keys=self.keys,
            artifacts=self._artifacts,
            vault=self._vault,
            redactor=self._redactor,
        )

    def _facts(self) -> FactActivities:
        return FactActivities(artifacts=self._artifacts, vault=self._vault, keys=self.keys, shop=self._shop)

    def _approval_steps(self) -> ApprovalActivities:
        return ApprovalActivities(
            approvals=self._approvals, artifacts=self._artifacts, vault=self._vault, tickets=self._tickets
        )

    def _learning(self) -> LearningActivities:
        edits = PostgresLabelledEdits(self.app)
        return LearningActivities(
            artifacts=self._artifacts, vault=self._vault, redactor=self._redactor, edits=edits
        )

    def _make_policy(self) -> PolicyActivities:
        return PolicyActivities(
            policies=self.policies,
            decisions=self._decisions,
            what_left=self._what_left,
            residency=self._residency,
        )

    def _make_effects(self) -> EffectActivities:
        payments = self._rest("payments", self._connections.payments)
        return EffectActivities(
            ledger=PostgresLedger(self.app, self.egress),
            artifacts=self._artifacts,
            vault=self._vault,
            gate=Gate(
                policies=self.policies,
                decisions=self._decisions,
                what_left=self._what_left,
                shop=self._shop,
            ),
            senders=(
                HelpdeskSender(self._helpdesk_api),
                RefundSender(payments),
                *slack_senders(self._slack),
            ),
        )
