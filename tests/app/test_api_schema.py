"""The description of the API is whole, and whatever it allows is answered without a fault."""

import os
from pathlib import Path

import pytest
import schemathesis
from api_asking import Asking, api
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from holotype.app.api.forms import OFFERED
from holotype.app.settings import ServeSettings
from holotype.app.workbench import Workbench
from holotype.index.build import build_index

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
EXAMPLES = 200 if os.environ.get("HOLOTYPE_SLOW") == "1" else 15


@pytest.fixture(scope="module", params=["tiny", "starter"])
def app(request, tiny_run, tiny_collection, tmp_path_factory):
    """Of a model that reads everything and promises nothing, and of one that was calibrated."""
    run = tiny_run if request.param == "tiny" else "starter"
    index = tmp_path_factory.mktemp("index") / "index"
    build_index(run, [tiny_collection], out=index)
    chosen = ServeSettings(requests_per_minute=10_000_000, hosts=("testserver",))
    workspace = tmp_path_factory.mktemp("workspace")
    workbench = Workbench.open(str(run), settings=chosen, workspace=workspace, index=index)
    yield api(workbench)
    workbench.close()


OPERATIONS = (
    "POST /identify/images", "POST /identify/barcodes", "POST /identify/specimens", "POST /embed/images",
    "POST /embed/barcodes", "POST /embed/texts", "POST /search", "POST /search/images", "GET /taxa",
    "GET /health", "GET /metrics",
)  # fmt: skip


@pytest.fixture(scope="module")
def described(app):
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_that_may_be_sent_is_a_fault_of_the_server(described, name, mode):
    method, _, path = name.partition(" ")
    operation = described[f"/api/v1{path}"][method]
    try:
        cases = operation.as_strategy(generation_mode=mode)
    except Unsatisfiable:  # nothing of it can be wrong
        return

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
        database=None,
        derandomize=True,
    )
    @given(case=cases)
    def check(case):
        case.call_and_validate(checks=CHECKS)

    try:
        check()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE


def test_every_route_is_described(app):
    described = app.openapi()
    paths = described["paths"]
    assert set(paths) == {
        f"/api/v1/{name}"
        for name in (
            "identify/images", "identify/barcodes", "identify/specimens", "embed/images", "embed/barcodes",
            "embed/texts", "search", "search/images", "taxa", "health", "metrics",
        )
    }  # fmt: skip
    for path, methods in paths.items():
        for method, told in methods.items():
            assert told["summary"], (path, method)
            assert "200" in told["responses"], (path, method)
            if method == "post":
                assert "requestBody" in told, path
                assert {"413", "422", "429", "503", "504"} <= set(told["responses"]), path
    answer = described["components"]["schemas"]["Answer"]
    assert all(field.get("description") for field in answer["properties"].values())


def test_the_reference_names_every_route_format_and_metric(app):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    described = app.openapi()
    for path, methods in described["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.removeprefix('/api/v1')}`" in page
    for form in OFFERED:
        assert f"`{form}`" in page
    told = {
        status
        for told in described["paths"].values()
        for one in told.values()
        for status in one["responses"]
    }
    assert [status for status in told - {"200"} if status not in page] == []
    text = Asking(app, "http://testserver")("GET", "/metrics").text
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE holotype")}
    assert {
        name for name in names if f"`{name}`" not in page and not name.endswith("_created")
    } == set()
