"""The interface as its own OpenAPI has it: whatever is asked, as told or beside it, no answer is a fault of ours.

Requests come from schemathesis, to an application without network, a source that the test holds, a folder of its own.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from app.serving import Client, with_sources
from insonate.app.examination import Examination
from insonate.app.server import HEADERS, create_app

EACH = 40
"""Requests of each route and kind."""

MODES = {"as told": GenerationMode.POSITIVE, "beside it": GenerationMode.NEGATIVE}

ROUTES = [
    (method, path, how)
    for path, methods in create_app(Examination("UL03")).openapi()["paths"].items()
    for method, told in methods.items()
    for how in MODES
    if how == "as told"
    or "requestBody" in told
    or "parameters" in told  # what takes nothing has nothing beside it
]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        with_sources(patch)
        examination = Examination("UL03", recordings=tmp_path_factory.mktemp("recordings"))
        examination.show_patient()
        yield create_app(examination)
        examination.stop()


@pytest.mark.parametrize(("method", "path", "how"), ROUTES)
def test_no_request_is_answered_by_a_fault(app, method, path, how):
    route = schemathesis.openapi.from_dict(app.openapi())[path][method]
    client = Client(app, raise_faults=False)
    answered = []

    @given(route.as_strategy(generation_mode=MODES[how]))
    @settings(
        max_examples=EACH, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    def ask(case):
        what = case.as_transport_kwargs(base_url=client.here)
        what = {
            key: what[key]
            for key in ("json", "data", "params", "content", "headers")
            if what.get(key) is not None
        }
        answer = client.request(method, path, **what)
        answered.append(answer.status_code)
        assert answer.status_code < 500, (what, answer.text)
        assert {name.lower() for name in HEADERS} <= set(answer.headers)
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error"}, answer.text
        elif how == "beside it":  # what need not be said may be left out; anything else is refused
            assert not {"json", "data", "content"} & set(what), what

    ask()
    assert answered
