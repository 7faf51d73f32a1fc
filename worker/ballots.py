"""Casts votes: an Update of the approval's workflow, whose answer says whether the vote was taken."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.approval import Vote, VoteRefusal
from domain.errors import KeyStoreUnavailable
from workflows.ids import approval_workflow_id

VOTE = "vote"
PATIENCE = timedelta(seconds=10)
# What the server says of a run that has ended; of one that never was it says "workflow not found".
ENDED = "already completed"


class NoAnswer(Exception):
    """It is not known whether the vote was taken. Asking again under the same id finds out."""

    def __init__(self) -> None:
        super().__init__("The approval did not answer")


class NotAsked(Exception):
    """There is no such approval, or not yet: its card can be clicked before its workflow has started."""

    def __init__(self) -> None:
        super().__init__("The approval has not started")


class Ballots(Protocol):
    """Casts votes."""

    async def cast(self, tenant_id: UUID, vote: Vote, vote_id: str) -> VoteRefusal | None:
        """None: taken. The same id is answered the same once taken. Raises `NoAnswer` and `NotAsked`."""
        ...


class TemporalBallots:
    """Votes as Updates."""

    def __init__(self, client: Client, patience: timedelta = PATIENCE) -> None:
        self._client = client
        self._patience = patience

    async def cast(self, tenant_id: UUID, vote: Vote, vote_id: str) -> VoteRefusal | None:
        """None: taken. Raises `NoAnswer` and `NotAsked`."""
        approval = self._client.get_workflow_handle(approval_workflow_id(tenant_id, vote.approval_id))
        try:
            await approval.execute_update(VOTE, vote, id=vote_id, rpc_timeout=self._patience)
        except WorkflowUpdateFailedError as error:
            return _refusal(error)
        except (WorkflowUpdateRPCTimeoutOrCancelledError, KeyStoreUnavailable) as error:
            raise NoAnswer from error
        except RPCError as error:
            return _absence(error)
        return None


def _refusal(error: WorkflowUpdateFailedError) -> VoteRefusal:
    cause = error.cause
    try:
        return VoteRefusal((cause.type or "") if isinstance(cause, ApplicationError) else "")
    except ValueError:
        raise NoAnswer from error


def _absence(error: RPCError) -> VoteRefusal:
    if error.status is not RPCStatusCode.NOT_FOUND:
        raise NoAnswer from error
    if ENDED in error.message:
        return VoteRefusal.NOT_PENDING
    raise NotAsked from error
