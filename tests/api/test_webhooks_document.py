"""The command in docs/webhooks.md makes signatures that the door takes."""

import re
import subprocess
import sys
from pathlib import Path

from adapters.helpdesks.standard_webhooks import signature
from tests.api.fakes import SECRET

DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"


def test_documented_command_signs_as_the_door_expects() -> None:
    [command] = re.findall(r"python3 -c '([^']+)'", DOCUMENT.read_text(encoding="utf-8"))
    body = '{"type":"ticket.message_created","ticket_id":"1001"}'

    signed = subprocess.run(  # noqa: S603 - our own document
        [sys.executable, "-c", command, SECRET, "msg_1", "1795167000", body],
        capture_output=True,
        check=True,
        text=True,
    )

    assert signed.stdout.strip().encode() == signature(SECRET, "msg_1", "1795167000", body.encode())
