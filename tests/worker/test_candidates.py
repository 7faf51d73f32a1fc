"""What the worker's own step decides is put to the tenant's candidate, and the decision stays what it was."""

from uuid import UUID

import pytest

from activities.policy_input import DecideInput
from adapters.child_pool import ChildPool
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.policy.tables import pack
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.observations import ObservationRecords
from adapters.postgres.policy_register import Place, PolicyRegister, Publication, move_pointer
from domain.action import ProposedAction, SetStatus
from domain.decision import Verdict
from domain.ticket import Mode, Owner, TicketRef, TicketStatus
from tests.conftest import MASTER_KEY, Databases
from worker.parts import Addresses, Parts

TEXT = pack("support_default").read_text()
STATUS = ProposedAction(ordinal=0, action=SetStatus(status=TicketStatus.SOLVED))
# A candidate that refuses the system's filing, and one that nothing can be decided with.
REFUSES = TEXT.replace("set_status, ", "")
LACKS = TEXT.replace("    allow: true\n", "    allow: true\n    tenant_scope: true\n")


async def pointed(databases: Databases, tenant_id: UUID, kind: str, text: str) -> None:
    file, place = published(parse(text)), Place(tenant_id)
    await PolicyRegister(databases.owner).publish(place, file, Publication())
    async with databases.owner.transaction(tenant_id) as session:
        await move_pointer(session, place, kind, file.version)


@pytest.mark.parametrize(
    ("candidate", "different", "unknown"), [(REFUSES, 1, 0), (LACKS, 0, 1), (TEXT + "\n# the same\n", 0, 0)]
)
async def test_candidate_sees_what_was_decided_and_decides_nothing(
    *,
    databases: Databases,
    database_urls: DatabaseUrls,
    ticket: TicketRef,
    candidate: str,
    different: int,
    unknown: int,
) -> None:
    await pointed(databases, ticket.tenant_id, "active", TEXT)
    await pointed(databases, ticket.tenant_id, "candidate", candidate)
    urls = database_urls
    addresses = Addresses(
        urls.app, urls.egress, urls.relay, urls.sealer, urls.key_app, slack_api="http://127.0.0.1:1"
    )
    parts = Parts(addresses, MASTER_KEY, ChildPool(2))
    (decide,) = [step for step in parts.steps() if step.__name__ == "decide"]
    asked = DecideInput(ticket=ticket, turn=0, mode=Mode.AUTOMATE, owner=Owner.AUTOMATION, actions=(STATUS,))

    decided = await decide(asked)
    await parts.candidates.round()

    assert [made.verdict for made in decided.decisions] == [Verdict.ALLOW]
    [seen] = await ObservationRecords(databases.door).observed(ticket.tenant_id)
    assert (seen.decisions, seen.different, seen.unknown) == (1, different, unknown)
    await parts.app.close()
