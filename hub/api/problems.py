"""Every error of the API as a problem document (RFC 9457), its title in the caller's language."""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from hub.errors import BusyError, ConfigError, HubError, NotAllowedError, NotFoundError, RegistryError, StaleAlertError

_TITLES: Final[dict[str, tuple[int, str, str]]] = {
    "not-signed-in": (401, "Sign in first", "请先登录"),
    "wrong-password": (401, "The name or the password is wrong", "用户名或密码错误"),
    "too-many-tries": (429, "Too many tries; wait a little", "尝试次数过多，请稍后再试"),
    "not-allowed": (403, "You may not do this", "没有权限"),
    "csrf": (403, "This page is out of date; reload it", "页面已过期，请刷新"),
    "purpose": (403, "This data is not for that purpose", "该用途不允许读取此数据"),
    "not-found": (404, "There is no such thing here", "未找到"),
    "method-not-allowed": (405, "This address does not do that", "不支持此操作"),
    "stale": (409, "Somebody was faster; look again", "记录已被他人更改，请重新查看"),
    "busy": (409, "Something of the kind is at work already; wait for it", "已有同类任务在进行，请稍候"),
    "still-bound": (409, "A stay or lease still rests on it", "仍有居住或租约与之相关"),
    "invalid": (422, "Something in the request is wrong", "提交的内容有误"),
    "internal": (500, "The hub made a mistake", "系统内部错误"),
    "unavailable": (503, "Not ready yet", "服务尚未就绪"),
}
_BY_STATUS: Final = {401: "not-signed-in", 403: "not-allowed", 404: "not-found", 405: "method-not-allowed"}


class FieldError(BaseModel):
    """What is wrong with one field: where it is, a code that the page translates, and words for a programmer."""

    field: str
    code: str
    message: str


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[FieldError] = []


class Problem(Exception):  # noqa: N818 - the name is the RFC's
    """Raise it anywhere in the API; `slug` is one of the titles' keys."""

    def __init__(
        self,
        slug: str,
        detail: str = "",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or slug)
        self.slug, self.detail, self.errors, self.headers = slug, detail, errors, headers


def respond(
    slug: str,
    detail: str = "",
    *,
    accept_language: str = "",
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
) -> JSONResponse:
    """The problem as a response."""
    usual, english, chinese = _TITLES[slug]
    document = ProblemDocument(
        type=f"urn:anfang:problem:{slug}",
        title=chinese if accept_language.lower().startswith("zh") else english,
        status=status or usual,
        detail=detail,
        errors=list(errors),
    )
    return JSONResponse(
        document.model_dump(),
        status_code=document.status,
        headers=headers,
        media_type="application/problem+json",
    )


def _language(request: Request) -> str:
    return request.headers.get("accept-language", "")


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return respond(
        error.slug, error.detail, accept_language=_language(request), errors=error.errors, headers=error.headers
    )


_HUB_ERRORS: Final[tuple[tuple[type[HubError], str], ...]] = (
    (NotFoundError, "not-found"),
    (NotAllowedError, "not-allowed"),
    (StaleAlertError, "stale"),
    (BusyError, "busy"),
    (RegistryError, "invalid"),
    (ConfigError, "invalid"),
)


async def _on_hub_error(request: Request, error: Exception) -> JSONResponse:
    slug = next((slug for kind, slug in _HUB_ERRORS if isinstance(error, kind)), "internal")
    return respond(slug, str(error), accept_language=_language(request))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    slug = _BY_STATUS.get(error.status_code, "invalid" if error.status_code < 500 else "internal")
    return respond(
        slug,
        "" if error.status_code in _BY_STATUS else str(error.detail),
        accept_language=_language(request),
        headers=error.headers,
        status=error.status_code,
    )


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldError(
            field=".".join(str(part) for part in found["loc"] if part not in {"body", "query", "path", "header"}),
            code=str(found["type"]),
            message=str(found["msg"]),
        )
        for found in error.errors()
    ]
    return respond(
        "invalid",
        "; ".join(f"{e.field}: {e.message}" for e in errors),
        accept_language=_language(request),
        errors=errors,
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HubError, _on_hub_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
