"""Remembers which deliveries woke a ticket. What they say is in the inbox."""

from collections import deque
from collections.abc import Iterable
from uuid import UUID

# Repeated signals of one delivery come within seconds; a forgotten one costs a look for nothing.
REMEMBERED = 50


class Mailbox:
    """Signals may come twice and before the run begins."""

    def __init__(self, seen: Iterable[UUID] = (), unread: Iterable[UUID] = ()) -> None:
        self._seen: deque[UUID] = deque(seen, maxlen=REMEMBERED)
        self._unread: list[UUID] = list(unread)

    def arrive(self, delivery: UUID) -> None:
        """Once per delivery."""
        if delivery not in self._seen:
            self._seen.append(delivery)
            self._unread.append(delivery)

    def read(self) -> UUID | None:
        """The newest unread; one look takes all there are."""
        newest = self._unread[-1] if self._unread else None
        self._unread.clear()
        return newest

    @property
    def has_unread(self) -> bool:
        """Whether somebody should look."""
        return bool(self._unread)

    @property
    def seen(self) -> tuple[UUID, ...]:
        """To be carried over."""
        return tuple(self._seen)

    @property
    def unread(self) -> tuple[UUID, ...]:
        """To be carried over."""
        return tuple(self._unread)
