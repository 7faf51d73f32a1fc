"""Two buttons on a ticket that was handed over."""

from http import HTTPStatus

import pytest

from domain.handoff import HandoffReason
from domain.ticket import ClosingRecord, Outcome, Owner, Settlement, Stage
from tests.adapters.postgres.story import Story
from tests.api.pages.conftest import OURS, Office, form_token_in

BUTTON = "Handoff was wrong</button>"


async def a_handoff(office: Office) -> Story:
    story = await office.story()
    epoch = await story.tickets.hand_over(story.ticket, HandoffReason.LOW_CONFIDENCE)
    record = ClosingRecord(turns=1, owner=Owner.TEAMMATE, owner_epoch=epoch, outcome=Outcome.HANDED_OVER)
    settlement = Settlement(record=record, stage=Stage.HANDED_OVER, reason="low_confidence")
    await story.tickets.settle(story.ticket, settlement)
    return story


async def test_button_judges_the_handoff(office: Office) -> None:
    path = f"/tickets/{(await a_handoff(office)).ticket.ticket_id}"
    async with office.logged_in() as browser:
        before = (await browser.get(path)).text
        form = {"form_token": form_token_in(before)}
        answer = await browser.post(f"{path}/handoff/wrong", data=form, headers=OURS)
        after = (await browser.get(answer.headers["location"])).text

    assert "Nobody has judged it." in before
    assert BUTTON in before
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}#handoff")
    assert "Judged wrong." in after


async def test_ticket_that_was_not_handed_over_has_no_buttons_and_is_refused(office: Office) -> None:
    path = f"/tickets/{(await office.story()).ticket.ticket_id}"
    async with office.logged_in() as browser:
        page = (await browser.get(path)).text
        form = {"form_token": form_token_in(page)}
        answer = await browser.post(f"{path}/handoff/right", data=form, headers=OURS)

    assert BUTTON not in page
    assert answer.status_code == HTTPStatus.CONFLICT
    assert answer.json()["type"] == "urn:countersign:problem:judgement_refused.not_handed_over"


@pytest.mark.parametrize(
    ("verdict", "token", "status"),
    [
        ("perhaps", True, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("right", False, HTTPStatus.FORBIDDEN),
    ],
)
async def test_other_words_and_foreign_forms_are_refused(
    office: Office, verdict: str, status: HTTPStatus, *, token: bool
) -> None:
    path = f"/tickets/{(await a_handoff(office)).ticket.ticket_id}"
    async with office.logged_in() as browser:
        form = {"form_token": form_token_in((await browser.get(path)).text) if token else "x"}
        answer = await browser.post(f"{path}/handoff/{verdict}", data=form, headers=OURS)

    assert answer.status_code == status


async def test_ticket_of_another_tenant_is_not_found(office: Office, other_office: Office) -> None:
    theirs = f"/tickets/{(await a_handoff(other_office)).ticket.ticket_id}"
    async with office.logged_in() as browser:
        form = {"form_token": form_token_in((await browser.get("/queue")).text)}
        answer = await browser.post(f"{theirs}/handoff/right", data=form, headers=OURS)

    assert answer.status_code == HTTPStatus.NOT_FOUND
