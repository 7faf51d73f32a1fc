"""Standard Webhooks: the signature scheme of our generic helpdesk format, and what its bodies say.

https://www.standardwebhooks.com: `webhook-id`, `webhook-timestamp` and `webhook-signature`, which holds
`v1,` + base64 of HMAC-SHA256 over `{id}.{timestamp}.{body}`, several of them while a secret is rotated.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

from adapters.helpdesks.inbound import Headers, Malformed, Unproven, one_header
from domain.model import EFFECT_PATTERN

WINDOW_S = 300
MOST_SIGNATURES = 16
LEAST_KEY_BYTES = 16
_ID = re.compile(r"[!-~]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_EFFECT = re.compile(EFFECT_PATTERN)
_TICKET_ID = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")


class StandardWebhooks:
    """The generic source: anything that can sign a small JSON document."""

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: float) -> str:
        """The message's id, which is the same on every retry. Raises `Unproven`."""
        id_ = one_header(headers, "webhook-id", _ID)
        timestamp = one_header(headers, "webhook-timestamp", _TIMESTAMP)
        if abs(now - int(timestamp)) > WINDOW_S:
            raise Unproven
        given = _signatures(headers)
        # A key that is nearly empty proves nothing, whoever configured it.
        strong = [secret for secret in secrets if len(_key(secret)) >= LEAST_KEY_BYTES]
        expected = [signature(secret, id_, timestamp, body) for secret in strong]
        if not _any_equal(given, expected):
            raise Unproven
        return id_

    def route(self, document: object) -> str | None:
        """The helpdesk's id of the ticket, or None where the document names none. Raises `Malformed`."""
        if not isinstance(document, dict):
            raise Malformed
        ticket_id = document.get("ticket_id")
        if isinstance(ticket_id, int) and not isinstance(ticket_id, bool):
            ticket_id = str(ticket_id)
        if not isinstance(ticket_id, str) or _TICKET_ID.fullmatch(ticket_id) is None:
            return None
        return ticket_id

    def is_echo(self, document: object) -> bool:
        """A program's message under one of our effect keys, which went out as idempotency keys."""
        if not isinstance(document, dict) or document.get("author") != "automation":
            return False
        reference = document.get("reference")
        return isinstance(reference, str) and _EFFECT.fullmatch(reference) is not None


def signature(secret: str, id_: str, timestamp: str, body: bytes) -> bytes:
    """What a right `webhook-signature` of this message is. `secret` is `whsec_` + base64 of the key."""
    signed = b".".join((id_.encode(), timestamp.encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return b"v1," + base64.b64encode(digest)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        # A secret that is not base64 is used as it is written.
        return secret.encode()


def _signatures(headers: Headers) -> list[bytes]:
    value = one_header(headers, "webhook-signature", re.compile(r"[!-~ ]{1,2048}"))
    return [one.encode() for one in value.split(" ") if one][:MOST_SIGNATURES]


def _any_equal(given: Sequence[bytes], expected: Sequence[bytes]) -> bool:
    # Every pair is compared, so that the time taken does not tell which one was near.
    matches = [hmac.compare_digest(one, other) for one in given for other in expected]
    return any(matches)
