"""A small workflow with a step, a local step, a signal and an update, and a key store in memory."""

import os
from datetime import timedelta
from typing import Literal
from uuid import UUID, uuid4

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from domain.errors import KeyDestroyed, KeyStoreUnavailable
from domain.model import Digest, Model, digest_of
from domain.ports import DataKey
from domain.ticket import TicketRef

PLANTED = "anna.planted@example.com"
TENANT = UUID("0191d2a0-0000-7000-8000-000000000001")
OTHER = UUID("0191d2a0-0000-7000-8000-000000000002")
TICKET = TicketRef(tenant_id=TENANT, route="ab" * 16)
TIMEOUT = timedelta(seconds=5)


class InMemoryKeys:
    """Tenant keys that can rotate, be destroyed or be out of reach."""

    def __init__(self) -> None:
        self.by_tenant: dict[UUID, list[DataKey]] = {}
        self.destroyed: set[UUID] = set()
        self.away = False
        self.reads = 0

    def rotate(self, tenant_id: UUID) -> DataKey:
        self.by_tenant.setdefault(tenant_id, []).append(DataKey(uuid4(), os.urandom(32)))
        return self.by_tenant[tenant_id][-1]

    async def tenant_key(self, tenant_id: UUID) -> DataKey:
        self._read()
        kept = self.by_tenant.get(tenant_id) or [self.rotate(tenant_id)]
        return self._alive(kept[-1])

    async def tenant_key_by_id(self, tenant_id: UUID, key_id: UUID) -> DataKey:
        self._read()
        return self._alive(next(key for key in self.by_tenant[tenant_id] if key.id == key_id))

    def _read(self) -> None:
        self.reads += 1
        if self.away:
            raise KeyStoreUnavailable

    def _alive(self, key: DataKey) -> DataKey:
        if key.id in self.destroyed:
            raise KeyDestroyed
        return key


class Weighing(Model):
    """What a step gets."""

    ticket: TicketRef
    prompt: Literal["v1", "v2"] = "v1"


class Weighed(Model):
    """What a step answers."""

    input_digest: Digest


class Wake(Model):
    """A signal."""

    tenant_id: UUID


@activity.defn
async def weigh(given: Weighing) -> Weighed:
    """Says what it was given."""
    return Weighed(input_digest=digest_of(given))


@activity.defn
async def fail(given: Weighing) -> Weighed:
    """Fails with a text that must not be readable."""
    raise ApplicationError(f"could not reach {PLANTED}", given.prompt, non_retryable=True)


@workflow.defn(name="Story")
class Story:
    """Weighs twice, waits for a wake-up."""

    prompt: Literal["v1", "v2"] = "v1"

    def __init__(self) -> None:
        self._woken = False

    @workflow.run
    async def run(self, ticket: TicketRef) -> Weighed:
        given = Weighing(ticket=ticket, prompt=self.prompt)
        await workflow.execute_local_activity(
            weigh, given, start_to_close_timeout=TIMEOUT, summary="Weigh here"
        )
        await workflow.wait_condition(lambda: self._woken)
        return await workflow.execute_activity(
            weigh, given, start_to_close_timeout=TIMEOUT, summary="Weigh there"
        )

    @workflow.signal
    async def woken(self, _: Wake) -> None:
        self._woken = True

    @workflow.update
    async def weigh_again(self, _: Wake) -> bool:
        return self._woken

    @workflow.query
    def is_awake(self) -> bool:
        return self._woken


@workflow.defn(name="Story")
class ChangedPrompt:
    """The same commands with another prompt, which Temporal itself does not notice."""

    def __init__(self) -> None:
        self._woken = False

    @workflow.run
    async def run(self, ticket: TicketRef) -> Weighed:
        given = Weighing(ticket=ticket, prompt="v2")
        await workflow.execute_local_activity(
            weigh, given, start_to_close_timeout=TIMEOUT, summary="Weigh here"
        )
        await workflow.wait_condition(lambda: self._woken)
        return await workflow.execute_activity(
            weigh, given, start_to_close_timeout=TIMEOUT, summary="Weigh there"
        )

    @workflow.signal
    async def woken(self, _: Wake) -> None:
        self._woken = True


@workflow.defn(name="Failing")
class Failing:
    """Ends with the failure of its step."""

    @workflow.run
    async def run(self, ticket: TicketRef) -> Weighed:
        return await workflow.execute_activity(fail, Weighing(ticket=ticket), start_to_close_timeout=TIMEOUT)


@workflow.defn(name="Straying")
class Straying:
    """Hands a step the ticket of another tenant."""

    @workflow.run
    async def run(self, ticket: TicketRef) -> Weighed:
        stray = Weighing(ticket=TicketRef(tenant_id=OTHER, route=ticket.route))
        return await workflow.execute_activity(
            weigh, stray, start_to_close_timeout=TIMEOUT, retry_policy=RetryPolicy(maximum_attempts=1)
        )
