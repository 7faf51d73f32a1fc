"""RFC 9457 problem bodies for every error, with nothing of our insides in them."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from domain.errors import KeyStoreUnavailable

log = structlog.get_logger("api.problems")

MEDIA_TYPE = "application/problem+json"
# What the sender can only answer by trying again later.
UNAVAILABLE = (DBAPIError, PoolExhausted, KeyStoreUnavailable, TimeoutError, OSError)


class ProblemBody(BaseModel):
    """What an error looks like on the wire."""

    type: str = Field(examples=["urn:countersign:problem:signature_refused"])
    title: str
    status: int
    detail: str | None = None


class Problem(Exception):
    """An expected refusal. `code` names the situation for programs, `title` and `detail` for people."""

    def __init__(self, status: HTTPStatus, code: str, title: str, detail: str | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.headers: dict[str, str] = {}


class NoSuchDoor(Problem):
    """Unknown tenant, source or slug: which of them is not told."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, "not_found", "Not found")


class SignatureRefused(Problem):
    """The request does not prove who sent it."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.UNAUTHORIZED,
            "signature_refused",
            "The signature was refused",
            "Sign the exact body with an active secret, and send it within five minutes of its timestamp",
        )


class BodyTooLarge(Problem):
    """More bytes than a door takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            "The body is too large",
            f"At most {limit} bytes are taken",
        )


class MalformedBody(Problem):
    """Signed, but not what the format says."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(status, "malformed_body", "The body is malformed", detail)


class BodyNotReceived(Problem):
    """The sender stopped in the middle."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.REQUEST_TIMEOUT, "body_not_received", "The body did not arrive")


class TryLater(Problem):
    """We cannot store it now; nothing was accepted."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE, "try_later", "Nothing can be accepted just now", "Send it again"
        )
        self.headers = {"Retry-After": "5"}


def answer(problem: Problem) -> Response:
    """The response that says it."""
    body = ProblemBody(
        type=f"urn:countersign:problem:{problem.code}",
        title=problem.title,
        status=problem.status.value,
        detail=problem.detail,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), problem.status.value, problem.headers, media_type=MEDIA_TYPE
    )


# A page for people, or None where a program asks.
ProblemPage = Callable[[Request, Problem], Response | None]


def bodies_only(request: Request, problem: Problem) -> None:
    """For an application that nobody looks at in a browser."""
    del request, problem


def install(app: FastAPI, page: ProblemPage = bodies_only) -> None:
    """Every error of the application becomes a problem body, or a page where people look at one."""
    app.state.problem_page = page
    app.add_exception_handler(Problem, _expected)
    app.add_exception_handler(HTTPException, _from_framework)
    app.add_exception_handler(RequestValidationError, _unprocessable)
    app.add_exception_handler(ClientDisconnect, _gone)
    for error in UNAVAILABLE:
        app.add_exception_handler(error, _unavailable)


def unexpected() -> Response:
    """A mistake of ours: the sender learns no more than that."""
    return answer(
        Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side")
    )


def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class only
    return _answer(request, error)


def _from_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    status = HTTPStatus(error.status_code)
    problem = Problem(status, status.name.lower(), status.phrase)
    problem.headers = dict(error.headers or {})
    return _answer(request, problem)


def _unprocessable(request: Request, _: Exception) -> Response:
    # The framework's own details repeat what was sent, so they stay here.
    problem = Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "unprocessable", "The request does not fit its description"
    )
    return _answer(request, problem)


def _gone(request: Request, _: Exception) -> Response:
    return _answer(request, BodyNotReceived())


def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("store_unavailable", error=type(error).__name__)
    return _answer(request, TryLater())


def _answer(request: Request, problem: Problem) -> Response:
    shown: Response | None = request.app.state.problem_page(request, problem)
    return shown or answer(problem)
