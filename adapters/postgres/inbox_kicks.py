"""Tells that something was committed to the inbox, the moment it was."""

from collections.abc import Callable

from adapters.postgres.inbox import CHANNEL
from adapters.postgres.listening import listen


class InboxKicks:
    """A kick can be lost, so whoever waits for one also sweeps."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def listen(self, *kicked: Callable[[], None]) -> None:
        """Calls each of `kicked` at every commit, and after every new connection. Ends by cancellation."""

        def heard(_: str | None) -> None:
            for tell in kicked:
                tell()

        await listen(self._url, CHANNEL, heard)
