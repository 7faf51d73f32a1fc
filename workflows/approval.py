"""A question put to people about exactly one action, until they answer or time is up."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from activities.approvals import ApprovalActivities, CloseInput, OpenInput, RecordVoteInput, RemindInput
from domain.action import ProposedAction, SlackPost, SlackUpdate
from domain.approval import (
    ApprovalRequest,
    ApprovalResult,
    ApprovalStatus,
    Vote,
    VoteKind,
    VoteRefusal,
    refusal_of,
)
from domain.decision import OnTimeout
from domain.effect import EffectIntent, EffectState
from domain.model import ArtifactRef
from domain.ticket import TenantSettings
from workflows import steps
from workflows.activity_options import LOCAL_STEP
from workflows.failures import raise_if_cancelled
from workflows.leaving import may_leave
from workflows.patience import Moment, moments
from workflows.plan import Ordinal, intent_of, resumed
from workflows.takeover import uncut
from workflows.turn import Turn

# An eligibility says what somebody may do at a moment; soon it says nothing any more.
FRESH = timedelta(seconds=60)
CLOCK_SKEW = timedelta(seconds=5)
# What "wait" means to a record that needs a date.
NEVER = timedelta(days=3650)

REMINDERS_OF_A_QUESTION = 50

STATUS_AT_TIMEOUT = {
    OnTimeout.HAND_OVER: ApprovalStatus.EXPIRED,
    OnTimeout.REJECT: ApprovalStatus.REJECTED,
}


@workflow.defn
class ApprovalWorkflow:
    """Posts its own card, takes votes as updates, seals the answer, closes the card."""

    @workflow.init
    def __init__(self, request: ApprovalRequest) -> None:
        self._request = request
        self._status = ApprovalStatus.PENDING
        self._votes: list[Vote] = []
        self._due = workflow.now() + self._patience()
        self._moments = moments(request.obligations, workflow.now(), self._due)
        self._reminders = 0
        self._groups = request.obligations.approver_groups
        self._turn = Turn(
            ticket=request.ticket,
            message=request.message,
            number=request.turn,
            settings=TenantSettings(mode=request.mode),
            owner_epoch=request.owner_epoch,
        )
        self._posted: EffectIntent | None = None

    @workflow.run
    async def run(self, request: ApprovalRequest) -> ApprovalResult:
        """Never fails: what cannot be asked is cancelled, and nothing is ever approved by silence."""
        try:
            await self._ask()
            await self._wait_for_votes()
        except (FailureError, asyncio.CancelledError):
            self._status = ApprovalStatus.CANCELLED
        await self._close()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result(request)

    @workflow.update
    def vote(self, vote: Vote) -> ApprovalStatus:
        """Counts it. The validator has made sure that it counts."""
        self._votes.append(vote)
        if vote.kind is VoteKind.REJECT:
            self._status = ApprovalStatus.REJECTED
        elif len(self._votes) >= self._request.obligations.quorum:
            self._status = ApprovalStatus.APPROVED
        return self._status

    @workflow.signal
    def supersede(self) -> None:
        """The draft was changed. A question that was answered before keeps its answer."""
        if self._status is ApprovalStatus.PENDING:
            self._status = ApprovalStatus.SUPERSEDED

    @vote.validator
    def _refuse(self, vote: Vote) -> None:
        voted = frozenset(earlier.eligibility.principal for earlier in self._votes)
        refusal = refusal_of(vote, self._request, frozenset(self._groups), voted, self._status) or untimely(
            self._due, vote.eligibility.as_of, now=workflow.now()
        )
        if refusal is not None:
            raise ApplicationError(refusal.value, type=refusal.value, non_retryable=True)

    @workflow.query
    def status(self) -> ApprovalStatus:
        """Where it stands."""
        return self._status

    def _patience(self) -> timedelta:
        obligations = self._request.obligations
        if obligations.on_timeout is OnTimeout.WAIT:
            return NEVER
        return timedelta(seconds=obligations.expires_in_s)

    async def _ask(self) -> None:
        """Kept before it is shown. A question that perhaps nobody sees must not wait in silence."""
        opened = OpenInput(request=self._request, expires_at=self._due)
        await workflow.execute_local_activity_method(
            ApprovalActivities.open, opened, summary="Keep the question", **LOCAL_STEP
        )
        state = await self._post(self._card_ordinal, SlackPost(card=self._request.card))
        seen = state is EffectState.CONFIRMED or (state is EffectState.UNKNOWN and self._votes)
        if not seen:
            self._status = ApprovalStatus.CANCELLED

    async def _wait_for_votes(self) -> None:
        """The deciding votes are kept together with the answer, earlier ones as they come."""
        kept = 0
        while self._status is ApprovalStatus.PENDING:
            if await self._more_votes_than(kept):
                if self._status is ApprovalStatus.PENDING:
                    await self._keep(self._votes[kept])
                    kept += 1
            elif self._moments:
                await self._remind(self._moments.pop(0))
            else:
                self._status = STATUS_AT_TIMEOUT[self._request.obligations.on_timeout]

    async def _remind(self, moment: Moment) -> None:
        """Into the thread of the card, and for more people from here on. Trouble with it ends nothing."""
        self._groups = tuple(dict.fromkeys((*self._groups, *moment.groups)))
        if self._posted is None:
            return
        try:
            reminded = await workflow.execute_local_activity_method(
                ApprovalActivities.remind, self._reminder(), summary="Draw a reminder", **LOCAL_STEP
            )
            self._reminders += 1
            place = REMINDERS_OF_A_QUESTION * self._request.proposed.ordinal + self._reminders
            post = SlackPost(card=reminded.card, thread_of=self._posted.key)
            await self._post(Ordinal.APPROVAL_REMINDER + place, post)
        except FailureError as failure:
            raise_if_cancelled(failure)
            workflow.logger.warning("reminder_not_posted")

    def _reminder(self) -> RemindInput:
        waits = self._request.obligations.on_timeout is OnTimeout.WAIT
        return RemindInput(request=self._request, groups=self._groups, due=None if waits else self._due)

    async def _keep(self, vote: Vote) -> None:
        recorded = RecordVoteInput(ticket=self._request.ticket, vote=vote)
        await workflow.execute_local_activity_method(
            ApprovalActivities.record_vote, recorded, summary="Keep the vote", **LOCAL_STEP
        )

    async def _more_votes_than(self, kept: int) -> bool:
        """Until the team is told again, or time is up."""
        waits = self._request.obligations.on_timeout is OnTimeout.WAIT
        until = self._moments[0].at if self._moments else None if waits else self._due
        try:
            await workflow.wait_condition(
                lambda: len(self._votes) > kept or self._status is not ApprovalStatus.PENDING,
                timeout=max(until - workflow.now(), timedelta()) if until else None,
                timeout_summary="Reminder due" if self._moments else "Approval due",
            )
        except TimeoutError:
            return False
        return True

    async def _close(self) -> None:
        """Seals first. An answer that cannot be kept is none."""
        closing = CloseInput(
            request=self._request, status=self._status, votes=tuple(self._votes), reason=self._reason()
        )
        try:
            closed = await workflow.execute_local_activity_method(
                ApprovalActivities.close, closing, summary="Seal the answer", **LOCAL_STEP
            )
        except (FailureError, asyncio.CancelledError):
            self._status = ApprovalStatus.CANCELLED
            return
        self._turn.owner_epoch = closed.owner_epoch or self._turn.owner_epoch
        await self._take_buttons_away(closed.card)

    async def _take_buttons_away(self, card: ArtifactRef) -> None:
        if self._posted is None:
            return
        try:
            await self._post(self._card_ordinal + 1, SlackUpdate(card=card, posted_by=self._posted.key))
        except (FailureError, asyncio.CancelledError):
            # The buttons stay, and a click on them is answered with `not_pending`.
            workflow.logger.warning("approval_card_left_open")

    @property
    def _card_ordinal(self) -> int:
        return Ordinal.APPROVAL_CARD + 2 * self._request.proposed.ordinal

    async def _post(self, ordinal: int, action: SlackPost | SlackUpdate) -> EffectState:
        ordinal += resumed(self._turn) + Ordinal.REVISED * (self._request.revision - 1)
        proposed = ProposedAction(ordinal=ordinal, action=action)
        (decision,) = await steps.decide(self._turn, (proposed,))
        if not may_leave(decision):
            return EffectState.WITHDRAWN
        intent = intent_of(self._turn, proposed, decision)
        if self._posted is None:
            self._posted = intent
        return (await uncut(steps.perform(intent))).state

    def _reason(self) -> ArtifactRef | None:
        return next((vote.reason for vote in self._votes if vote.kind is VoteKind.REJECT), None)

    def _result(self, request: ApprovalRequest) -> ApprovalResult:
        return ApprovalResult(
            approval_id=request.approval_id,
            status=self._status,
            reason=self._reason(),
            voters=tuple(vote.eligibility.principal for vote in self._votes),
        )


def untimely(due: datetime, as_of: datetime, *, now: datetime) -> VoteRefusal | None:
    """Too late for the question, or an eligibility that is not of now."""
    if now >= due:
        return VoteRefusal.EXPIRED
    if as_of < now - FRESH or as_of > now + CLOCK_SKEW:
        return VoteRefusal.STALE_ELIGIBILITY
    return None
