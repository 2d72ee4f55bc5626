"""CloudEvents through a real server: headers as they come over the line."""

import json
from pathlib import Path

import httpx

from tests.wire.served_node import serving

EVENT = {"specversion": "1.0", "source": "/billing", "type": "invoice.paid", "subject": "ada"}


async def test_events_of_every_mode_arrive_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        structured = EVENT | {"id": "1", "data": {"title": "Structured"}}
        batch = [structured, EVENT | {"id": "2", "data": {"title": "Batched"}}]
        binary = {f"CE-{name}": value for name, value in EVENT.items()} | {
            "CE-Id": "3",
            "CE-subject": "%61da",
            "Content-Type": "application/json",
        }
        answers: list[httpx.Response] = []
        for headers, body in (
            ({"content-type": "application/cloudevents+json"}, json.dumps(structured)),
            ({"content-type": "application/cloudevents-batch+json"}, json.dumps(batch)),
            (binary, '{"title": "Binary"}'),
        ):
            answers.append(
                await served.http.post("/v1/events", content=body, headers=served.key | headers)
            )
        assert [answer.status_code for answer in answers] == [202, 202, 202]
        first, second = answers[1].json()["results"]
        assert first == {"id": answers[0].json()["id"], "status": "duplicate"}
        assert second["status"] == "accepted"
        assert await served.titles(3) == ["Binary", "Batched", "Structured"]
