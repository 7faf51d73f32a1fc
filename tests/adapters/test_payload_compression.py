"""Payloads are small, come back whole, and old and hostile ones are read for what they are."""

import hashlib
import zlib

import pytest

from adapters.payload_compression import (
    DICTIONARY_1,
    DICTIONARY_1_SHA256,
    FORM_1,
    RAW_DEFLATE,
    NotInflatable,
    deflate,
    inflate,
)
from domain.decision import PolicyDecision, Verdict

DECISION = PolicyDecision(
    decision_id="dec_" + "0a" * 20,
    verdict=Verdict.ALLOW,
    reasons=(),
    policy_version="sha256:" + "1b" * 32,
    action_digest="sha256:" + "2c" * 32,
    input_digest="sha256:" + "3d" * 32,
)


def test_dictionary_is_never_edited() -> None:
    assert hashlib.sha256(DICTIONARY_1.read_bytes()).hexdigest() == DICTIONARY_1_SHA256


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\x0a\x04text", DECISION.model_dump_json().encode(), bytes(9000)]
)
def test_what_is_deflated_comes_back(content: bytes) -> None:
    assert inflate(deflate(content)) == content


def test_field_names_cost_almost_nothing() -> None:
    content = DECISION.model_dump_json().encode()

    assert len(deflate(content)) < len(content) / 3


def test_payload_from_before_compression_is_read_as_it_is() -> None:
    assert inflate(b"\x0a\x16json/plain") == b"\x0a\x16json/plain"


@pytest.mark.parametrize("content", [FORM_1, FORM_1 + b"no deflate", deflate(bytes(9000))[:-3]])
def test_broken_payload_is_refused(content: bytes) -> None:
    with pytest.raises(NotInflatable):
        inflate(content)


def test_bomb_is_refused() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, RAW_DEFLATE)

    with pytest.raises(NotInflatable):
        inflate(FORM_1 + bomb.compress(bytes(20 * 1024 * 1024)) + bomb.flush())
