"""Pages: they open, they are safe, they work without JavaScript."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.serving import Receiver, Town, card, ticket

PAGES = [
    "/",
    "/slack/channels/C0HARBOUR",
    "/helpdesk/harbour_books",
    "/helpdesk/harbour_books/new",
    "/helpdesk/harbour_books/tickets/T1",
    "/shop/harbour_books",
    "/payments",
]


@pytest.mark.parametrize("path", PAGES)
async def test_page_opens_and_loads_only_our_own(town: Town, slack: AsyncWebClient, path: str) -> None:
    async with town.control() as control, town.browser() as browser:
        await control.post("/tickets", json=ticket(ticket_id="T1", send_webhook=False))
        await slack.chat_postMessage(channel="C0HARBOUR", text="x", blocks=card())

        page = await browser.get(path)

    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "local emulator" in page.text.lower()
    assert "://" not in page.text
    assert " style=" not in page.text
    assert "onclick" not in page.text


@pytest.mark.parametrize("path", ["/static/pages.css", "/static/live.js", "/static/icon.svg", "/health/live"])
async def test_static_file_is_served(town: Town, path: str) -> None:
    async with town.browser() as browser:
        assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/helpdesk/nobody", "/shop/nobody", "/slack/channels/C0NONE", "/helpdesk/harbour_books/tickets/none"],
)
async def test_unknown_page_says_so_to_people(town: Town, path: str) -> None:
    async with town.browser() as browser:
        page = await browser.get(path)

    assert page.status_code == 404
    assert "Back to the overview" in page.text


async def test_slack_opens_at_the_card_that_waits(town: Town, slack: AsyncWebClient) -> None:
    posted = await slack.chat_postMessage(channel="C0ALPINE", text="x", blocks=card())

    async with town.browser() as browser:
        moved = await browser.get("/slack")
        page = await browser.get("/slack/channels/C0ALPINE")
        home = await browser.get("/")

    assert moved.headers["location"] == f"/slack/channels/C0ALPINE#m-{posted['ts']}"
    assert 'data-testid="card-waiting"' in page.text
    assert "local emulator, not Slack</title>" in page.text
    assert "1 approval in Slack" in home.text


async def test_ephemeral_is_seen_by_its_reader_only(town: Town, slack: AsyncWebClient) -> None:
    await slack.chat_postEphemeral(channel="C0HARBOUR", user="U0JON", text="For Jon")

    async with town.browser() as browser:
        marta = await browser.get("/slack/channels/C0HARBOUR")
        await browser.post("/slack/act-as", data={"user": "U0JON", "channel": "C0HARBOUR"})
        jon = await browser.get("/slack/channels/C0HARBOUR")

    assert "For Jon" not in marta.text
    assert "For Jon" in jon.text
    assert "Only visible to you" in jon.text


async def test_new_ticket_form_opens_and_announces_a_ticket(town: Town, receiver: Receiver) -> None:
    form = {
        "name": "Ida <b>",
        "email": "ida@example.com",
        "subject": "Bent",
        "body": "It is\r\nbent <script>",
    }

    async with town.browser() as browser:
        answer = await browser.post("/helpdesk/harbour_books/new", data=form)
        page = await browser.get(answer.headers["location"])

    await receiver.next()
    assert answer.status_code == 303
    assert "It is\nbent &lt;script&gt;" in page.text
    assert "Ida &lt;b&gt;" in page.text


async def test_unfinished_ticket_form_keeps_what_was_written(town: Town) -> None:
    async with town.browser() as browser:
        page = await browser.post("/helpdesk/harbour_books/new", data={"body": "Half written"})

    assert page.status_code == 422
    assert "Half written" in page.text


async def test_notes_and_replies_are_told_apart(town: Town) -> None:
    async with town.control() as control, town.helpdesk() as helpdesk, town.browser() as browser:
        await control.post("/tickets", json=ticket(ticket_id="T1", send_webhook=False))
        await helpdesk.post("/tickets/T1/replies", json={"body": "Sorry"})
        await helpdesk.post("/tickets/T1/notes", json={"body": "Was refunded"})
        await browser.post("/helpdesk/harbour_books/tickets/T1/customer", data={"body": "Thanks"})
        await browser.post(
            "/helpdesk/harbour_books/tickets/T1/teammate", data={"body": "Hm", "private": "yes"}
        )
        page = (await browser.get("/helpdesk/harbour_books/tickets/T1")).text

    shown = [
        f'data-testid="{name}"' in page for name in ("reply-automation", "note-automation", "note-teammate")
    ]
    assert shown == [True, True, True]
    assert page.count('data-testid="reply-customer"') == 2


async def test_refund_is_seen_in_shop_payments_and_ticket(town: Town) -> None:
    refund = {"payment_id": "pay_HB_1", "amount": 4990, "currency": "EUR", "reference": "eff_1"}
    async with town.control() as control, town.payments() as payments, town.browser() as browser:
        await control.post("/tickets", json=ticket(ticket_id="T1", send_webhook=False))
        await payments.post("/refunds", json=refund, headers={"idempotency-key": "eff_1"})

        pages = [
            (await browser.get(path)).text
            for path in ("/shop/harbour_books", "/payments", "/helpdesk/harbour_books/tickets/T1")
        ]

    assert 'data-testid="order-refunded"><span class="refunded">49.90 EUR' in pages[0]
    assert 'data-testid="refund-row"' in pages[1]
    assert "49.90 EUR refunded" in pages[2]


async def test_long_list_comes_in_pages(town: Town) -> None:
    many = [ticket(ticket_id=f"T{n}", send_webhook=False) for n in range(45)]

    async with town.control() as control, town.browser() as browser:
        await control.post("/tickets", json={"tickets": many})
        first = (await browser.get("/helpdesk/harbour_books")).text
        rest = (await browser.get("/helpdesk/harbour_books?start=40")).text

    assert (first.count('data-testid="ticket-row"'), rest.count('data-testid="ticket-row"')) == (40, 5)


async def test_crowded_channel_shows_the_newest_and_all_that_waits(town: Town, slack: AsyncWebClient) -> None:
    await slack.chat_postMessage(channel="C0HARBOUR", text="x", blocks=card())
    for number in range(70):
        await slack.chat_postMessage(channel="C0HARBOUR", text=f"Line {number}.")

    async with town.browser() as browser:
        page = (await browser.get("/slack/channels/C0HARBOUR")).text
        whole = (await browser.get("/slack/channels/C0HARBOUR?all=1")).text

    assert 'data-testid="card-waiting"' in page
    assert ("Line 69." in page, "Line 9." in page) == (True, False)
    assert "10 earlier messages left out" in page
    assert "Line 9." in whole


async def test_foreign_host_name_is_refused(town: Town) -> None:
    async with town.browser() as browser:
        answer = await browser.get("/", headers={"host": "rebound.example"})

    assert answer.status_code == 400


async def test_ticket_shows_where_it_was_merged_and_that_a_machine_wrote_it(town: Town) -> None:
    headers = {"Auto-Submitted": "auto-replied"}
    async with town.control() as control, town.browser() as browser:
        first, second = [
            (await control.post("/tickets", json=ticket(send_webhook=False, mail_headers=headers))).json()[
                "id"
            ]
            for _ in range(2)
        ]
        await control.patch(f"/tickets/harbour_books/{second}", json={"merged_into": first, "spam": True})
        one = (await browser.get(f"/helpdesk/harbour_books/tickets/{second}")).text
        all_of_them = (await browser.get("/helpdesk/harbour_books")).text

    assert f'href="/helpdesk/harbour_books/tickets/{first}">#{first}</a>' in one
    assert "Auto-Submitted: auto-replied" in one
    assert 'data-testid="ticket-spam"' in one
    assert f"Merged into #{first}" in all_of_them
