import pytest
from support.api import Hub


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/api/nothing", 404, "not-found"),
        ("PUT", "/api/v1/session", 405, "method-not-allowed"),
        ("POST", "/api/v1/stream", 405, "method-not-allowed"),
        ("POST", "/api/v1/session", 422, "invalid"),
        ("GET", "/api/v1/gateways", 401, "not-signed-in"),
        ("GET", "/api/v1/stream", 401, "not-signed-in"),
    ],
)
def test_every_error_is_a_problem_document(hub: Hub, method: str, path: str, status: int, slug: str) -> None:
    answer = hub.client().request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["type"] == f"urn:anfang:problem:{slug}"
    assert document["title"]


def test_a_problem_names_the_field_that_is_wrong(hub: Hub) -> None:
    answer = hub.caller().post("/api/v1/users", json={"name": "has space", "role": "king"})
    assert [error["field"] for error in answer.json()["errors"]] == ["name", "role"]


def test_titles_come_in_the_callers_language(hub: Hub) -> None:
    answer = hub.client(**{"Accept-Language": "zh-CN"}).get("/api/v1/gateways")
    assert answer.json()["title"] == "请先登录"


@pytest.mark.parametrize("cursor", ["nonsense!", "bm8", "%00", "e30", "A" * 500])
def test_a_cursor_that_is_not_ours_is_refused(hub: Hub, cursor: str) -> None:
    answer = hub.caller().get("/api/v1/users", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


def test_every_answer_carries_the_security_headers(hub: Hub) -> None:
    for path in ("/", "/api/v1/session", "/api/v1/openapi.json"):
        headers = hub.client().get(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert hub.client().get("/api/v1/session").headers["cache-control"] == "no-store"


def test_the_document_of_the_api_is_openapi_3_1(hub: Hub) -> None:
    document = hub.client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/stream" in document["paths"]
