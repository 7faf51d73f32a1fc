"""Temporal's JSON form of payloads. What is not opened goes back exactly as it came."""

import base64
import binascii
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from temporalio.api.common.v1 import Payload

from adapters.temporal_codec import ENCODING, PayloadUnreadable, key_id_of
from api.problems import MalformedBody

LIMIT_BYTES = 8_000_000
MOST_PAYLOADS = 1_000


class WirePayload(BaseModel):
    """`data` and the values of `metadata` are base64. Fields we do not know stay in it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    metadata: dict[str, str] = Field(default_factory=dict)
    data: str | None = None


class WirePayloads(BaseModel):
    """The body of a request and of its answer."""

    payloads: list[WirePayload] = Field(default_factory=list, max_length=MOST_PAYLOADS)


def read(body: bytes) -> WirePayloads:
    """Raises `MalformedBody`, whose words repeat nothing of what was sent."""
    try:
        return WirePayloads.model_validate_json(body)
    except ValidationError:
        raise _malformed(f"Send at most {MOST_PAYLOADS} payloads in Temporal's JSON form") from None


def payload_of(sent: WirePayload) -> Payload:
    """Raises `MalformedBody` for what is not base64."""
    try:
        metadata = {name: _bytes(value) for name, value in sent.metadata.items()}
        return Payload(metadata=metadata, data=_bytes(sent.data or ""))
    except ValueError:  # also a lone surrogate in a name
        raise _malformed("A payload is not base64") from None


def wire_of(payload: Payload) -> WirePayload:
    """For the answer."""
    metadata = {name: _text(value) for name, value in payload.metadata.items()}
    return WirePayload(metadata=metadata, data=_text(payload.data))


def is_ours(payload: Payload) -> bool:
    """Whether our workers encrypted it, and its key can be looked for."""
    if payload.metadata.get("encoding") != ENCODING:
        return False
    try:
        key_id_of(payload)
    except PayloadUnreadable:
        return False
    return True


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _malformed(detail: str) -> MalformedBody:
    return MalformedBody(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
