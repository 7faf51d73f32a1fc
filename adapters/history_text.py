"""A history as one text: the same bytes from Temporal and from the archive, small when kept."""

import hashlib
import json
import zlib
from datetime import datetime

from temporalio.client import WorkflowHistory

from adapters.temporal_replay import exported
from domain.model import Digest

LEVEL = 9  # part of what makes the bytes the same for every worker


class NotTheArchivedHistory(Exception):
    """What was read is not what was archived."""

    def __init__(self, run_id: object) -> None:
        super().__init__(f"The archived history of run {run_id} does not match its digest")


def text_of(history: WorkflowHistory) -> str:
    """Sorted, because the order of a map's keys is no part of a history."""
    return json.dumps(json.loads(exported(history)), sort_keys=True, separators=(",", ":"))


def started_at(text: str) -> datetime:
    """When the run's first event happened, by the server's clock."""
    return datetime.fromisoformat(json.loads(text)["events"][0]["eventTime"])


def digest_of_text(text: str) -> Digest:
    """What the audit chain remembers of a history."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def packed(text: str) -> bytes:
    """Without a date or a name in it: the same text gives the same bytes."""
    return zlib.compress(text.encode(), LEVEL)


def unpacked(content: bytes) -> str:
    """What `packed` made."""
    return zlib.decompress(content).decode()
