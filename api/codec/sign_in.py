"""`/sign-in`: how a browser comes to read histories in the Temporal UI, which cannot send a token itself."""

from html import escape
from http import HTTPStatus
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.body import raw_body
from api.codec.access import NotSignedIn, refuse_other_forms, signed_in
from api.codec.ports import CodecParts
from api.codec.sessions import COOKIE, LIFE_S
from api.problems import Problem

FORM_BYTES = 4_096
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Countersign codec</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 4rem auto; padding: 0 1rem }}
input, button {{ font: inherit; padding: .4rem .6rem }}
input {{ width: 100%; box-sizing: border-box; margin: .3rem 0 1rem }}
code {{ background: #8882; padding: .1rem .3rem }}
</style>
<h1>Read histories in the Temporal UI</h1>
{content}
</html>"""
FORM = """{said}<form method="post" action="/sign-in">
<label for="token">Operator's token</label>
<input id="token" name="token" type="password" autocomplete="off" required autofocus>
<button>Sign in</button>
</form>
<p>What you read is written to the tenant's audit log.</p>"""
SIGNED_IN = """<p role="status">You are signed in for {hours} hours.
What you read is written to the audit log.</p>
<p>Tell the Temporal UI once per browser to send the cookie of this server:</p>
<ol>
<li>Open the UI at {pages} and click the glasses at the top right, <em>Codec Server</em>.</li>
<li>Choose <em>Use my browser setting</em> and enter <code>{endpoint}</code>.</li>
<li>Switch <em>Include cross-origin credentials</em> on, apply, and load the page again.</li>
</ol>
<p>It is not needed where the UI server runs with <code>TEMPORAL_CODEC_INCLUDE_CREDENTIALS=true</code>.</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""
REFUSED = '<p role="alert">This token opens nothing.</p>'


def sign_in_router(parts: CodecParts) -> APIRouter:
    """One page with a form, and what the form does."""
    router = APIRouter(tags=["sign-in"], include_in_schema=False)

    @router.get("/sign-in")
    async def show(request: Request) -> Response:
        try:
            await signed_in(request, parts)
        except NotSignedIn:
            return _page(FORM.format(said=""))
        return _page(_how_to(request, parts.origins))

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        refuse_other_forms(request)
        credential = _token_in(await raw_body(request, FORM_BYTES))
        if await parts.operators.find(credential) is None:
            return _page(FORM.format(said=REFUSED), HTTPStatus.UNAUTHORIZED)
        answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER, HEADERS)
        answer.set_cookie(
            COOKIE,
            parts.sessions.open(credential),
            max_age=LIFE_S,
            httponly=True,
            samesite="lax",
            secure=parts.secure_cookies,
        )
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        refuse_other_forms(request)
        answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER, HEADERS)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=parts.secure_cookies)
        return answer

    return router


def _token_in(body: bytes) -> str:
    try:
        return parse_qs(body.decode(), max_num_fields=4)["token"][0].strip()
    except (ValueError, KeyError):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "unprocessable", "The form does not hold a token"
        ) from None


def _how_to(request: Request, origins: frozenset[str]) -> str:
    pages = " or ".join(f'<a href="{escape(page)}">{escape(page)}</a>' for page in sorted(origins))
    endpoint = escape(str(request.base_url).rstrip("/"))
    return SIGNED_IN.format(hours=LIFE_S // 3600, pages=pages or "its address", endpoint=endpoint)


def _page(content: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return HTMLResponse(PAGE.format(content=content), status, HEADERS)
