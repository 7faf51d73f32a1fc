"""What operators see of a running ticket: current details, search attributes, the status query."""

from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from domain.action import RiskBand
from domain.handoff import HandoffReason
from domain.ticket import ClosingRecord, Stage, TicketRef
from workflows.ids import APPROVAL_DUE, OUTCOME, OWNER, RISK_BAND, STAGE
from workflows.messages import TicketStatusView


class OperatorView:
    """Constant words and numbers only. Search attributes cost an event, so they change at waits and ends."""

    def __init__(self, ticket: TicketRef, record: ClosingRecord) -> None:
        self._ticket = ticket
        self._record = record
        self._stage = Stage.FETCHING
        self._reason: HandoffReason | None = None

    @property
    def status(self) -> TicketStatusView:
        """The answer to the query."""
        return TicketStatusView(
            ticket=self._ticket,
            stage=self._stage,
            owner=self._record.owner,
            turns=self._record.turns,
            outcome=self._record.outcome,
            handed_over_because=self._reason,
        )

    def show(self, stage: Stage) -> None:
        """For who looks now."""
        self._stage = stage
        workflow.set_current_details(self._details())

    def wait_for_approval(self, band: RiskBand, due: datetime) -> None:
        """For who looks for what waits for people."""
        self.show(Stage.WAITING_FOR_APPROVAL)
        workflow.upsert_search_attributes(
            [STAGE.value_set(self._stage.value), RISK_BAND.value_set(band.value), APPROVAL_DUE.value_set(due)]
        )

    def conclude(self, record: ClosingRecord, stage: Stage, reason: HandoffReason | None = None) -> None:
        """For lists, once a turn is over."""
        self._record, self._reason = record, reason
        self.show(stage)
        updates: list[SearchAttributeUpdate[str]] = [
            STAGE.value_set(stage.value),
            OWNER.value_set(record.owner.value),
        ]
        if record.outcome is not None:
            updates.append(OUTCOME.value_set(record.outcome.value))
        workflow.upsert_search_attributes(updates)

    def _details(self) -> str:
        lines = [
            f"**Stage** {self._stage}",
            f"**Owner** {self._record.owner}",
            f"**Answered turns** {self._record.turns}",
        ]
        if self._record.outcome is not None:
            lines.append(f"**Outcome** {self._record.outcome}")
        if self._reason is not None:
            lines.append(f"**Handed over because** {self._reason}")
        return "\n\n".join(lines)
