"""The codec server's application."""

from fastapi import FastAPI

from api import problems
from api.access_log import AccessLog
from api.codec.cors import ReadableBy
from api.codec.decoding import decode_router
from api.codec.ports import CodecParts
from api.codec.sign_in import sign_in_router
from api.health import Live


def create_codec(parts: CodecParts) -> FastAPI:
    """An application over these parts. The caller owns what they hold open."""
    app = FastAPI(title="Countersign codec", redirect_slashes=False, docs_url=None, redoc_url=None)
    app.include_router(decode_router(parts))
    app.include_router(sign_in_router(parts))

    @app.get("/health/live", tags=["health"])
    async def live() -> Live:
        """Answer while the process can."""
        return Live()

    @app.get("/health/ready", tags=["health"])
    async def ready() -> Live:
        """Answer while payloads can be opened; a problem body where they cannot."""
        await parts.stores_answer()
        return Live()

    problems.install(app)
    app.add_middleware(ReadableBy, origins=parts.origins)
    app.add_middleware(AccessLog)
    return app
