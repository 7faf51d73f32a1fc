"""An operator reads a ticket's history in the Temporal UI: ciphertext before the sign-in, words after it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, expect

from tests.end_to_end.browser import running_browser
from tests.end_to_end.system import BOOKS, Person, Sent, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.browser, pytest.mark.timeout(120)]

SOON_MS = 15_000
SHOTS = "COUNTERSIGN_SCREENSHOTS"  # a folder; nothing is kept without it
DECODED = "select content from countersign.audit_events where tenant_id = %s and kind = 'payloads_decoded'"


@pytest.fixture(scope="module")
async def waiting(system: System) -> Sent:
    """A ticket that waits for a countersignature, so that its workflow has current details."""
    by = Person("Ingrid Moe", "ingrid.moe@example.com")
    order = await system.sell(BOOKS, by, 140_00)
    words = f"The book of my order {order} arrived damaged, the cover is torn. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    await system.card(sent)
    return sent


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    async with running_browser() as browser:
        yield await _context(browser)


async def test_history_is_ciphertext_until_the_operator_signs_in(
    system: System, waiting: Sent, context: BrowserContext
) -> None:
    page = await context.new_page()
    history = await _history(system, waiting)
    read_before = len(await system.records.rows(DECODED, str(waiting.ticket.tenant_id)))

    await _open(page, history)
    await expect(
        page.get_by_text("binary/encrypted").or_(page.get_by_text("YmluYXJ5L2VuY3J5cHRlZA==")).first
    ).to_be_visible(timeout=SOON_MS)
    await _shot(page, "before")
    assert len(await system.records.rows(DECODED, str(waiting.ticket.tenant_id))) == read_before

    await page.goto(f"{system.stack.codec_url}/sign-in")
    await page.get_by_label("Operator's token").fill(system.stack.secrets.codec_token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_contain_text("You are signed in")
    await _shot(page, "signed_in")
    await page.goto(history)
    await _shot(page, "dialog0")
    await (
        page.get_by_test_id("codec-server-button")
        .or_(page.get_by_test_id("data-encoder-status-configured"))
        .or_(page.get_by_test_id("data-encoder-status"))
        .first.click()
    )
    await _shot(page, "dialog")
