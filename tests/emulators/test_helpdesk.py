"""The helpdesk's REST door: tokens, idempotency keys, statuses, tags."""

import httpx
import pytest

from tests.emulators.serving import Town, ticket


async def _open(town: Town, **changes: object) -> str:
    async with town.control() as control:
        opened = await control.post("/tickets", json=ticket(send_webhook=False, **changes))
    ticket_id: str = opened.json()["id"]
    return ticket_id


async def _reply(helpdesk: httpx.AsyncClient, path: str, body: str, key: str | None) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await helpdesk.post(path, json={"body": body}, headers=headers)


async def test_ticket_is_read_with_requester_and_messages(town: Town) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        found = (await helpdesk.get(f"/tickets/{ticket_id}")).json()

    assert found["requester"]["phone"] == "+45 20 12 34 56"
    assert (found["subject"], found["status"], found["tags"]) == ("Bent cover", "open", [])
    assert [(m["author"], m["body"], m["public"]) for m in found["messages"]] == [
        ("customer", "It is bent.", True)
    ]


@pytest.mark.parametrize(
    "sent", [b"", b"Bearer", b"Bearer wrong", b"Bearer hd-other", b"Basic hd-token", b"Bearer \xfc"]
)
async def test_wrong_token_is_refused(town: Town, sent: bytes) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        answer = await helpdesk.get(f"/tickets/{ticket_id}", headers={b"authorization": sent})

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/tickets/9999", "/tickets/nothing"])
async def test_unknown_ticket_is_a_problem(town: Town, path: str) -> None:
    async with town.helpdesk() as helpdesk:
        answers = [
            await helpdesk.get(path),
            await _reply(helpdesk, f"{path}/replies", "Hello", "k"),
            await helpdesk.patch(path, json={"status": "solved"}),
            await helpdesk.post(f"{path}/tags", json={"tags": ["a"]}),
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]


async def test_same_key_and_text_reply_once(town: Town) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        answers = [
            await _reply(helpdesk, f"/tickets/{ticket_id}/replies", "Sorry!", "eff_1") for _ in range(2)
        ]
        found = (await helpdesk.get(f"/tickets/{ticket_id}")).json()

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert [m["reference"] for m in found["messages"]] == [None, "eff_1"]


@pytest.mark.parametrize(("kind", "body"), [("replies", "Another text"), ("notes", "Sorry!")])
async def test_same_key_for_something_else_is_a_conflict(town: Town, kind: str, body: str) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        await _reply(helpdesk, f"/tickets/{ticket_id}/replies", "Sorry!", "eff_1")
        answer = await _reply(helpdesk, f"/tickets/{ticket_id}/{kind}", body, "eff_1")

    assert answer.status_code == 409


async def test_without_a_key_every_reply_is_a_new_one(town: Town) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        first, second = [
            await _reply(helpdesk, f"/tickets/{ticket_id}/replies", "Sorry!", None) for _ in range(2)
        ]

    assert first.json()["id"] != second.json()["id"]


async def test_tags_are_added_and_status_is_set(town: Town) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        await helpdesk.post(f"/tickets/{ticket_id}/tags", json={"tags": ["refund"]})
        tags = await helpdesk.post(f"/tickets/{ticket_id}/tags", json={"tags": ["gift", "refund"]})
        changed = await helpdesk.patch(f"/tickets/{ticket_id}", json={"status": "pending"})

    assert tags.json() == {"tags": ["refund", "gift"]}
    assert changed.json()["status"] == "pending"


@pytest.mark.parametrize("body", [{"status": "exploded"}, {}, []])
async def test_malformed_change_is_refused(town: Town, body: object) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        answer = await helpdesk.patch(f"/tickets/{ticket_id}", json=body)

    assert answer.status_code == 422
    assert answer.json()["code"] == "malformed"


async def test_customer_reply_opens_a_solved_ticket(town: Town) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk, town.control() as control:
        await helpdesk.patch(f"/tickets/{ticket_id}", json={"status": "solved"})
        await control.post(f"/tickets/harbour_books/{ticket_id}/messages", json={"body": "Still bent"})
        found = (await helpdesk.get(f"/tickets/{ticket_id}")).json()

    assert found["status"] == "open"


async def test_updated_tickets_are_listed(town: Town) -> None:
    ticket_id = await _open(town)

    async with town.helpdesk() as helpdesk:
        all_of_them = await helpdesk.get("/tickets")
        later = await helpdesk.get("/tickets", params={"updated_since": "2999-01-01T00:00:00Z"})

    assert [entry["id"] for entry in all_of_them.json()["tickets"]] == [ticket_id]
    assert later.json() == {"tickets": []}
