"""What a failure leaves in history: its class in clear, its message encrypted, its stack trace nowhere."""

from uuid import uuid4

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import WorkflowSerializationContext

from adapters.in_memory import InMemoryKeys
from adapters.temporal import data_converter
from domain.errors import ChildDied


async def test_failure_keeps_no_stack_trace_and_no_clear_message() -> None:
    context = WorkflowSerializationContext(namespace="n", workflow_id=f"ticket:{uuid4()}:{'0' * 32}")
    converter = data_converter(InMemoryKeys()).with_context(context)
    failure = Failure()
    error = _raised()

    await converter.encode_failure(error, failure)

    assert failure.application_failure_info.type == "ChildDied"
    assert "died" not in failure.message
    assert converter.payload_codec
    await converter.payload_codec.decode_failure(failure)
    assert b"died" in failure.encoded_attributes.data
    assert __file__.encode() not in failure.encoded_attributes.data
    assert not failure.stack_trace
    assert error.__traceback__ is not None, "the worker's own log still needs it"


def _raised() -> ChildDied:
    with pytest.raises(ChildDied) as caught:
        _die()
    return caught.value


def _die() -> None:
    raise ChildDied
