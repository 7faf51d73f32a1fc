"""A story per test: its own tenant, its own ticket."""

import pytest

from adapters.keys import EnvelopeKeys
from adapters.postgres.tenant_registry import TenantRegistry
from domain.ticket import TicketRef
from tests.adapters.postgres.story import Story
from tests.conftest import Databases


@pytest.fixture
def story(databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, ticket: TicketRef) -> Story:
    return Story(databases, registry, keys, ticket)
