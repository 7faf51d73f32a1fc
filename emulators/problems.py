"""Refusals of the REST surfaces, as RFC 9457 problems."""

import hmac

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status = status
        self.code = code
        self.title = title


async def answer_malformed(_request: Request, error: Exception) -> JSONResponse:
    """Names the fields that are wrong and repeats nothing of the request."""
    if not isinstance(error, RequestValidationError):
        raise error
    fields = sorted({".".join(str(part) for part in entry["loc"]) for entry in error.errors()})
    return problem(422, "malformed", f"These parts are missing or wrong: {', '.join(fields)}")


def problem(status: int, code: str, title: str) -> JSONResponse:
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "code": code},
        status_code=status,
        media_type="application/problem+json",
    )


def require_bearer(request: Request, expected: str | None) -> None:
    """Refuses with 401 unless the request carries this token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    known = expected is not None and hmac.compare_digest(token.strip().encode(), expected.encode())
    if scheme.lower() != "bearer" or not known:
        raise Refused(401, "unauthorized", "The bearer token is missing or wrong")
