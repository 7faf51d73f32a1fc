"""One engine for all tables, and conversations to redact."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.presidio.redaction import RedactionEngine
from domain.conversation import Author, Conversation, Message, Requester

WRITTEN = datetime(2026, 3, 1, tzinfo=UTC)
Conversing = Callable[..., Conversation]


@pytest.fixture(scope="session")
def redaction() -> RedactionEngine:
    return RedactionEngine()


@pytest.fixture
def conversing() -> Conversing:
    """`conversing("first message", "second", subject=…, name=…, email=…)`."""

    def build(*bodies: str, subject: str = "A question", **record: str) -> Conversation:
        return Conversation(
            source="generic",
            external_id="1001",
            subject=subject,
            status="open",
            requester=Requester(external_id="c-77", **record),
            messages=tuple(_message(number, body) for number, body in enumerate(bodies)),
        )

    return build


def _message(number: int, body: str) -> Message:
    return Message(
        external_id=f"m{number}", author=Author.CUSTOMER, body=body, public=True, written_at=WRITTEN
    )
