"""The API keeps the contract that its schema gives, for requests that nobody thought of."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from makegood.wsgi import application
from tests import cast as stages

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_schemathesis_finds_no_broken_word(cast, call):
    minji = call(cast.minji)
    case = stages.owned(cast)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    tried = 0
    for operation in schema.get_all_operations():
        strategy = operation.ok().as_strategy()

        @settings(
            max_examples=12,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @__import__("hypothesis").given(made=strategy)
        def one(made):
            if "number" in made.path_parameters:
                made.path_parameters["number"] = case.number
            made.call_and_validate(
                headers={**dict(made.headers or {}), "Authorization": f"Bearer {minji.secret}"}, checks=CHECKS
            )

        one()
        tried += 1
    assert tried >= 35
