"""Rate limits as settings of a whole node, over a real socket."""

from pathlib import Path

from tests.wire.served_node import serving

RATES = {"key_requests": 3, "key_window_s": 3600}


async def test_a_node_limits_its_callers_as_it_is_set(tmp_path: Path) -> None:
    async with serving(tmp_path, rates=RATES) as served:
        for left in (2, 1, 0):
            answer = await served.http.get("/v1/inbox?user=ada", headers=served.key)
            assert answer.headers["ratelimit-policy"] == '"key";q=3;w=3600'
            assert answer.headers["ratelimit"].startswith(f'"key";r={left};t=')
        refused = await served.http.get("/v1/inbox?user=ada", headers=served.key)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 1200
        assert refused.headers["ratelimit"].startswith('"key";r=0;')
