"""The `Redactor` port on the child-process pool: text goes to a child and only an answer comes back."""

from collections.abc import Mapping
from typing import Any

from adapters.child_pool import ChildPool, NoChildFree
from domain.conversation import Conversation
from domain.errors import ChildDied, ChildOverran, RedactionFailed
from domain.ports import Redacted

REDACTION_DEADLINE_S = 5.0


class PresidioRedactor:
    """Fails closed: whatever goes wrong in the child is `RedactionFailed` without cause or text."""

    def __init__(self, pool: ChildPool, *, deadline_s: float = REDACTION_DEADLINE_S) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def redact(self, conversation: Conversation, known: Mapping[str, str]) -> Redacted:
        """`known` are the ticket's vault entries; ids of records among them are left alone."""
        try:
            argument = {"conversation": conversation.model_dump(mode="json"), "known": dict(known)}
            return Redacted.model_validate(await self._ask("redact", argument))
        except (ChildDied, ChildOverran, NoChildFree):
            raise
        except Exception:  # noqa: BLE001 - a message could quote the text
            raise RedactionFailed from None

    async def redact_text(self, text: str, known: Mapping[str, str]) -> str:
        """For what teammates type; irreversible."""
        try:
            return str(await self._ask("redact_text", {"text": text, "known": dict(known)}))
        except (ChildDied, ChildOverran, NoChildFree):
            raise
        except Exception:  # noqa: BLE001 - a message could quote the text
            raise RedactionFailed from None

    async def _ask(self, function: str, argument: Any) -> Any:
        return await self._pool.call(function, argument, deadline_s=self._deadline_s)
