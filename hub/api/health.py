"""`/healthz` for whoever starts and watches the hub, `/metrics` for Prometheus. Both open: they hold no data."""

from collections.abc import Callable

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.runtime.health import Health
from hub.runtime.metrics import Metrics


class _HealthBody(msgspec.Struct):
    status: str
    parts: dict[str, str]


def health_routes(look: Callable[[], Health], metrics: Metrics, refresh: Callable[[], None]) -> list[Route]:
    """The two routes. `look` must be quick; `refresh` brings gauges up to date before they are read."""

    def healthz(request: Request) -> Response:
        health = look()
        body = _HealthBody("ok" if health.is_ready else "unavailable", health.parts)
        return Response(
            msgspec.json.encode(body),
            status_code=200 if health.is_ready else 503,
            media_type="application/json",
            headers={"Cache-Control": "no-store"} | ({} if health.is_ready else {"Retry-After": "5"}),
        )

    def figures(request: Request) -> Response:
        refresh()
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz, methods=["GET"]), Route("/metrics", figures, methods=["GET"])]
