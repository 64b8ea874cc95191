"""The web application's files: hashed assets kept for ever by browsers, and one page for every other address."""

import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DIST = Path(__file__).resolve().parent.parent / "web" / "dist"

_NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>安房 Anfang</title>"
    "<p>The web pages are not built: run <code>make web</code>. 网页尚未构建：请运行 <code>make web</code>。</p>"
)


class Pages(StaticFiles):
    """Serves `dist`. An asset that was compressed by the build goes out so when the browser takes gzip."""

    policy = "public: the pages hold no data; the API behind them does"

    def __init__(self, dist: Path = DIST) -> None:
        self._dist = dist
        super().__init__(directory=dist, check_dir=False)

    async def check_config(self) -> None:
        """The pages may be built after the hub has started."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; `index.html` for any address that is not a file's; 404 under /api and /assets."""
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404)
        if not (self._dist / "index.html").is_file():
            return Response(_NOT_BUILT, media_type="text/html", status_code=503)
        is_asset = path.startswith("assets/")
        target = path if is_asset or (path != "." and (self._dist / path).is_file()) else "index.html"
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        if takes_gzip:
            full_path, stat = self.lookup_path(target + ".gz")
            plain, _ = self.lookup_path(target)
            if stat is not None and plain:
                response: Response = FileResponse(
                    full_path, stat_result=stat, media_type=_media_type(target), headers={"Content-Encoding": "gzip"}
                )
                return _cached(response, is_asset)
        return _cached(await super().get_response(target, scope), is_asset)


def _media_type(path: str) -> str:
    kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    return kinds.get(os.path.splitext(path)[1], "application/octet-stream")  # noqa: PTH122 - a URL's path


def _cached(response: Response, is_asset: bool) -> Response:
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_asset else "no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    return response
