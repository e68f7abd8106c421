"""The service on this machine: replies, refusals, and what an answer costs."""

import urllib.error
import urllib.request

import pytest

from mmcourse.pipeline import serving


def double(request: dict) -> dict:
    if "number" not in request:
        raise ValueError("a request needs a 'number'")
    return {"twice": 2 * request["number"]}


def test_requests_are_answered_one_after_another_until_the_block_ends(capfd):
    with serving.serve(double) as address:
        assert address.startswith("http://127.0.0.1:")
        assert [serving.ask(address, {"number": n})["twice"] for n in range(3)] == [0, 2, 4]
    with pytest.raises(urllib.error.URLError):
        serving.ask(address, {"number": 1})
    assert capfd.readouterr() == ("", ""), "nothing is logged"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "needs a 'number'"),
        ([1], "a JSON object, got list"),
        ({"number": "x" * serving.LARGEST}, "at most 1000000 bytes"),
    ],
)
def test_what_is_refused_is_told_why_and_the_service_goes_on(request_, message):
    with serving.serve(double) as address:
        with pytest.raises(ValueError, match=message):
            serving.ask(address, request_)
        assert serving.ask(address, {"number": 4}) == {"twice": 8}


def test_what_is_no_json_gets_status_400():
    with serving.serve(double) as address, pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(urllib.request.Request(address, b"{", method="POST"), timeout=10)
    with raised.value as error:
        assert error.code == 400


def test_cost_is_measured():
    calls = []

    def answer(request):
        calls.append(bytes(request["size"]))
        calls.clear()
        return {}

    found = serving.cost(answer, {"size": 300_000}, rounds=20)
    assert 0 < found.median <= found.percentile_95
    assert 300_000 <= found.peak_bytes < 400_000
    with pytest.raises(ValueError, match="1 or more"):
        serving.cost(answer, {"size": 1}, rounds=0)
