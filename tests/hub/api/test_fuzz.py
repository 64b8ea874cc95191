"""Schemathesis reads the API's own document and tries what it promises: whatever comes, the hub does not fall over."""

import warnings
from pathlib import Path

import pytest
from support.api import running_api

from hub.access.roles import Role

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


def test_no_request_makes_the_hub_fail(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        # The tool's own imports warn of what other libraries will change.
        warnings.simplefilter("ignore")
        import schemathesis
        from hypothesis import HealthCheck, Phase, given, settings
        from schemathesis.checks import not_a_server_error
        from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

    with running_api(tmp_path) as hub:
        admin = {"Authorization": f"Bearer {hub.token(Role.ADMIN)}"}
        schema = schemathesis.openapi.from_url(f"{hub.address}/api/v1/openapi.json")
        tried: set[str] = set()

        for result in schema.exclude(path="/api/v1/stream").get_all_operations():
            operation = result.ok()
            tried.add(operation.label)

            @settings(
                max_examples=25,
                deadline=None,
                derandomize=True,
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            @given(operation.as_strategy())
            def run(case: schemathesis.Case) -> None:
                answer = case.call(headers=admin, timeout=20)
                case.validate_response(
                    answer, checks=[not_a_server_error, content_type_conformance, response_schema_conformance]
                )

            run()
        assert len(tried) > 20
