"""What a failed step means. Types of errors are all a workflow may know of them."""

from collections.abc import Iterator

from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from domain.errors import ChildDied, ChildOverran, RedactionFailed
from domain.handoff import HandoffReason

QUARANTINE = frozenset(error.__name__ for error in (RedactionFailed, ChildDied, ChildOverran))


def reason_of_failure(failure: FailureError) -> HandoffReason:
    """Quarantine where redaction could not be trusted, else an error."""
    types = {cause.type for cause in _causes(failure) if isinstance(cause, ApplicationError)}
    return HandoffReason.QUARANTINED if types & QUARANTINE else HandoffReason.ERROR


def raise_if_cancelled(failure: FailureError) -> None:
    """A cancelled run is the operator's wish, not a failure to make good."""
    if is_cancelled_exception(failure):
        raise failure


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    # A local step raises its error itself, a regular one wraps it.
    while failure is not None:
        yield failure
        failure = failure.__cause__
