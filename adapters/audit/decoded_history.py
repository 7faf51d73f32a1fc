"""A history in clear: every payload that the tenant's key opens, in place of its ciphertext."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from google.protobuf.json_format import ParseDict
from temporalio.api.common.v1 import Payload

from adapters.temporal_codec import ENCODING, PayloadUnreadable, TenantCodec

# What of a history names a version of something that shaped an answer.
VERSIONED = frozenset({"classifier", "prompt", "recognizers", "policy_version", "model", "renderer_version"})


async def decoded(history: str, codec: TenantCodec) -> Any:
    """What cannot be opened says so: {"unreadable": why}."""
    return await _opened(json.loads(history), codec)


def versions_in(history: Any) -> Iterator[tuple[str, str]]:
    """Each version that a decoded history names, with what it is a version of."""
    if isinstance(history, dict):
        for name, value in history.items():
            if name in VERSIONED and isinstance(value, str):
                yield name, value
            yield from versions_in(value)
    elif isinstance(history, list):
        for value in history:
            yield from versions_in(value)


async def _opened(value: Any, codec: TenantCodec) -> Any:
    if isinstance(value, list):
        return [await _opened(item, codec) for item in value]
    if not isinstance(value, dict):
        return value
    if "encoding" in (value.get("metadata") or {}):
        return await _content(value, codec)
    return {name: await _opened(item, codec) for name, item in value.items()}


async def _content(value: dict[str, Any], codec: TenantCodec) -> Any:
    if b64decode(value["metadata"]["encoding"]) != ENCODING:
        return _plain(ParseDict(value, Payload()))  # the SDK's own, such as what it says of a local step
    try:
        payload = (await codec.decode([ParseDict(value, Payload())]))[0]
    except PayloadUnreadable:
        return {"unreadable": "other_key"}
    return _plain(payload)


def _plain(payload: Payload) -> Any:
    encoding = payload.metadata["encoding"].decode()
    if encoding == "binary/null":
        return None
    if encoding.startswith("json/"):
        return json.loads(payload.data)
    return {"encoding": encoding, "bytes": len(payload.data)}
