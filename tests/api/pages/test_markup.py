"""Whatever a page shows is text; and every answer carries the headers that keep it so."""

from sqlalchemy import text

from adapters.postgres.decision_records import DecisionRecords
from adapters.postgres.tenant_registry import PrincipalEntry
from tests.api.pages.conftest import HOST, Office

MARKUP = """<script>alert(1)</script>"><img src=x onerror=alert(1)>'&{{7*7}}"""
PLANT = (
    text("update tickets set stage = :text, reason = :text, outcome = :text"),
    text("""
        insert into approval_refusals (tenant_id, approval_id, principal_id, why)
        values (:tenant, :approval, :text, :text)
    """),
    text("""
        insert into effects
            (tenant_id, id, ticket_id, type, digest, proposed, decision_id, refusal, receipt_id)
        values (:tenant, 'eff_' || repeat('0', 40), :ticket, 'refund', 'd', '{}', :decision, :text, :text)
    """),
    text("""
        insert into decisions (tenant_id, id, ticket_id, turn, action_type, action_digest, verdict,
            policy_version, input_digest, input, reasons, messages, latency_us)
        select tenant_id, 'dec_' || repeat('1', 40), ticket_id, turn, :text, :text, verdict, :text, :text,
            jsonb_build_object(cast(:text as text), cast(:text as text)), reasons, array[:text], 1
          from decisions
    """),
)


async def test_whatever_is_shown_is_shown_as_text(office: Office) -> None:
    story, decision = await office.asked(MARKUP)
    tenant_id, ticket_id = office.tenant_id, story.ticket.ticket_id
    mallory = PrincipalEntry(name=MARKUP, slack_team_id="T1", slack_user_id="U0MAL", groups=("approvers",))
    voter = await office.registry.put_principal(tenant_id, mallory)
    [asked] = (await DecisionRecords(office.databases.door).of_ticket(tenant_id, ticket_id)).approvals
    await story.voted(await story.asked(decision), voter)
    values = {"tenant": tenant_id, "ticket": ticket_id, "text": MARKUP}
    values |= {"approval": asked.id, "decision": decision.decision_id}
    async with office.databases.owner.transaction(tenant_id) as session:
        for plant in PLANT:
            await session.execute(plant, values)
    paths = [
        f"/decisions/{decision.decision_id}",
        "/decisions/dec_" + "1" * 40,
        f"/tickets/{ticket_id}",
        "/queue",
    ]
    paths += [f"/queue?number={MARKUP}"]

    async with office.logged_in() as browser:
        pages = [await browser.get(path) for path in paths]

    for page in pages:
        assert page.status_code == 200
        assert "<script" not in page.text.lower()
        assert "<img" not in page.text.lower()
        assert "&lt;script&gt;" in page.text.lower()
        assert "{{7*7}}" in page.text


async def test_every_answer_forbids_scripts_frames_and_keeping(office: Office) -> None:
    async with office.logged_in() as browser:
        answers = [await browser.get(path) for path in ("/queue", "/login", "/nowhere", "/api/tickets")]

    for answer in answers:
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"


async def test_pages_hold_no_script_and_no_inline_style(office: Office) -> None:
    story, decision = await office.asked()
    async with office.logged_in() as browser:
        for path in (
            "/login",
            "/queue",
            f"/tickets/{story.ticket.ticket_id}",
            f"/decisions/{decision.decision_id}",
        ):
            page = (await browser.get(path)).text
            assert "<script" not in page
            assert " style=" not in page
            assert " onclick" not in page
            assert 'lang="en"' in page
            assert page.count("<h1>") == 1


async def test_person_gets_a_page_and_a_program_a_problem(office: Office) -> None:
    async with office.logged_in() as browser:
        page = await browser.get("/decisions/nonsense", headers={"accept": "text/html"})
        problem = await browser.get("/decisions/nonsense", headers={"accept": "application/json"})

    assert [page.status_code, problem.status_code] == [404, 404]
    assert page.headers["content-type"].startswith("text/html")
    assert problem.headers["content-type"] == "application/problem+json"


async def test_front_door_leads_to_the_queue(office: Office) -> None:
    async with office.visit() as browser:
        answer = await browser.get("/")

    assert answer.headers["location"] == "/queue"
    assert HOST not in answer.headers["location"]
