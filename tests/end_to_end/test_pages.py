"""A teammate follows a login link to the queue, reads why a person decides, and takes the ticket over."""

from collections.abc import AsyncIterator
from urllib.parse import unquote

import httpx
import pytest
from playwright.async_api import Browser, expect

from domain.ticket import Owner
from tests.end_to_end.browser import running_browser
from tests.end_to_end.system import BOOKS, Person, System
from workflows.ids import ticket_workflow_id

pytestmark = [pytest.mark.end_to_end, pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


async def test_ticket_is_found_explained_and_taken_over_on_pages(system: System, browser: Browser) -> None:
    by = Person("Lotte Brink", "lotte.brink@example.com")
    order = await system.sell(BOOKS, by, 140_00)
    words = f"The book of my order {order} arrived damaged, the cover is torn. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    await system.card(sent)
    link = await system.command("tenant", "link", BOOKS, "Marta Lind")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()

    await page.goto(link.out.strip())
    await page.get_by_role("button", name="Log in").click()
    row = page.get_by_role("row").filter(has_text=sent.number)
    await expect(row).to_contain_text("Approval by approvers")
    leads = [await link.get_attribute("href") for link in await row.locator(".links a").all()]
    await row.get_by_role("link", name="Why a person decides").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "Refund of 140.00 EUR: policy asked for a person's approval"
    )
    await expect(page.locator("main")).to_contain_text("Above 50.00 EUR a person must approve")
    await page.get_by_role("link", name=sent.number).first.click()
    await page.get_by_role("button", name="Take over").click()

    await expect(page.get_by_role("status")).to_contain_text("You hold this ticket now", timeout=15_000)
    assert page.url.endswith("?done=take_over&run=told")
    line = await system.line(sent)
    assert line is not None
    assert line.owner == Owner.TEAMMATE
    helpdesk, slack, workflow = map(str, leads)
    assert unquote(workflow).endswith(f"/workflows/{ticket_workflow_id(sent.ticket)}")
    async with httpx.AsyncClient() as visitor:
        for address in (helpdesk, slack, workflow):
            assert (await visitor.get(address)).status_code == httpx.codes.OK, address
    text = await page.locator("body").inner_text()
    assert "Lotte" not in text
    assert order not in text
