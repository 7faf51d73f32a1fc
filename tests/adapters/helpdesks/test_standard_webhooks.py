"""The generic source against the scheme's published vectors and its own library."""

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from starlette.datastructures import Headers

from adapters.helpdesks.inbound import Malformed, Unproven
from adapters.helpdesks.standard_webhooks import StandardWebhooks, signature

FIXTURES = Path(
    os.environ.get(  # noqa: TID251 - where the public vectors lie, for this suite only
        "COUNTERSIGN_FIXTURES", Path(__file__).parents[4] / "shared" / "fixtures"
    )
)
VECTORS = FIXTURES / "webhooks" / "signature_vectors.json"
SECRET = "whsec_" + base64.b64encode(b"loopback-secret-0123456789abcdef").decode()


def test_signature_is_the_schemes_own() -> None:
    assert signature(SECRET, "msg_1", "1795167000", b'{"a":1}') == (
        b"v1,qpuZS4UbSscqUutl6KKavxk0khtIglL2nUSQ+R0mLIU="
    )


def test_signature_is_the_one_of_the_schemes_library() -> None:
    at = datetime.fromtimestamp(1795167000, UTC)

    theirs = Webhook(SECRET).sign("msg_1", at, '{"ticket_id":"1001"}')

    assert signature(SECRET, "msg_1", "1795167000", b'{"ticket_id":"1001"}') == theirs.encode()


def test_published_vectors_are_judged_as_published() -> None:
    if not VECTORS.exists():
        pytest.skip("The public vectors are absent: set COUNTERSIGN_FIXTURES to the fixtures folder")
    vectors = [row for row in json.loads(VECTORS.read_text()) if row["scheme"] == "standard-webhooks v1"]

    judged = [_is_proven(row, float(row["headers"]["webhook-timestamp"])) for row in vectors]

    assert judged == [row["expected"].startswith("valid") for row in vectors]
    assert True in judged
    assert False in judged


def test_published_vectors_are_stale_by_now() -> None:
    if not VECTORS.exists():
        pytest.skip("The public vectors are absent: set COUNTERSIGN_FIXTURES to the fixtures folder")
    vectors = [row for row in json.loads(VECTORS.read_text()) if row["scheme"] == "standard-webhooks v1"]

    assert not any(_is_proven(row, 1795167000.0) for row in vectors)


def test_document_of_another_shape_is_malformed() -> None:
    with pytest.raises(Malformed):
        StandardWebhooks().route(["1001"])


def _is_proven(row: dict[str, Any], now: float) -> bool:
    headers = Headers(row["headers"])
    try:
        StandardWebhooks().verify(headers, row["body"].encode(), [row["secret_base64"]], now)
    except Unproven:
        return False
    return True
