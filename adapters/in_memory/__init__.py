"""Fakes of every port for unit tests, with the real ones' rules and switches for trouble."""

from adapters.in_memory.learning import InMemoryLabelledEdits
from adapters.in_memory.ledger import InMemoryApprovals, InMemoryLedger, KeptApproval
from adapters.in_memory.minds import (
    InMemoryClassifier,
    InMemoryDrafter,
    InMemoryEngine,
    InMemoryKnowledge,
    InMemoryPolicies,
    InMemoryRedactor,
    ScriptedEngine,
)
from adapters.in_memory.outside import InMemoryHelpdesk, InMemorySender, InMemoryShop
from adapters.in_memory.ownership import InMemoryOwnership
from adapters.in_memory.records import (
    InMemoryArtifacts,
    InMemoryDecisions,
    InMemoryDeliveries,
    InMemoryKeys,
    InMemoryTenants,
    InMemoryTickets,
    InMemoryVault,
)
from adapters.in_memory.what_left import InMemoryWhatLeft

__all__ = [
    "InMemoryApprovals",
    "InMemoryArtifacts",
    "InMemoryClassifier",
    "InMemoryDecisions",
    "InMemoryDeliveries",
    "InMemoryDrafter",
    "InMemoryEngine",
    "InMemoryHelpdesk",
    "InMemoryKeys",
    "InMemoryKnowledge",
    "InMemoryLabelledEdits",
    "InMemoryLedger",
    "InMemoryOwnership",
    "InMemoryPolicies",
    "InMemoryRedactor",
    "InMemorySender",
    "InMemoryShop",
    "InMemoryTenants",
    "InMemoryTickets",
    "InMemoryVault",
    "InMemoryWhatLeft",
    "KeptApproval",
    "ScriptedEngine",
]
