"""What all pages share: templates, filters, safety headers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from emulators.problems import Refused, problem
from emulators.slack_clicks import buttons
from emulators.world import World

Json = dict[str, Any]
TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
}


def page(request: Request, template: str, http_status: int = 200, **content: object) -> HTMLResponse:
    """A rendered page that runs no script but ours."""
    return TEMPLATES.TemplateResponse(request, template, content, status_code=http_status, headers=HEADERS)


async def answer_refused(request: Request, error: Exception) -> Response:
    """A problem for programs, a page for people."""
    if not isinstance(error, Refused):
        raise error
    if "text/html" in request.headers.get("accept", ""):
        return page(request, "problem.html", error.status, title=error.title)
    return problem(error.status, error.code, error.title)


def back_to(path: str) -> RedirectResponse:
    """After a form: look at the result, and a reload repeats nothing."""
    return RedirectResponse(path, status_code=303)


def refuse_other_sites(request: Request) -> None:
    """A page elsewhere must not press our buttons."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Refused(403, "other_site", "This form was sent by another site")


OwnFormsOnly = Depends(refuse_other_sites)


def waiting(message: Json) -> bool:
    """Whether a message still asks somebody to press something."""
    return not message.get("ephemeral_to") and bool(buttons(message["blocks"]))


def waiting_by_channel(world: World) -> dict[str, int]:
    counts: dict[str, int] = {}
    for message in world.slack.with_buttons():
        if waiting(message):
            counts[message["channel"]] = counts.get(message["channel"], 0) + 1
    return counts


def money(amount: Json) -> str:
    """Two decimals, which fits the currencies of the demo."""
    return f"{amount['minor_units'] // 100:,}.{amount['minor_units'] % 100:02d} {amount['currency']}"


def moment(text: str | None) -> str:
    """`20 Nov, 12:04` of an ISO text or of a Slack ts; a dash for nothing."""
    if not text:
        return "–"
    when = _parsed(text)
    return f"{when.day} {when:%b, %H:%M}"


def day(text: str | None) -> str:
    """`20 Nov 2026` of an ISO text; a dash for nothing."""
    if not text:
        return "–"
    when = _parsed(text)
    return f"{when.day} {when:%b %Y}"


def machine(text: str) -> str:
    """The same for a `datetime` attribute."""
    return _parsed(text).isoformat(timespec="seconds")


def initials(name: str) -> str:
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def words(name: str) -> str:
    """`Harbour Books` of `harbour-books`."""
    return name.replace("-", " ").replace("_", " ").title()


def _parsed(text: str) -> datetime:
    if "T" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    return datetime.fromtimestamp(float(text), UTC)


TEMPLATES.env.filters |= {
    "money": money,
    "moment": moment,
    "day": day,
    "machine": machine,
    "initials": initials,
    "words": words,
}
TEMPLATES.env.trim_blocks = True
TEMPLATES.env.lstrip_blocks = True
