"""Tells whose policy moved, the moment the move was committed."""

from collections.abc import Callable
from uuid import UUID

from adapters.postgres.listening import listen
from adapters.postgres.policies import ORGANISATION

CHANNEL = "countersign_policy_moved"


class PolicyNews:
    """News can be lost: each decision asks for the pointers itself."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def listen(self, moved: Callable[[UUID | None], None]) -> None:
        """Calls `moved` with the tenant, and with None where it may be any of them. Ends by cancellation."""

        def heard(told: str | None) -> None:
            tenant_id = UUID(told) if told else ORGANISATION
            moved(None if tenant_id == ORGANISATION else tenant_id)

        await listen(self._url, CHANNEL, heard)
