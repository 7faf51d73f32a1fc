"""What all pages share: templates, safety headers, and the page that says what is wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import words
from api.problems import Problem
from api.visitor import NotLoggedIn, Visitor

HERE = Path(__file__).parent
STYLE = "/static/pages.css"
ICON = "/static/icon.svg"
TEMPLATES = Jinja2Templates(directory=HERE / "templates")

HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # Nothing leaves to other sites. `no-referrer` would also take the origin off our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class SafeHeaders:
    """Puts the safety headers on every answer; what an answer says itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Anything but HTTP passes untouched."""

        async def safer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, safer if scope["type"] == "http" else send)


def page(
    request: Request, template: str, visitor: Visitor | None, status: int = 200, **content: object
) -> HTMLResponse:
    """A rendered page. Everything in it is escaped; it runs no script."""
    return TEMPLATES.TemplateResponse(request, template, {"visitor": visitor, **content}, status_code=status)


def see(path: str) -> RedirectResponse:
    """After a form: look at the result, and a reload repeats nothing."""
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER.value)


def static(name: str) -> Response:
    """One of our two files."""
    return FileResponse(HERE / "static" / name, headers={"cache-control": "public, max-age=300"})


def problem_page(request: Request, problem: Problem) -> Response | None:
    """For people who look at a page; None for programs, who get a problem body."""
    if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/api/"):
        return None
    if isinstance(problem, NotLoggedIn):
        back = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
        return see(f"/login{back}")
    answer = page(
        request, "problem.html", None, problem.status.value, title=problem.title, detail=problem.detail
    )
    answer.headers.update(problem.headers)
    return answer


def moment(at: datetime | None) -> str:
    """`24 Nov 2026, 12:04`; a dash for nothing."""
    if at is None:
        return "–"
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M}"


def machine(at: datetime) -> str:
    """For a `datetime` attribute."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


TEMPLATES.env.autoescape = True
TEMPLATES.env.trim_blocks = True
TEMPLATES.env.lstrip_blocks = True
TEMPLATES.env.filters |= {"moment": moment, "machine": machine, "words": words.words}
TEMPLATES.env.globals |= {"style": STYLE, "icon": ICON}
