"""Words to a ticket: the database decides at once, and a row in the inbox tells the run."""

import asyncio
from http import HTTPStatus
from uuid import uuid4

import pytest

from adapters.operator_words import OperatorWord, Word
from adapters.postgres.deliveries import InboxDeliveries
from adapters.postgres.inbox import InboxKind, InboxState
from adapters.postgres.logins import Logins
from adapters.postgres.relay_inbox import RelayInbox
from adapters.postgres.tenant_registry import PrincipalEntry
from api import operator_commands
from domain.ownership import OwnershipAnswer
from domain.ticket import TicketRef
from tests.api.pages.conftest import OURS, Office, an_app, form_token_in
from worker.operator_words import NotHeard, OperatorWords


class Runs:
    """What a ticket's run would hear."""

    def __init__(self, *, running: bool = True) -> None:
        self.heard: list[OperatorWord] = []
        self.running = running
        self.deaf = 0

    async def tell(self, told: OperatorWord) -> bool:
        if self.deaf:
            self.deaf -= 1
            raise NotHeard
        self.heard.append(told)
        return self.running


def a_teller(office: Office, runs: Runs) -> OperatorWords:
    waiting = RelayInbox(office.databases.relay, InboxKind.OPERATOR)
    return OperatorWords(waiting, InboxDeliveries(office.databases.app, office.keys), runs)


async def _until_heard(office: Office, runs: Runs, ticket: TicketRef) -> None:
    teller = a_teller(office, runs)
    while not [told for told in runs.heard if told.ticket == ticket]:
        await teller.round()
        await asyncio.sleep(0)


async def test_button_takes_the_ticket_over_and_tells_its_run(office: Office) -> None:
    story, _ = await office.asked()
    runs = Runs()
    async with office.logged_in() as browser:
        form = {"form_token": form_token_in((await browser.get("/queue")).text)}
        path = f"/tickets/{story.ticket.ticket_id}"
        answer, _ = await asyncio.gather(
            browser.post(f"{path}/take_over", data=form, headers=OURS),
            _until_heard(office, runs, story.ticket),
        )
        page = (await browser.get(answer.headers["location"])).text
        mine = (await browser.get("/queue?show=mine")).text

    [told] = [told for told in runs.heard if told.ticket == story.ticket]
    assert (told.word, told.principal, told.owner_epoch) == (Word.TAKE_OVER, office.teammate.id, 1)
    assert answer.headers["location"] == f"{path}?done=take_over&run=told"
    assert "You hold this ticket now" in page
    assert "<dd>You</dd>" in page
    assert "Hand back<" in page
    assert "Take over<" not in page
    assert "1003" in mine


@pytest.mark.parametrize(("running", "run"), [(True, "told"), (False, "no_run")])
async def test_api_answers_who_owns_the_ticket_now(office: Office, run: str, *, running: bool) -> None:
    story = await office.story()
    runs = Runs(running=running)
    async with office.visit(authorization=f"Bearer {await office.token()}") as program:
        path = f"/api/tickets/{story.ticket.ticket_id}"
        answers = []
        for word in ("take-over", "stop", "hand-back"):
            runs.heard.clear()
            answer, _ = await asyncio.gather(
                program.post(f"{path}/{word}"), _until_heard(office, runs, story.ticket)
            )
            answers.append(OwnershipAnswer.model_validate(answer.json()))

    assert [(answer.owner, answer.owner_epoch, answer.run) for answer in answers] == [
        ("teammate", 1, run),
        ("teammate", 2, run),
        ("automation", 3, run),
    ]


async def test_owner_changes_although_no_worker_answers(office: Office) -> None:
    story = await office.story()
    office.app = an_app(office.databases, office.door_keys, patience_s=0.1)
    async with office.visit(authorization=f"Bearer {await office.token()}") as program:
        answer = (await program.post(f"/api/tickets/{story.ticket.ticket_id}/take-over")).json()

    assert (answer["owner"], answer["run"]) == ("teammate", "later")
    assert (await story.tickets.owner(story.ticket))[0] == "teammate"


async def test_word_is_told_again_until_it_is_heard(office: Office) -> None:
    story = await office.story()
    runs = Runs()
    runs.deaf = 10_000
    teller = a_teller(office, runs)
    async with office.visit(authorization=f"Bearer {await office.token()}") as program:
        asking = asyncio.create_task(program.post(f"/api/tickets/{story.ticket.ticket_id}/take-over"))
        while runs.deaf == 10_000:
            await teller.round()
            await asyncio.sleep(0)
        runs.deaf = 0
        waiting = asyncio.create_task(_until_heard(office, runs, story.ticket))
        answer = (await asking).json()
        await waiting

    assert answer["run"] == "told"


async def test_the_same_word_again_changes_nothing(office: Office) -> None:
    story = await office.story()
    runs = Runs()
    path = f"/api/tickets/{story.ticket.ticket_id}/take-over"
    async with office.visit(authorization=f"Bearer {await office.token()}") as program:
        first, _ = await asyncio.gather(program.post(path), _until_heard(office, runs, story.ticket))
        second = await program.post(path)

    assert [first.json()["changed"], second.json()["changed"]] == [True, False]
    assert second.json()["run"] == "told"
    assert len(runs.heard) == 1


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("hand-back", HTTPStatus.CONFLICT, "command_refused.not_taken_over"),
        ("explode", HTTPStatus.UNPROCESSABLE_ENTITY, "unprocessable"),
    ],
)
async def test_what_cannot_be_is_a_problem(office: Office, word: str, status: HTTPStatus, code: str) -> None:
    story = await office.story()
    async with office.visit(authorization=f"Bearer {await office.token()}") as program:
        answer = await program.post(f"/api/tickets/{story.ticket.ticket_id}/{word}")

    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:countersign:problem:{code}"


async def test_reader_without_the_right_is_refused_and_sees_no_buttons(office: Office) -> None:
    story = await office.story()
    entry = PrincipalEntry(name="Cleo", slack_team_id="T1", slack_user_id="U0CLEO", roles=("compliance",))
    principal = await office.registry.put_principal(office.tenant_id, entry)
    cleo = next(
        one
        for one in await Logins(office.databases.owner, office.keys).teammates(office.tenant_id)
        if one.id == principal
    )
    _, token = await office.logins.issue_token(office.tenant_id, cleo)
    async with office.visit() as browser:
        await browser.post("/login", data={"token": token}, headers=OURS)
        page = (await browser.get("/queue")).text
        path = f"/tickets/{story.ticket.ticket_id}/take_over"
        answer = await browser.post(path, data={"form_token": form_token_in(page)}, headers=OURS)

    assert "Take over<" not in page
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.json()["type"] == "urn:countersign:problem:command_refused.not_entitled"
    assert (await story.tickets.owner(story.ticket))[0] == "automation"


async def test_ticket_that_never_was_is_not_made(office: Office) -> None:
    async with office.visit(authorization=f"Bearer {await office.token()}") as program:
        answer = await program.post(f"/api/tickets/{uuid4()}/take-over")

    assert answer.status_code == HTTPStatus.NOT_FOUND


async def test_api_is_described(office: Office) -> None:
    async with office.visit() as program:
        described = (await program.get("/openapi.json")).json()

    operations = {path for path in described["paths"] if path.startswith("/api/")}
    assert operations == {
        "/api/tickets",
        "/api/tickets/{ticket_id}",
        "/api/tickets/{ticket_id}/{word}",
        "/api/decisions/{decision_id}",
    }
    told = described["paths"]["/api/tickets/{ticket_id}/{word}"]["post"]
    assert set(told["responses"]) >= {"200", "401", "403", "404", "409", "422", "429", "503"}
    assert told["security"] == [{"HTTPBearer": []}]


def test_states_that_say_how_it_went_are_the_ones_a_row_ends_in() -> None:
    assert set(operator_commands.RUN_WORDS) == {InboxState.CONSUMED, InboxState.REFUSED}
