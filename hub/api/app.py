"""The HTTP application: the JSON API under /api/v1, the stream of changes, and the web pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import FastAPI
from starlette.routing import Route

from hub.api import problems
from hub.api.headers import Rim
from hub.api.pages import Pages
from hub.api.problems import ProblemDocument
from hub.api.routes import ROUTERS
from hub.api.stream import Broadcaster, StreamEndpoint
from hub.read_models.scopes import SharedSnapshot
from hub.replay.desk import ReplayDesk
from hub.runtime.services import Services

API: Final = "/api/v1"
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""A registry of some ten thousand rows; everything else is far smaller."""

_PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {
        "description": "Problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
}


def create_app(services: Services) -> FastAPI:
    """The application around what the composition root built. Its lifespan runs the broadcaster of changes."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        broadcaster: Broadcaster = app.state.broadcaster
        task = asyncio.create_task(broadcaster.run(), name="broadcaster")
        try:
            yield
        finally:
            broadcaster.close()
            app.state.replays.close()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    app = FastAPI(
        title="Anfang hub",
        version="1",
        summary="Alerts, units, gateways and events of rental housing.",
        description="Lists are paged by cursor. Errors are RFC 9457 problem documents. Changes come by `/stream`.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        separate_input_output_schemas=False,
        redirect_slashes=False,
        max_body_size=MAX_BODY_BYTES,
    )
    app.state.services = services
    app.state.broadcaster = Broadcaster(services)
    app.state.shared_snapshot = SharedSnapshot()
    app.state.replays = ReplayDesk(services.database.url, services.clock)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API, responses=_PROBLEM)
    app.router.routes.append(Route(f"{API}/stream", StreamEndpoint(), methods=["GET"]))
    # Not a mount at "/": that would take the 405 of every address of the API.
    app.router.default = Pages()
    app.add_middleware(Rim)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Add to the OpenAPI document what the framework cannot see: problem documents and the stream."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            parts = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(parts.pop("$defs", {}))
            schemas["ProblemDocument"] = parts
            for operations in document["paths"].values():
                for operation in operations.values():
                    # The framework documents its own error body; ours is another.
                    operation["responses"].pop("422", None)
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            document["paths"][f"{API}/stream"] = _STREAM
        return app.openapi_schema or document

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI's own pages give for extending it


_STREAM: Final[dict[str, Any]] = {
    "get": {
        "tags": ["stream"],
        "summary": "Changes as they happen",
        "description": "Server-sent events. `hello` comes first, `reset` instead of it when too much was missed. "
        "`Last-Event-ID` or `after` gives the id from which to catch up.",
        "operationId": "stream",
        "security": [{"token": []}, {"session": []}],
        "parameters": [
            {
                "name": "after",
                "in": "query",
                "required": False,
                "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
            }
        ],
        "responses": {
            "200": {"description": "Never ends", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            "4XX": _PROBLEM["4XX"],
        },
    }
}
