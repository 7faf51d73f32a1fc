"""The HTTP application: which doors there are."""

from fastapi import FastAPI

from api import problems
from api.access_log import AccessLog
from api.doors import Doors
from api.health import health_router
from api.page_routers import page_routers
from api.pages import SafeHeaders, problem_page
from api.slack import slack_router
from api.webhooks import webhook_router


def create_app(doors: Doors) -> FastAPI:
    """An application over these doors. The caller owns what they hold open."""
    app = FastAPI(
        title="Countersign",
        # A helpdesk that follows a redirect repeats it as a GET and loses the body.
        redirect_slashes=False,
        # The viewers of the description load scripts from elsewhere; the description itself is enough.
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(webhook_router(doors))
    app.include_router(slack_router(doors))
    app.include_router(health_router(doors))
    if doors.pages is not None:
        app.state.public_url = doors.pages.elsewhere.public_url
        for router in page_routers(doors.pages):
            app.include_router(router)
    problems.install(app, problem_page)
    app.add_middleware(SafeHeaders)
    app.add_middleware(AccessLog)
    return app
