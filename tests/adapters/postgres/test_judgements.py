"""A handoff is judged by teammates of the tenant, and the last word counts."""

from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from adapters.postgres.judgements import PostgresJudgements
from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.tables import audit_events, handoff_judgements
from adapters.postgres.tenant_registry import PrincipalEntry, TenantRegistry
from domain.handoff import HandoffReason
from domain.judgement import HandoffStanding, HandoffVerdict, JudgementRefusal, JudgementRefused
from domain.ticket import ClosingRecord, Outcome, Owner, Settlement, Stage, TicketRef
from tests.adapters.postgres.story import Story
from tests.conftest import a_tenant

RIGHT, WRONG = HandoffVerdict.RIGHT, HandoffVerdict.WRONG


async def handed_over(story: Story, reason: str = "low_confidence") -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    epoch = await story.tickets.hand_over(story.ticket, HandoffReason.LOW_CONFIDENCE)
    record = ClosingRecord(turns=1, owner=Owner.TEAMMATE, owner_epoch=epoch, outcome=Outcome.HANDED_OVER)
    await story.tickets.settle(
        story.ticket, Settlement(record=record, stage=Stage.HANDED_OVER, reason=reason)
    )


def the(story: Story, role: str = "door") -> PostgresJudgements:
    return PostgresJudgements(getattr(story.databases, role))


@pytest.mark.parametrize("role", ["app", "door"])
async def test_last_word_counts_and_every_word_is_kept_and_audited(story: Story, role: str) -> None:
    await handed_over(story)
    nora, omar = await story.approver(), await story.approver()
    judgements = the(story, role)

    said = [
        await judgements.judge(story.ticket, who, verdict)
        for who, verdict in ((nora, RIGHT), (nora, RIGHT), (omar, RIGHT), (omar, WRONG))
    ]

    assert [one.changed for one in said] == [True, False, True, True]
    assert await judgements.standing(story.ticket) == HandoffStanding(handed_over=True, verdict=WRONG)
    audited = select(audit_events.c.content).where(audit_events.c.kind == "handoff_judged")
    kept = select(handoff_judgements.c.verdict).order_by(handoff_judgements.c.sequence)
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        events = (await session.execute(audited)).scalars().all()
        assert (await session.execute(kept)).scalars().all() == ["right", "right", "wrong"]
    assert sorted(event["verdict"] for event in events) == ["right", "right", "wrong"]
    assert {event["ticket"] for event in events} == {str(story.ticket.ticket_id)}


async def refusal(story: Story, ticket: TicketRef, who: str) -> JudgementRefusal:
    with pytest.raises(JudgementRefused) as refused:
        await the(story).judge(ticket, who, RIGHT)
    return refused.value.why


async def test_only_teammates_of_the_tenant_judge(story: Story, registry: TenantRegistry) -> None:
    await handed_over(story)
    stranger = PrincipalEntry(name="Eve", slack_team_id="T9", slack_user_id="U0EVE", groups=("approvers",))
    elsewhere = await registry.put_principal(await a_tenant(registry), stranger)
    reader = PrincipalEntry(name="Cleo", slack_team_id="T1", slack_user_id="U0CLEO", roles=("audit",))
    cleo = await registry.put_principal(story.ticket.tenant_id, reader)

    assert await refusal(story, story.ticket, elsewhere) is JudgementRefusal.UNKNOWN_PRINCIPAL
    assert await refusal(story, story.ticket, cleo) is JudgementRefusal.NOT_ENTITLED
    assert (await the(story).standing(story.ticket)).verdict is None


async def test_without_a_handoff_there_is_nothing_to_judge(story: Story) -> None:
    nora = await story.approver()
    unknown = TicketRef(tenant_id=story.ticket.tenant_id, route=uuid4().hex)
    assert await refusal(story, unknown, nora) is JudgementRefusal.UNKNOWN_TICKET

    await story.tickets.open(story.ticket, "1001", "generic")
    assert await refusal(story, story.ticket, nora) is JudgementRefusal.NOT_HANDED_OVER


async def test_ticket_that_a_teammate_took_was_not_handed_over(story: Story) -> None:
    nora = await story.approver()
    await story.tickets.open(story.ticket, "1001", "generic")
    change = await PostgresOwnership(story.databases.door).take_over(story.ticket, nora)
    record = ClosingRecord(owner=Owner.TEAMMATE, owner_epoch=change.owner_epoch, outcome=Outcome.HANDED_OVER)
    taken = Settlement(record=record, stage=Stage.HANDED_OVER, reason="taken_over")
    await story.tickets.settle(story.ticket, taken)

    assert await refusal(story, story.ticket, nora) is JudgementRefusal.NOT_HANDED_OVER


async def test_handoff_is_judged_also_after_a_teammate_has_taken_it(story: Story) -> None:
    await handed_over(story)
    nora = await story.approver()
    await PostgresOwnership(story.databases.door).take_over(story.ticket, nora)

    assert (await the(story).judge(story.ticket, nora, WRONG)).changed


@pytest.mark.parametrize("role", ["egress", "relay"])
async def test_other_processes_judge_nothing(story: Story, role: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await the(story, role).judge(story.ticket, "principal_" + 24 * "1", RIGHT)


async def test_only_two_words_count(story: Story) -> None:
    await handed_over(story)
    named = {
        "tenant": story.ticket.tenant_id,
        "ticket": story.ticket.ticket_id,
        "who": await story.approver(),
    }

    with pytest.raises(DBAPIError, match="judged_verdict"):
        await story.databases.app.call(text("select judge_handoff(:tenant, :ticket, :who, 'perhaps')"), named)
