"""The queue: what waits for whom, in few statements and for one tenant."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from adapters.postgres.queue import PAGE, QueueView
from domain.decision import Verdict
from domain.handoff import HandoffReason
from domain.ticket import ClosingRecord, Settlement, Stage
from tests.adapters.postgres.story import Story
from tests.api.pages.conftest import OURS, Office, counted, form_token_in

SAID = text("""
    insert into effects (tenant_id, id, ticket_id, type, digest, proposed, decision_id, receipt_id)
    values (:tenant, 'eff_' || repeat('0', 40), :ticket, 'slack_post', 'd', '{}', 'd', 'C0SUPPORT:17.5')
""")
STUCK = text("""
    insert into inbox (tenant_id, id, kind, source, route, delivery_key, body)
    values (:tenant, gen_random_uuid(), 'helpdesk', 'generic', :route, :key, 'sealed')
""")


async def _handed_over(office: Office, number: str, reason: HandoffReason) -> Story:
    story = await office.story(number)
    await story.tickets.hand_over(story.ticket, reason)
    return story


async def _one_of_each(office: Office) -> None:
    await office.asked("1")
    story = await office.story("2")
    await story.asked(await story.decided(Verdict.APPROVAL_NEEDED), expires_in=timedelta(minutes=-5))
    await _handed_over(office, "3", HandoffReason.ASKED_FOR_HUMAN)
    await _handed_over(office, "4", HandoffReason.QUARANTINED)
    answered = await office.story("5")
    settled = Settlement(record=ClosingRecord(), stage=Stage.WAITING_FOR_CUSTOMER, reason="answered")
    await answered.tickets.settle(answered.ticket, settled)
    unknown = await office.story("6")
    intent = await unknown.allowed()
    await unknown.claim(intent)
    async with office.databases.egress.transaction(office.tenant_id) as session:
        await session.execute(
            text("select record_effect(:tenant, :key, 'unknown', null, null, null)"),
            {"tenant": office.tenant_id, "key": intent.key},
        )
    stuck = await office.story("7")
    values = {"tenant": office.tenant_id, "route": stuck.ticket.route, "key": stuck.ticket.route}
    async with office.databases.owner.transaction(office.tenant_id) as session:
        await session.execute(STUCK, values)
        await session.execute(text("update inbox set attempts = 9 where route = :route"), values)


def _numbers(page: str) -> list[str]:
    return [
        part.partition("<")[0]
        for part in page.split('class="number"')[1:]
        for part in [part.partition(">")[2]]
    ]


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (QueueView.ALL, ["7", "6", "5", "4", "3", "2", "1"]),
        (QueueView.APPROVAL, ["2", "1"]),
        (QueueView.OVERDUE, ["2", "1"]),  # due within the hour counts
        (QueueView.MINE, []),
        (QueueView.TEAMMATE, ["4", "3"]),
        (QueueView.CUSTOMER, ["5"]),
        (QueueView.UNKNOWN, ["6"]),
        (QueueView.QUARANTINE, ["4"]),
        (QueueView.STOPPED, []),
        (QueueView.STUCK, ["7"]),
    ],
)
async def test_each_view_shows_its_tickets_newest_first(
    office: Office, view: QueueView, expected: list[str]
) -> None:
    await _one_of_each(office)
    async with office.logged_in() as browser:
        page = (await browser.get(f"/queue?show={view}")).text

    assert _numbers(page) == expected
    assert f"<span>{len(expected)}</span></a>" in page.partition(f'show={view}"')[2][:120]


async def test_customer_who_has_heard_nothing_in_the_promised_time_is_shown(office: Office) -> None:
    await office.story("silent")
    settled = await office.story("answered")
    done = Settlement(record=ClosingRecord(), stage=Stage.WAITING_FOR_CUSTOMER, reason="answered")
    await settled.tickets.settle(settled.ticket, done)
    promise = text("""
        update tenants
            set configuration = jsonb_set(configuration, '{settings,acknowledge_within_s}', :seconds)
    """)
    shown = []
    for seconds in ("null", "3600", "0"):
        async with office.databases.owner.transaction(office.tenant_id) as session:
            await session.execute(promise, {"seconds": seconds})
        async with office.logged_in() as browser:
            shown.append(_numbers((await browser.get("/queue?show=overdue")).text))

    assert shown == [[], [], ["silent"]]


async def test_line_says_who_is_waited_for_and_until_when(office: Office) -> None:
    await _one_of_each(office)
    async with office.logged_in() as browser:
        page = (await browser.get("/queue")).text

    assert "Approval by approvers" in page
    assert "overdue 5 min ago" in page
    assert "due in 59 min" in page
    assert "1 unknown effect<" in page
    assert "1 stuck delivery<" in page
    assert "Quarantined<" in page


async def test_links_lead_to_helpdesk_slack_and_workflow(office: Office) -> None:
    story = await office.story()
    async with office.databases.owner.transaction(office.tenant_id) as session:
        await session.execute(SAID, {"tenant": office.tenant_id, "ticket": story.ticket.ticket_id})
    async with office.logged_in() as browser:
        page = (await browser.get("/queue")).text

    team = f"T{office.tenant_id.hex[:10].upper()}"
    assert 'href="https://desk.test/tickets/1003"' in page
    assert f'href="https://slack.test/{team}/C0SUPPORT/17.5"' in page
    workflow = f"ticket%3A{office.tenant_id}%3A{story.ticket.route}"
    assert f'href="http://127.0.0.1:8233/namespaces/countersign/workflows/{workflow}"' in page


async def test_pages_go_on_where_the_last_one_ended(office: Office) -> None:
    for number in range(PAGE + 3):
        await office.story(str(number))
    async with office.logged_in() as browser:
        first = (await browser.get("/queue")).text
        older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        second = (await browser.get(older.replace("&amp;", "&"))).text
        listed = (await browser.get("/api/tickets")).json()
        rest = (await browser.get("/api/tickets", params={"before": listed["before"]})).json()

    assert _numbers(first) + _numbers(second) == [str(number) for number in reversed(range(PAGE + 3))]
    assert 'rel="next"' not in second
    assert [len(listed["tickets"]), len(rest["tickets"]), rest["before"]] == [PAGE, 3, ""]


async def test_number_of_statements_does_not_grow_with_the_tickets(office: Office) -> None:
    async def statements() -> int:
        async with office.logged_in() as browser:
            await browser.get("/queue")
            with counted(office.databases.door, office.databases.key_door) as asked:
                assert (await browser.get("/queue")).status_code == 200
        return len([one for one in asked if "set_config" not in one])

    await office.asked("1")
    few = await statements()
    await _one_of_each(office)
    for number in range(20, 45):
        await office.asked(str(number))
    many = await statements()

    # Session, counts, list, keys of numbers, places.
    assert (few, many) == (5, 5)


async def test_number_finds_its_ticket(office: Office) -> None:
    story = await office.story("A-17/é")
    async with office.logged_in() as browser:
        found = await browser.get("/queue", params={"number": " #A-17/é "})
        missed = await browser.get("/queue", params={"number": "1<b>"})

    assert found.headers["location"] == f"/tickets/{story.ticket.ticket_id}"
    assert "No ticket has the number" in missed.text
    assert "1&lt;b&gt;" in missed.text


async def test_erased_ticket_shows_no_number(office: Office) -> None:
    story = await office.story()
    async with office.logged_in() as browser:
        before = (await browser.get("/queue")).text
        await office.keys.destroy_ticket_key(office.tenant_id, story.ticket.ticket_id)
        after = (await browser.get("/queue")).text
        page = (await browser.get(f"/tickets/{story.ticket.ticket_id}")).text

    assert _numbers(before) == ["1003"]
    assert _numbers(after) == ["erased"]
    assert "1003" not in after + page


@pytest.mark.parametrize(
    "query", ["show=everything", "before=x", "before=2026-01-01_x", "number=" + "9" * 300]
)
async def test_address_that_we_did_not_make_is_refused(office: Office, query: str) -> None:
    async with office.logged_in() as browser:
        answer = await browser.get(f"/queue?{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


# --- isolation ------------------------------------------------------------------------------------------


async def test_nobody_sees_another_tenants_tickets_or_decisions(office: Office, other_office: Office) -> None:
    story, decision = await office.asked("secret-number-77")
    ticket = f"/tickets/{story.ticket.ticket_id}"
    refused = [
        ticket,
        f"/decisions/{decision.decision_id}",
        f"/decisions/{decision.decision_id}.json",
        f"/api{ticket}",
        f"/api/decisions/{decision.decision_id}",
    ]
    async with other_office.logged_in() as browser:
        queue = (await browser.get("/queue")).text
        found = (await browser.get("/queue?number=secret-number-77")).text
        answers = [await browser.get(path) for path in refused]
        never = [await browser.get("/tickets/" + "0" * 8 + "-0000-0000-0000-" + "0" * 12)]
        never.append(await browser.get("/decisions/dec_" + "0" * 40))
        token = form_token_in(queue)
        told = await browser.post(f"{ticket}/take_over", data={"form_token": token}, headers=OURS)

    assert _numbers(queue) == []
    assert "No ticket has the number" in found
    assert {answer.status_code for answer in [*answers, *never, told]} == {404}
    assert {answer.text for answer in [*answers, told]} == {answer.text for answer in never}
    assert (await story.tickets.owner(story.ticket))[0] == "automation"


async def test_token_of_one_tenant_reads_nothing_of_another(office: Office, other_office: Office) -> None:
    await office.asked()
    bearer = {"authorization": f"Bearer {await other_office.token()}"}
    async with office.visit(**bearer) as program:
        listed = (await program.get("/api/tickets")).json()

    assert listed["tickets"] == []
    assert set(listed["counts"].values()) == {0}
