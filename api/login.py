"""`/login` and `/logout`: a token or a one-time link becomes a session cookie, and a session ends at once."""

import re
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from adapters.postgres.door_sessions import SESSION_LIFE, SessionSecret
from api.attempts import FailedAttempts
from api.doors import PageDoors
from api.pages import page, see
from api.problems import Problem
from api.visitor import (
    Doorkeeper,
    address_of,
    cookie_name,
    form_of,
    is_secure,
    refuse_other_sites,
    session_of,
)

LONGEST_SECRET = 200
HOME = "/queue"
# Only our own pages, so that a login leads nowhere else.
NEXT = re.compile(r"/(queue|decisions/dec_[0-9a-f]{40}|tickets/[0-9a-f-]{36})")
LINK = re.compile(r"[A-Za-z0-9_-]{20,100}")


def login_router(doors: PageDoors, doorkeeper: Doorkeeper, attempts: FailedAttempts) -> APIRouter:
    """How teammates come in and go."""
    router = APIRouter(include_in_schema=False)
    desk = _LoginDesk(doors, attempts)

    @router.get("/login")
    async def ask_for_token(request: Request) -> Response:
        """The form."""
        return page(request, "login.html", None, next=_next(request.query_params.get("next", "")))

    @router.get("/login/{link}")
    async def ask_to_use_link(link: str, request: Request) -> Response:
        """One button: programs that look at addresses before people do must not use the link up."""
        if not LINK.fullmatch(link):
            raise Problem(HTTPStatus.NOT_FOUND, "not_found", "Not found")
        return page(request, "login_link.html", None, link=link)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        """A session, or the form again with a word about why not."""
        return await desk.log_in(request)

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        """Ends the session in the database, so that a copied cookie is worth nothing."""
        visitor = await doorkeeper.writer(request)
        if visitor.session is not None:
            await doors.sessions.end(visitor.session)
        answer = see("/login")
        answer.delete_cookie(cookie_name(request), path="/", secure=is_secure(request), httponly=True)
        return answer

    return router


class _LoginDesk:
    def __init__(self, doors: PageDoors, attempts: FailedAttempts) -> None:
        self._sessions = doors.sessions
        self._attempts = attempts

    async def log_in(self, request: Request) -> Response:
        refuse_other_sites(request)
        address = address_of(request)
        self._attempts.refuse_if_many(address)
        form = await form_of(request)
        session = await self._opened(form)
        if session is None:
            self._attempts.failed(address)
            template = "login_link.html" if "link" in form else "login.html"
            refused = {"failed": True, "next": _next(form.get("next", ""))}
            return page(request, template, None, HTTPStatus.UNAUTHORIZED.value, **refused)
        await self._end_earlier(request)
        answer = see(_next(form.get("next", "")))
        answer.set_cookie(
            cookie_name(request),
            str(session),
            max_age=int(SESSION_LIFE.total_seconds()),
            path="/",
            secure=is_secure(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def _opened(self, form: dict[str, str]) -> SessionSecret | None:
        link, token = form.get("link", ""), form.get("token", "").strip()
        if link:
            return await self._sessions.open_by_link(link) if LINK.fullmatch(link) else None
        if not token or len(token) > LONGEST_SECRET or not token.isascii():
            return None
        return await self._sessions.open_by_token(token)

    async def _end_earlier(self, request: Request) -> None:
        earlier = session_of(request)
        if earlier is not None:
            await self._sessions.end(earlier)


def _next(asked: str) -> str:
    return asked if NEXT.fullmatch(asked) else HOME
