"""A teammate approves and a customer writes in a real browser, with and without JavaScript."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.end_to_end.browser import HOW_TO_GET, REQUIRED, chromium, running_browser
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import BOOKS, CHANNELS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.browser, pytest.mark.timeout(120)]

SOON_MS = 8_000
MOST_TABS = 30


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
async def test_approved_refund_is_seen_on_every_page(
    system: System, browser: Browser, *, javascript: bool
) -> None:
    by = Person("Hanne Falk" if javascript else "Piet Falk", f"falk.{javascript}@example.com".lower())
    order = await system.sell(BOOKS, by, 140_00)
    words = f"The book of my order {order} arrived damaged, the cover is torn. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    await system.card(sent)
    context = await browser.new_context(java_script_enabled=javascript, base_url=system.emulators.url)
    page = await context.new_page()

    await page.goto(f"/slack/channels/{CHANNELS[BOOKS]}")
    card = page.get_by_test_id("card-waiting")
    await expect(card).to_contain_text("Refund 140.00 EUR?")
    place = await card.get_attribute("data-ts")
    await card.get_by_test_id("button-approval-approve").click()
    await page.get_by_test_id("confirm-yes").click()

    await expect(page.get_by_test_id("banner-sent")).to_be_visible()
    await _closes(page, str(place), by_itself=javascript)
    await _shows(page, "/payments", f'[data-testid="refund-row"][data-order="{order}"]')
    await _shows(page, f"/helpdesk/{BOOKS}/tickets/{sent.number}", '[data-testid="reply-automation"]')
    await expect(page.get_by_test_id("reply-automation")).to_contain_text("140.00 EUR")
    await expect(page.get_by_test_id("ticket-order-refunded")).to_contain_text("140.00 EUR")
    await context.close()


async def test_a_ticket_is_written_by_keyboard_and_answered_on_the_page(
    system: System, browser: Browser
) -> None:
    page = await browser.new_page(base_url=system.emulators.url)
    await page.goto(f"/helpdesk/{BOOKS}/new")
    question = "How can I send a book back, and how long do I have?"
    fields = {"name": "Vera Sund", "email": "vera.sund@example.com", "subject": "Return", "body": question}

    for name, text in fields.items():
        await _tab_to(page, f"ticket-{name}")
        await page.keyboard.type(text)
    await _tab_to(page, "ticket-send")
    await page.keyboard.press("Enter")

    reply = page.get_by_test_id("reply-automation")
    await expect(reply).to_be_visible(timeout=SOON_MS)
    await expect(reply).to_contain_text("Hello Vera")
    await page.close()


async def test_pages_ask_nobody_but_this_machine(system: System, browser: Browser) -> None:
    page = await browser.new_page(base_url=system.emulators.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    for path in ("/", "/slack", f"/helpdesk/{BOOKS}", f"/shop/{BOOKS}", "/payments"):
        await page.goto(path)

    assert len(asked) > 5
    assert {url for url in asked if not url.startswith(system.emulators.url)} == set()
    await page.close()


def test_without_a_browser_it_is_said_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        chromium()
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        chromium()
    assert "\n" not in HOW_TO_GET


async def _closes(page: Page, place: str, *, by_itself: bool) -> None:
    """The card says its answer and has no buttons; without JavaScript after the page is loaded again."""
    card = page.locator(f'[data-ts="{place}"]')
    if not by_itself:
        # With a fragment it would only scroll.
        await _shows(page, page.url.partition("#")[0], f'[data-ts="{place}"]:has-text("Approved")')
    await expect(card).to_contain_text("Approved", timeout=SOON_MS)
    await expect(card.get_by_role("button")).to_have_count(0)


async def _shows(page: Page, path: str, selector: str) -> None:
    """Loads the page until it is there."""

    async def there() -> bool:
        await page.goto(path)
        return await page.locator(selector).count() == 1

    await eventually(there, f"{selector} on {path}", within_s=SOON_MS / 1000)


async def _tab_to(page: Page, name: str) -> None:
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.dataset.testid") == name:
            return
    raise AssertionError(f"The keyboard does not reach {name}")
