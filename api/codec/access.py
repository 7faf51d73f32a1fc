"""Who asks: a bearer token, or the cookie of a browser that signed in."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request

from api.codec.operators import Operator
from api.codec.ports import CodecParts
from api.codec.sessions import COOKIE
from api.problems import Problem


class NotSignedIn(Problem):
    """No token, or one that opens nothing."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.UNAUTHORIZED,
            "not_signed_in",
            "You are not signed in",
            "Open /sign-in of this server in the same browser, or send an operator's token as a bearer",
        )
        self.headers = {"WWW-Authenticate": "Bearer"}


class OriginRefused(Problem):
    """A page that is not the Temporal UI asks."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.FORBIDDEN,
            "origin_refused",
            "This page may not ask",
            "COUNTERSIGN_CODEC_ORIGINS names the pages that may",
        )


def refuse_other_pages(request: Request, origins: frozenset[str]) -> None:
    """Browsers name the page that asks; programs such as the CLI name none. Raises `OriginRefused`."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in origins:
        raise OriginRefused


def refuse_other_forms(request: Request) -> None:
    """Only our own page sends our forms. Raises `OriginRefused`."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise OriginRefused


async def signed_in(request: Request, parts: CodecParts) -> Operator:
    """Raises `NotSignedIn`."""
    credential = _credential(request, parts)
    operator = await parts.operators.find(credential) if credential else None
    if operator is None:
        raise NotSignedIn
    return operator


def _credential(request: Request, parts: CodecParts) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return token.strip() if scheme.lower() == "bearer" else None
    cookie = request.cookies.get(COOKIE)
    return parts.sessions.credential(cookie) if cookie else None
