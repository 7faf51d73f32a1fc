"""An operator reads a ticket's history in the Temporal UI: ciphertext before the sign-in, words after it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import BrowserContext, Page, expect

from cli.child_environments import CODEC_TOKEN
from cli.demo_watch import Sent
from tests.end_to_end.browser import running_browser
from tests.end_to_end.system import APPROVE, BOOKS, Person, System
from workflows.ids import ticket_workflow_id

pytestmark = [pytest.mark.end_to_end, pytest.mark.browser, pytest.mark.timeout(240)]

APPROVER = "U0MARTA"
SOON_MS = 30_000
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
        yield await browser.new_context(viewport={"width": 1360, "height": 1400}, locale="en-US")


async def test_history_is_ciphertext_until_the_operator_signs_in(
    system: System, waiting: Sent, context: BrowserContext
) -> None:
    page = await context.new_page()
    workflow = await _address(system, waiting)
    tenant = str(waiting.ticket.tenant_id)

    await page.goto(f"{workflow}/history")
    await expect(page.get_by_test_id("data-encoder-status-error")).to_be_visible(timeout=SOON_MS)
    await _shot(page, "before")
    await expect(page.get_by_test_id("input-and-result")).not_to_contain_text("tenant_id")
    await expect(page.get_by_text("Read the ticket")).to_have_count(0)
    assert await system.records.rows(DECODED, tenant) == []

    await _sign_in(system, page)
    await _tell_the_ui(system, page, f"{workflow}/history")
    await expect(page.get_by_test_id("input-and-result")).to_contain_text(f'"{tenant}"', timeout=SOON_MS)
    await expect(page.get_by_text("Read the ticket").first).to_be_visible()
    await page.goto(f"{workflow}/user-metadata")
    await expect(page.frame_locator("iframe").get_by_text("waiting_for_approval")).to_be_visible(
        timeout=SOON_MS
    )
    assert {content["by"] for (content,) in await system.records.rows(DECODED, tenant)} == {"operator"}

    await system.click(APPROVER, APPROVE, await system.card(waiting))
    await system.rest(waiting)
    await page.goto(f"{workflow}/timeline")
    await expect(page.get_by_text("perform • Perform").first).to_be_visible(timeout=SOON_MS)
    await expect(page.get_by_test_id("input-and-result")).to_contain_text('"outcome": "assumed"')
    await _shot(page, "timeline")


async def _sign_in(system: System, page: Page) -> None:
    token = (system.stack.home.secrets / CODEC_TOKEN).read_text()  # where `countersign up` says it is
    await page.goto(f"{system.stack.codec_url}/sign-in")
    await page.get_by_label("Operator's token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_contain_text("You are signed in")
    await _shot(page, "signed_in")


async def _tell_the_ui(system: System, page: Page, address: str) -> None:
    """Exactly what the sign-in page says."""
    await page.goto(address)
    await page.get_by_test_id("data-encoder-status-error").click()
    await page.get_by_text("Use my browser setting").click()
    await page.get_by_label("Codec Server browser endpoint").fill(system.stack.codec_url)
    await page.get_by_text("Include cross-origin credentials").click()
    await _shot(page, "dialog")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_test_id("data-encoder-title")).to_be_hidden()
    await page.reload()


async def _address(system: System, sent: Sent) -> str:
    """Of the pages about the ticket's run."""
    client = await system.connected.temporal()
    workflow_id = ticket_workflow_id(sent.ticket)
    run = await client.get_workflow_handle(workflow_id).describe()
    namespace, ui = client.namespace, system.stack.temporal_ui_url
    return f"{ui}/namespaces/{namespace}/workflows/{quote(workflow_id, safe='')}/{run.run_id}"


async def _shot(page: Page, name: str) -> None:
    if folder := os.environ.get(SHOTS):  # noqa: TID251 - a switch of tests
        await page.screenshot(path=Path(folder) / f"{name}.png")
