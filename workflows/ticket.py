"""One ticket, from the first message to silence."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from activities.intake import Fetched
from activities.settlement import SettleInput
from domain.approval import ChangeDraft, VoteRefusal
from domain.handoff import HandoffReason
from domain.mail import FINAL, NoTurn
from domain.model import ArtifactRef, Code, MessageKey
from domain.ownership import Stop, TakeOver
from domain.ticket import ClosingRecord, Mode, Outcome, Owner, Stage, TenantSettings, TicketRef
from workflows import steps
from workflows.acknowledging import acknowledge
from workflows.answering import Answering
from workflows.asking import refusal_of_change
from workflows.failures import raise_if_cancelled, reason_of_failure
from workflows.handing_over import hand_over, leave_story
from workflows.mailbox import Mailbox
from workflows.messages import CarriedOver, DeliveryArrived, TicketClosed, TicketStatusView
from workflows.operator_view import OperatorView
from workflows.takeover import TakenOver, Takeover
from workflows.turn import Content, HandOver, Question, Turn

# One argument, because the SDK decodes by type only when their number is exact.
Start = TicketRef | CarriedOver


class Ending(NamedTuple):
    """How a turn ended, for the records."""

    outcome: Outcome | None
    stage: Stage
    reason: Code
    handed_over_because: HandoffReason | None = None


TAKEN_OVER = Ending(Outcome.HANDED_OVER, Stage.HANDED_OVER, "taken_over", HandoffReason.TAKEN_OVER)
STOPPED = Ending(Outcome.ABANDONED, Stage.HANDED_OVER, "stopped", HandoffReason.TAKEN_OVER)

# A customer who writes again within an hour of a window's end, or only to thank, is told apart.
RECONTACT_BY_MEANING = "recontact_by_meaning"
OUTCOMES_OF_AN_ANSWER = frozenset({Outcome.ASSUMED, Outcome.CONFIRMED})


@workflow.defn
class TicketWorkflow:
    """Wakes on deliveries, gives each new customer message one turn, and never ends FAILED."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        carried = _carried(start)
        self._ticket = carried.ticket
        self._record = carried.record
        self._silent_until = carried.silent_until
        self._mailbox = Mailbox(carried.seen, carried.unread)
        self._takeover = Takeover()
        self._turn_now: Turn | None = None
        self._looked = carried.silent_until is not None
        self._reason: HandoffReason | None = None
        self._view = OperatorView(carried.ticket, carried.record)

    @workflow.run
    async def run(self, start: Start) -> TicketClosed:
        """Turn after turn, until the customer is content or a teammate owns the ticket."""
        while await self._should_look():
            await self._look()
            self._continue_as_new_when_suggested()
        ticket = _carried(start).ticket
        return TicketClosed(ticket=ticket, record=self._record, handed_over_because=self._reason)

    @workflow.signal
    def delivery_arrived(self, arrived: DeliveryArrived) -> None:
        """Only wakes: the next look takes every delivery there is."""
        self._mailbox.arrive(arrived.delivery_id)

    @workflow.update
    def take_over(self, order: TakeOver) -> None:
        """A teammate has taken the ticket. Cuts the turn under way, except an effect that is being sent."""
        self._hear(order)

    @take_over.validator
    def _refuse_take_over(self, order: TakeOver) -> None:
        self._refuse_other_ticket(order)

    @workflow.update
    def stop(self, order: Stop) -> None:
        """Automation has been ended for this ticket. Cuts the turn as a take-over does, and tells nobody."""
        self._hear(order)

    @stop.validator
    def _refuse_stop(self, order: Stop) -> None:
        self._refuse_other_ticket(order)

    @workflow.update
    async def change_draft(self, order: ChangeDraft) -> None:
        """Other words for the reply of the question that waits: it is superseded, and asked anew.

        Answered once it is certain that the old words are not what people have said yes to.
        """
        question = self._question
        if question is None or not await question.takes(order.text, order.eligibility.principal):
            raise _refused(VoteRefusal.NOT_PENDING)

    @change_draft.validator
    def _refuse_change(self, order: ChangeDraft) -> None:
        refusal = refusal_of_change(order, self._question, now=workflow.now())
        if refusal is not None:
            raise _refused(refusal)

    @property
    def _question(self) -> Question | None:
        return self._turn_now.question if self._turn_now else None

    @workflow.query
    def status(self) -> TicketStatusView:
        """Where the ticket stands."""
        return self._view.status

    def _hear(self, order: TakeOver | Stop) -> None:
        """One of an epoch that is known comes too late: the ticket may have been handed back since."""
        if order.owner_epoch > self._record.owner_epoch:
            self._takeover.happen(order)

    def _refuse_other_ticket(self, order: TakeOver | Stop) -> None:
        if order.ticket != self._ticket:
            raise ApplicationError("not_this_ticket", type="not_this_ticket", non_retryable=True)

    async def _should_look(self) -> bool:
        """Waits out the recontact window; drains before the end."""
        if self._silent_until is not None and not self._mailbox.has_unread:
            await self._wait_for_customer(self._silent_until)
        if self._takeover.is_news and self._looked:
            await self._let_go()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._mailbox.has_unread or not self._looked

    async def _wait_for_customer(self, until: datetime) -> None:
        try:
            await workflow.wait_condition(
                lambda: self._mailbox.has_unread or self._takeover.is_news,
                timeout=max(until - workflow.now(), timedelta()),
                timeout_summary="Recontact window",
            )
        except TimeoutError:
            self._silent_until = None
            await self._settle(Ending(Outcome.ASSUMED, Stage.SETTLED, "silence"))

    async def _look(self) -> None:
        """Finds out whether a customer waits, and if so gives them a turn."""
        self._looked = True
        wake = self._mailbox.read()
        self._view.show(Stage.FETCHING)
        try:
            fetched = await steps.fetch(self._ticket)
        except FailureError as failure:
            raise_if_cancelled(failure)
            await self._hand_over_unread(wake, reason_of_failure(failure))
            return
        self._record = self._takeover.over(fetched.last)
        if fetched.raw is None or fetched.message is None or self._record.owner is Owner.TEAMMATE:
            await self._let_it_be(fetched)
        else:
            await self._take_turn(self._turn(fetched, fetched.message), fetched.raw)

    async def _let_it_be(self, fetched: Fetched) -> None:
        """Our own echo, or a teammate's ticket: recorded, and no effect. An earlier outcome stays."""
        if fetched.no_turn is NoTurn.ANSWERED_BY_TEAMMATE and fetched.raw is not None:
            await self._learn(fetched.raw)
        if fetched.no_turn in FINAL and self._record.owner is Owner.AUTOMATION:
            self._silent_until = None
            await self._settle(Ending(Outcome.ABANDONED, Stage.SETTLED, fetched.no_turn.value))
        elif self._silent_until is not None and self._record.owner is Owner.TEAMMATE:
            self._silent_until = None  # the records say it before the run was told
            self._reason = HandoffReason.TAKEN_OVER
            await self._settle(TAKEN_OVER)
        elif self._silent_until is not None:
            self._view.show(Stage.WAITING_FOR_CUSTOMER)
        elif fetched.message is None and fetched.last.outcome is None and fetched.last.turns == 0:
            why = fetched.no_turn or NoTurn.NO_CUSTOMER_MESSAGE
            await self._settle(Ending(Outcome.ABANDONED, Stage.SETTLED, why.value))
        elif self._record.restless:
            await self._settle(Ending(self._record.outcome, Stage.SETTLED, "handed_back"))
        else:
            stage = Stage.HANDED_OVER if self._record.owner is Owner.TEAMMATE else Stage.SETTLED
            self._view.conclude(self._record, stage)

    async def _learn(self, raw: ArtifactRef) -> None:
        """What a teammate made of our draft. Nothing hangs on it, so trouble with it is only told."""
        try:
            await steps.learn(self._ticket, raw)
        except FailureError as failure:
            raise_if_cancelled(failure)
            workflow.logger.warning("edit_not_learned")

    async def _take_turn(self, turn: Turn, raw: ArtifactRef) -> None:
        in_window = self._silent_until is not None
        turn.recontact = in_window or self._record.outcome in OUTCOMES_OF_AN_ANSWER
        if turn.recontact and not workflow.patched(RECONTACT_BY_MEANING):
            turn.recontact = in_window
            await self._tell_recontact(turn)
        self._silent_until = None
        self._turn_now = turn
        ending = await self._answer(turn, raw)
        await self._end_turn(turn, ending)

    async def _answer(self, turn: Turn, raw: ArtifactRef) -> Ending:
        """The outer guard: whatever fails in a turn becomes a handover."""
        try:
            await self._takeover.cuts(Answering(turn, self._view, self._tell_recontact).run(raw))
        except Content:
            turn.recontact = False
            return Ending(Outcome.CONFIRMED, Stage.SETTLED, "thanked")
        except TakenOver:
            return await self._taken_over(turn)
        except HandOver as stop:
            return await self._hand_over(turn, stop.reason)
        except FailureError as failure:
            raise_if_cancelled(failure)
            return await self._hand_over(turn, reason_of_failure(failure))
        return self._answered(turn)

    def _answered(self, turn: Turn) -> Ending:
        if turn.settings.mode is Mode.OBSERVE:
            return Ending(Outcome.ABANDONED, Stage.SETTLED, "observed")
        reason = "refunded" if turn.draft and turn.draft.refund else "answered"
        window = timedelta(seconds=turn.settings.recontact_window_s)
        if not window:
            return Ending(Outcome.ASSUMED, Stage.SETTLED, reason)
        self._silent_until = workflow.now() + window
        return Ending(None, Stage.WAITING_FOR_CUSTOMER, reason)

    async def _hand_over(self, turn: Turn, reason: HandoffReason) -> Ending:
        """Observing does nothing outside, not even this."""
        if turn.settings.mode is Mode.OBSERVE:
            observed = reason.value if reason is HandoffReason.ERROR else "observed"
            return Ending(Outcome.ABANDONED, Stage.SETTLED, observed, reason)
        if reason is not HandoffReason.LOOP_SUSPECTED:  # a word would keep the loop going
            await acknowledge(turn)
        told = await hand_over(turn, reason)
        turn.owner = Owner.TEAMMATE
        said = reason if told else HandoffReason.ERROR  # operators look through these
        return Ending(Outcome.HANDED_OVER, Stage.HANDED_OVER, said.value, reason)

    async def _taken_over(self, turn: Turn) -> Ending:
        """A teammate has the ticket already. Who takes it over gets the story; who stops it wants none."""
        order = self._takeover.order
        self._takeover.hear()
        if order is not None:
            turn.owner, turn.owner_epoch = Owner.TEAMMATE, order.owner_epoch
        if isinstance(order, Stop):
            return STOPPED
        if turn.settings.mode is not Mode.OBSERVE:
            await leave_story(turn)
        return TAKEN_OVER

    async def _let_go(self) -> None:
        """Nothing is under way: the record says whose ticket it is, and the run ends."""
        stopped = isinstance(self._takeover.order, Stop)
        self._takeover.hear()
        self._record = self._takeover.over(self._record)
        self._silent_until = None
        if self._reason is not None and not stopped:
            return  # this run had handed it over already; why, stays in the records
        self._reason = HandoffReason.TAKEN_OVER
        await self._settle(STOPPED if stopped else TAKEN_OVER)

    async def _hand_over_unread(self, wake: UUID | None, reason: HandoffReason) -> None:
        """The ticket cannot even be read. The delivery that told of it names the effects."""
        message = f"msg_{(wake or self._ticket.ticket_id).hex}"
        turn = Turn(
            ticket=self._ticket,
            message=message,
            number=self._record.turns + 1,
            settings=TenantSettings(),
            owner_epoch=self._record.owner_epoch,
        )
        self._silent_until = None
        ending = await self._hand_over(turn, reason)
        await self._end_turn(turn, ending)

    def _turn(self, fetched: Fetched, message: MessageKey) -> Turn:
        return Turn(
            ticket=self._ticket,
            message=message,
            number=fetched.last.turns + 1,
            settings=fetched.settings,
            owner_epoch=fetched.last.owner_epoch,
            asked_at=fetched.asked_at,
            looping=fetched.looping,
        )

    async def _tell_recontact(self, turn: Turn) -> None:
        """An answer that was thought to do has not. The number changes, and how it changed is kept."""
        if turn.recontact:
            await self._settle(Ending(Outcome.RECONTACTED, Stage.FETCHING, "recontacted"))
            turn.recontact = False

    async def _end_turn(self, turn: Turn, ending: Ending) -> None:
        await self._tell_recontact(turn)  # a turn that never came to understand the message
        self._record = ClosingRecord(
            turns=turn.number, owner=turn.owner, owner_epoch=turn.owner_epoch, outcome=ending.outcome
        )
        self._reason = ending.handed_over_because
        await self._settle(ending, turn)

    async def _settle(self, ending: Ending, turn: Turn | None = None) -> None:
        """A record that cannot be written does not undo what happened: the ledger prevents a repetition."""
        self._record = ClosingRecord(
            turns=self._record.turns,
            owner=self._record.owner,
            owner_epoch=self._record.owner_epoch,
            outcome=ending.outcome,
        )
        self._view.conclude(self._record, ending.stage, self._reason)
        settled = SettleInput(
            ticket=self._ticket,
            record=self._record,
            stage=ending.stage,
            reason=ending.reason,
            message=turn.message if turn and (turn.answered or ending is not TAKEN_OVER) else None,
            retrieved=tuple(citation.passage_id for citation in turn.citations) if turn else (),
        )
        try:
            await steps.settle(settled)
        except FailureError as failure:
            raise_if_cancelled(failure)
            workflow.logger.warning("settlement_failed")

    def _continue_as_new_when_suggested(self) -> None:
        """Between turns only: no approval, effect or handler is pending here."""
        if self._silent_until is None or not workflow.info().is_continue_as_new_suggested():
            return
        if self._takeover.is_news:
            return
        carried = CarriedOver(
            ticket=self._ticket,
            record=self._record,
            silent_until=self._silent_until,
            seen=self._mailbox.seen,
            unread=self._mailbox.unread,
        )
        workflow.continue_as_new(carried)


def _refused(why: VoteRefusal) -> ApplicationError:
    return ApplicationError(why.value, type=why.value, non_retryable=True)


def _carried(start: Start) -> CarriedOver:
    """A first run carries nothing."""
    return start if isinstance(start, CarriedOver) else CarriedOver(ticket=start)
