"""Situations. Their texts are fixed or carry ids only, because errors end up in histories and logs."""

from uuid import UUID


class TicketNotFound(Exception):
    """The helpdesk does not know the ticket (some helpdesks fire before they commit)."""

    def __init__(self) -> None:
        super().__init__("The helpdesk does not know this ticket")


class UnknownTenant(Exception):
    """Nobody is registered under this id."""

    def __init__(self, tenant_id: UUID) -> None:
        super().__init__(f"Tenant {tenant_id} does not exist")


class RedactionFailed(Exception):
    """The text cannot be trusted to be redacted: quarantine, never a retry."""

    def __init__(self) -> None:
        super().__init__("Redaction failed; the ticket is quarantined")


class ChildDied(Exception):
    """A process of the pool ended while it worked on a text."""

    def __init__(self) -> None:
        super().__init__("A child process died while it worked")


class ChildOverran(Exception):
    """A process of the pool was killed because it exceeded its deadline."""

    def __init__(self) -> None:
        super().__init__("A child process exceeded its deadline")


class EffectConflict(Exception):
    """The ledger has this effect key with another digest: for a human, never a retry."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Effect {key!r} is already recorded with other arguments")


class UnsafeText(Exception):
    """A placeholder is left over, unknown or vanished, so the text must not be sent."""

    def __init__(self) -> None:
        super().__init__("The text has a placeholder that cannot be resolved")


class DeliveryUncertain(Exception):
    """The provider's answer was lost: the effect may or may not have happened."""

    def __init__(self) -> None:
        super().__init__("The provider's answer was lost")


class DeliveryRefused(Exception):
    """The provider refused for good: repeating cannot help."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The provider refused with status {status}")
        self.status = status


class ProviderUnavailable(Exception):
    """The provider did not act and may do so later."""

    def __init__(self, retry_after_s: float | None = None) -> None:
        super().__init__("The provider is not available")
        self.retry_after_s = retry_after_s


class KeyDestroyed(Exception):
    """The key was destroyed by an erasure."""

    def __init__(self) -> None:
        super().__init__("The key was destroyed")


class ArtifactExpired(Exception):
    """The blob's life is over."""

    def __init__(self) -> None:
        super().__init__("The artifact has expired")


class KeyStoreUnavailable(Exception):
    """The key store did not answer; nothing is known about the key."""

    def __init__(self) -> None:
        super().__init__("The key store is not available")


class WrongTenant(Exception):
    """An input's tenant is not the tenant of the workflow's id."""

    def __init__(self) -> None:
        super().__init__("The input belongs to another tenant than the workflow")


class EngineUnavailable(Exception):
    """A policy engine crashed or did not answer: nothing is decided, and nothing leaves."""

    def __init__(self) -> None:
        super().__init__("The policy engine does not answer")


class WindowBusy(Exception):
    """Others keep claiming in a window that policy counts; ours has not been claimed yet."""

    def __init__(self) -> None:
        super().__init__("Other effects of the same window are being claimed")


class BundleRefused(Exception):
    """A policy bundle cannot be loaded; the last good one stays."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The policy bundle was refused: {why}")
        self.why = why


class ApprovalEnded(Exception):
    """The same question was put before and has ended: its card has no buttons any more."""

    def __init__(self, approval_id: str) -> None:
        super().__init__(f"Approval {approval_id!r} has ended before it was asked")


# Repeating cannot help these; every other error is retried. Temporal compares class names.
PERMANENT_ERRORS = (
    UnknownTenant,
    RedactionFailed,
    ChildDied,
    ChildOverran,
    EffectConflict,
    UnsafeText,
    DeliveryRefused,
    KeyDestroyed,
    ArtifactExpired,
    WrongTenant,
    BundleRefused,
    ApprovalEnded,
)


class NotWholeMinorUnits(Exception):
    """An amount has a fraction of a cent, or is no number: rounding it would invent money."""

    def __init__(self) -> None:
        super().__init__("An amount is not a whole number of minor units")
