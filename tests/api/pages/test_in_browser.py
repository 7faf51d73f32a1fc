"""The pages in a real browser with its scripts switched off: by keyboard, wide and narrow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from domain.decision import Verdict
from domain.handoff import HandoffReason
from tests.api.pages.conftest import Office, an_app
from tests.end_to_end.browser import running_browser

pytestmark = pytest.mark.browser

WIDE = {"width": 1180, "height": 800}
LOUD = ("error", "warning")
NARROW = {"width": 400, "height": 800}


@asynccontextmanager
async def served(app: FastAPI, port: int) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture
async def address(office: Office, unused_tcp_port: int) -> AsyncIterator[str]:
    # No worker is here that could tell a run.
    app = an_app(office.databases, office.door_keys, patience_s=0.1)
    async with served(app, unused_tcp_port) as address:
        yield address


@asynccontextmanager
async def without_scripts(browser: Browser, width: dict[str, int]) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(java_script_enabled=False, viewport=width)  # type: ignore[arg-type]
    try:
        yield context
    finally:
        await context.close()


async def _log_in(page: Page, address: str, office: Office) -> None:
    link = await office.logins.issue_link(office.tenant_id, office.teammate)
    await page.goto(f"{address}/login/{link}")
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{address}/queue")


async def test_teammate_logs_in_takes_over_and_logs_out_without_scripts(
    office: Office, address: str, browser: Browser
) -> None:
    story, decision = await office.asked()
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in LOUD:
            problems.append(message.text)

    async with without_scripts(browser, WIDE) as context:
        page = await context.new_page()
        page.on("console", heard)
        page.on("requestfailed", lambda request: problems.append(request.url))
        await page.goto(f"{address}/decisions/{decision.decision_id}")
        await page.get_by_label("API token").fill(await office.token())
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{address}/decisions/{decision.decision_id}")
        heading = await page.get_by_role("heading", level=1).inner_text()
        await page.get_by_role("link", name="Queue", exact=True).first.click()
        await page.get_by_role("button", name="Take over ticket 1003").click()
        await page.wait_for_url("**/tickets/*?done=take_over&run=*")
        notice = await page.get_by_role("status").inner_text()
        await page.get_by_role("button", name="Log out").click()
        await page.wait_for_url(f"{address}/login")

    assert heading == "Refund: policy asked for a person's approval"
    assert notice.startswith("You hold this ticket now.")
    assert (await story.tickets.owner(story.ticket))[0] == "teammate"
    assert problems == []


async def test_keyboard_reaches_everything_in_reading_order(
    office: Office, address: str, browser: Browser
) -> None:
    await office.asked()
    async with without_scripts(browser, WIDE) as context:
        page = await context.new_page()
        await _log_in(page, address, office)
        await page.goto(f"{address}/queue")
        reached = []
        for _ in range(40):
            await page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if await focused.count():
                reached.append((await focused.text_content() or "").strip())

    wanted = [
        "Skip to the content",
        "Countersign",
        "Queue",
        "Log out",
        "Find",
        "1003",
        "Take over ticket 1003",
    ]
    places = [reached.index(name) for name in wanted]
    assert places == sorted(places), reached


@pytest.mark.parametrize("look", [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")])
async def test_pages_fit_their_width(
    office: Office, address: str, browser: Browser, tmp_path: Path, look: tuple[dict[str, int], str]
) -> None:
    width, scheme = look
    story, decision = await office.asked("A-LONG-NUMBER-OF-A-TICKET-1000000000000000000000000000003")
    request = await story.asked(decision)
    await story.voted(request, office.teammate.id)
    await story.intended(decision, approval=request.approval_id)
    handed = await office.story("1004")
    await handed.tickets.hand_over(handed.ticket, HandoffReason.SUSPECTED_INJECTION)
    await handed.decided(Verdict.DENY)
    paths = ["/queue", f"/tickets/{story.ticket.ticket_id}", f"/decisions/{decision.decision_id}", "/login"]
    async with without_scripts(browser, width) as context:
        page = await context.new_page()
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await _log_in(page, address, office)
        for path in paths:
            await page.goto(address + path)
            await page.screenshot(path=tmp_path / f"{path.split('/')[1]}.png", full_page=True)
            box = await page.locator("body").bounding_box()
            main = await page.locator("main").bounding_box()
            wide = [await table.bounding_box() for table in await page.locator("main > *").all()]
            assert box is not None
            assert main is not None
            assert box["width"] <= width["width"], path
            assert all(part is None or part["x"] + part["width"] <= width["width"] + 1 for part in wide), path
