"""Who asks: a teammate by session cookie or bearer token, and whether a form is our own.

A form of ours carries the session's token and comes from our own pages; a bearer token needs neither,
because no other site can make a browser send it.
"""

import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from adapters.postgres.door_sessions import Principal, SessionSecret
from api.attempts import FailedAttempts
from api.body import raw_body
from api.problems import Problem

COOKIE = "countersign_session"
# Browsers take this name only with Secure, from a host and for all of it.
SECURE_COOKIE = "__Host-" + COOKIE
FORM_TOKEN = "form_token"  # noqa: S105 - the field's name
FORM_TOKEN_HEADER = "x-form-token"  # noqa: S105 - the header's name
LONGEST_BEARER = 200
FIELDS = 10


class NotLoggedIn(Problem):
    """Nobody we know asks."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.UNAUTHORIZED,
            "not_logged_in",
            "Log in first",
            "Send an API token as a bearer token, or log in at /login",
        )
        self.headers = {"WWW-Authenticate": 'Bearer realm="countersign"'}


class NotOurForm(Problem):
    """Another site, or an old page, sent this."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.FORBIDDEN,
            "not_our_form",
            "This form was not sent from our own page",
            "Open the page again and press the button there",
        )


class Sessions(Protocol):
    """Who is logged in."""

    async def of_token(self, token: str) -> Principal | None:
        """None for a token that does not count."""
        ...

    async def of_session(self, session: SessionSecret) -> Principal | None:
        """None for a session that does not count."""
        ...

    async def open_by_token(self, token: str) -> SessionSecret | None:
        """None for a token that does not count."""
        ...

    async def open_by_link(self, link: str) -> SessionSecret | None:
        """None for a link that does not count, or not any more."""
        ...

    async def end(self, session: SessionSecret) -> None:
        """Repeating is safe."""
        ...


@dataclass(frozen=True, repr=False)
class Visitor:
    """A teammate; `session` is None for one who came with a bearer token."""

    principal: Principal
    session: SessionSecret | None = None

    @property
    def form_token(self) -> str:
        """For forms on the page."""
        return self.session.form_token if self.session else ""


class Doorkeeper:
    """Knows visitors."""

    def __init__(self, sessions: Sessions, attempts: FailedAttempts) -> None:
        self._sessions = sessions
        self._attempts = attempts

    async def reader(self, request: Request) -> Visitor:
        """A dependency. Raises `NotLoggedIn` and `TooManyAttempts`."""
        bearer = _bearer(request)
        visitor = await self._by_token(request, bearer) if bearer else await self._by_cookie(request)
        if visitor is None:
            raise NotLoggedIn
        return visitor

    async def writer(self, request: Request) -> Visitor:
        """A dependency for what changes something. Raises `NotOurForm` too."""
        visitor = await self.reader(request)
        if visitor.session is not None:
            refuse_other_sites(request)
            given = request.headers.get(FORM_TOKEN_HEADER) or (await form_of(request)).get(FORM_TOKEN, "")
            if not hmac.compare_digest(given.encode(), visitor.form_token.encode()):
                raise NotOurForm
        return visitor

    async def _by_token(self, request: Request, token: str) -> Visitor | None:
        address = address_of(request)
        self._attempts.refuse_if_many(address)
        principal = await self._sessions.of_token(token) if len(token) <= LONGEST_BEARER else None
        if principal is None:
            self._attempts.failed(address)
            return None
        return Visitor(principal)

    async def _by_cookie(self, request: Request) -> Visitor | None:
        session = session_of(request)
        principal = await self._sessions.of_session(session) if session else None
        return Visitor(principal, session) if principal else None


def session_of(request: Request) -> SessionSecret | None:
    """What the cookie says, if we could have written it."""
    cookie = request.cookies.get(cookie_name(request))
    return SessionSecret.parse(cookie) if cookie else None


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy in front of us."""
    return _origin(request).startswith("https://")


def cookie_name(request: Request) -> str:
    """By scheme, so that a cookie set in the clear never counts over TLS."""
    return SECURE_COOKIE if is_secure(request) else COOKIE


def address_of(request: Request) -> str:
    """Whom failures are counted for; uvicorn takes it from a proxy on the loopback."""
    return request.client.host if request.client else "unknown"


def refuse_other_sites(request: Request) -> None:
    """Browsers say where a form comes from; what says nothing was not sent by one of ours."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        raise NotOurForm
    if site not in (None, "same-origin"):
        raise NotOurForm
    if origin is not None and origin != _origin(request):
        raise NotOurForm


async def form_of(request: Request) -> dict[str, str]:
    """The first value of each field of a plain form; nothing where it is none."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    known: dict[str, str] | None = getattr(request.state, "form", None)
    if known is None:
        try:
            fields = parse_qs(
                (await raw_body(request)).decode(), keep_blank_values=True, max_num_fields=FIELDS
            )
        except ValueError:
            fields = {}
        known = {name: values[0] for name, values in fields.items()}
        request.state.form = known
    return known


def _origin(request: Request) -> str:
    """Ours, as the browser sees it: a proxy may speak TLS where we hear none."""
    host = request.headers.get("host", "")
    public = urlsplit(request.app.state.public_url)
    scheme = public.scheme if public.netloc == host else request.url.scheme
    return f"{scheme}://{host}"


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
