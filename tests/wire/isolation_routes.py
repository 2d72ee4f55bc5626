"""How the isolation matrix asks for each route and frame: one line each, and a line that is missing fails the matrix.

``$alert``, ``$user`` and so on stand for ids of these kinds, in a path's parameter, a query or a body; ``$reader`` is a
user whom no line gives anything, ``$stranger`` one whom no other line mentions.  The matrix asks with ids of somebody else, and with ids of nobody
(``isolation_world.py`` makes both), and compares.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Ask(NamedTuple):
    """One route: the kinds of its ``{id}`` and ``{user}``, its query and its body.  ``{user}``, ``{topic}``... are kinds themselves."""

    id: str = ""
    query: str = ""
    body: Any = None
    user: str = "user"
    headers: Mapping[str, str] = MappingProxyType({})


_ALERT = {"to": {"users": ["$user"]}, "title": "To whom"}
_EVENT = {"specversion": "1.0", "source": "/s", "type": "t", "subject": "$user", "id": "$alert"}
_PATCH = {"alert_id": "$alert", "read": True}
_FIRING = {"status": "firing", "fingerprint": "$alert", "labels": {"alertname": "To whom"}}
_CLOUD = {"content-type": "application/cloudevents+json"}

_SAID = Ask(body="To whom")
_HUB = "/api/hubs/{hub}"
_PERMISSION = f"{_HUB}/permissions/{{permission}}/connections/{{connection}}"

ROUTES = {
    "POST /v1/alerts": Ask(body=_ALERT),
    "GET /v1/alerts": Ask(query="source=$alert"),
    "POST /v1/alerts/batch": Ask(body={"alerts": [_ALERT]}),
    "GET /v1/alerts/{id}": Ask("alert"),
    "DELETE /v1/alerts/{id}": Ask("alert"),
    "GET /v1/alerts/{id}/trace": Ask("alert", "user=$user"),
    "POST /v1/events": Ask(body={**_EVENT, "data": {"title": "To whom"}}, headers=_CLOUD),
    "GET /v1/topics": Ask(query="cursor=$topic"),
    "GET /v1/topics/{topic}/subscribers": Ask(),
    "GET /v1/users/{user}/topics": Ask(),
    "POST /v1/topics/{topic}/subscribers": Ask(body=["$user"]),
    "PUT /v1/topics/{topic}/subscribers/{user}": Ask(),
    "DELETE /v1/topics/{topic}/subscribers/{user}": Ask(),
    "POST /shims/alertmanager": Ask(query="to_users=$user", body={"alerts": [_FIRING]}),
    "POST /shims/grafana": Ask(query="to_users=$user", body={"alerts": [_FIRING]}),
    "POST /shims/pagerduty/v2/enqueue": Ask(
        body={"event_action": "resolve", "dedup_key": "$alert", "routing_key": "$key"}
    ),
    "POST /shims/gotify/message": Ask(query="to_users=$user", body={"message": "To whom"}),
    "POST /shims/ntfy/": Ask(query="to_users=$topic", body={"topic": "$topic"}),
    "POST /shims/ntfy/{topic}": Ask(query="to_users=$topic", body="To whom"),
    "PUT /shims/ntfy/{topic}": Ask(query="to_users=$topic", body="To whom"),
    "POST /v1/client-tokens": Ask(body={"user_id": "$user"}),
    "GET /v1/inbox": Ask(query="user=$reader&position=$epoch:0:0"),
    "GET /v1/inbox/changes": Ask(query="user=$reader&since=$epoch:0:0"),
    "GET /v1/inbox/stream": Ask(query="user=$reader&since=$epoch:0:0"),
    "GET /v1/inbox/items": Ask(query="user=$reader"),
    "PATCH /v1/inbox/items": Ask(
        query="user=ada", body={"patches": [{"id": "$alert", "alert_id": "$alert", "read": True}]}
    ),
    "GET /v1/inbox/items/{id}": Ask("alert", "user=ada"),
    "PATCH /v1/inbox/items/{id}": Ask("alert", "user=ada", _PATCH),
    "DELETE /v1/inbox/items/{id}": Ask("alert", "user=ada&alert_id=$alert"),
    "POST /v1/inbox/items/{id}/restore": Ask("alert", "user=ada&alert_id=$alert"),
    "POST /v1/inbox/mark": Ask(
        query="user=ada",
        body={"action": "read", "up_to": {"epoch": "$epoch", "sort": 1, "brev": 1}},
    ),
    "POST /v1/inbox/receipts": Ask(
        query="user=ada", body={"receipts": [{"alert_id": "$alert", "fact": "shown"}]}
    ),
    "GET /v1/inbox/topics": Ask(query="user=$reader&cursor=$topic"),
    "PUT /v1/inbox/topics/{topic}": Ask(query="user=$reader"),
    "DELETE /v1/inbox/topics/{topic}": Ask(query="user=$reader"),
    "GET /v1/preferences": Ask(query="user=$reader"),
    "PUT /v1/preferences": Ask(query="user=ada", body={"channels": {"push": {"enabled": False}}}),
    "GET /v1/admin/preferences": Ask(headers={"tocsin-hub": "south"}),
    "PUT /v1/admin/preferences": Ask(
        body={"critical_exempt": True}, headers={"tocsin-hub": "south"}
    ),
    "GET /v1/devices": Ask(query="user=$reader"),
    "GET /v1/devices/{id}": Ask("device", "user=ada"),
    "PUT /v1/devices/{id}": Ask(
        "device",
        "user=ada",
        {"platform": "fcm", "channel": {"token": "$device"}},
    ),
    "PATCH /v1/devices/{id}": Ask("device", "user=ada", {"locale": "de"}),
    "DELETE /v1/devices/{id}": Ask("device", "user=ada"),
    "POST /v1/devices/{id}/test": Ask("device", "user=ada"),
    "GET /v1/admin/vapid-keys": Ask(),
    "POST /v1/admin/vapid-keys": Ask(),
    "DELETE /v1/admin/vapid-keys/{id}": Ask("key"),
    "POST /v1/users/{user}/revoke-tokens": Ask(),
    "DELETE /v1/users/{user}": Ask(user="stranger"),
    "GET /v1/users/{user}/export": Ask(user="stranger"),
    "GET /v1/admin/erasures": Ask(query="hub=south"),
    "GET /v1/admin/audit": Ask(query="hub=south&user=$user"),
    "POST /v1/admin/backups": Ask(
        body={"archive": "south.tocsin", "outcome": "begun", "with_key": True}
    ),
    "POST /v1/admin/keys": Ask(body={"role": "admin", "hub": "south"}),
    "GET /v1/admin/keys": Ask(query="hub=south"),
    "DELETE /v1/admin/keys/{id}": Ask("key"),
    "GET /v1/admin/dead": Ask(),
    "GET /v1/admin/dead/{id}": Ask("dead"),
    "POST /v1/admin/dead/{id}/retry": Ask("dead"),
    "DELETE /v1/admin/dead/{id}": Ask("dead"),
    "GET /v1/admin/dead-pushes": Ask(),
    "POST /v1/admin/dead-pushes/retry": Ask(),
    "POST /v1/admin/dead-pushes/{id}/retry": Ask("push"),
    "GET /v1/admin/doctor": Ask(),
    "POST /v1/admin/webhooks": Ask(body={"url": "https://9.9.9.9/", "key_id": "$key"}),
    "GET /v1/admin/webhooks": Ask(),
    "GET /v1/admin/webhooks/{id}": Ask("webhook"),
    "PATCH /v1/admin/webhooks/{id}": Ask("webhook", body={"enabled": False}),
    "DELETE /v1/admin/webhooks/{id}": Ask("webhook"),
    "POST /v1/admin/webhooks/{id}/secret": Ask("webhook"),
    "POST /v1/admin/webhooks/{id}/test": Ask("webhook"),
    "GET /v1/admin/webhooks/{id}/dead": Ask("webhook"),
    "GET /v1/admin/webhooks/{id}/dead/{batch}": Ask("webhook"),
    "POST /v1/admin/webhooks/{id}/dead/{batch}/retry": Ask("webhook"),
    "DELETE /v1/admin/webhooks/{id}/dead/{batch}": Ask("webhook"),
    "POST /v1/admin/event-handlers": Ask(
        body={"url": "https://9.9.9.9/", "user_events": "*"}, headers={"tocsin-hub": "south"}
    ),
    "GET /v1/admin/event-handlers": Ask(headers={"tocsin-hub": "south"}),
    "DELETE /v1/admin/event-handlers/{id}": Ask("handler"),
    "POST /v1/admin/event-handlers/{id}/test": Ask("handler"),
    "GET /v1/admin/access-keys": Ask(headers={"tocsin-hub": "south"}),
    "POST /v1/admin/access-keys/{which}/regenerate": Ask(headers={"tocsin-hub": "south"}),
    "GET /v1/admin/connection-string": Ask(headers={"tocsin-hub": "south"}),
    "GET /client/hubs/{hub}": Ask(),
    f"POST {_HUB}/users/{{user}}/:send": _SAID,
    f"POST {_HUB}/groups/{{group}}/:send": _SAID,
    f"POST {_HUB}/connections/{{connection}}/:send": _SAID,
    f"POST {_HUB}/:send": _SAID,
    f"POST {_HUB}/:closeConnections": Ask(query="reason=$topic"),
    f"POST {_HUB}/:addToGroups": Ask(body={"groups": ["$topic"]}),
    f"POST {_HUB}/:removeFromGroups": Ask(body={"groups": ["$topic"]}),
    f"POST {_HUB}/:generateToken": Ask(query="userId=$user"),
    f"GET {_HUB}/connections": Ask(),
    f"HEAD {_HUB}/connections/{{connection}}": Ask(),
    f"DELETE {_HUB}/connections/{{connection}}": Ask(),
    f"DELETE {_HUB}/connections/{{connection}}/groups": Ask(),
    f"HEAD {_HUB}/groups/{{group}}": Ask(),
    f"POST {_HUB}/groups/{{group}}/:closeConnections": Ask(),
    f"GET {_HUB}/groups/{{group}}/connections": Ask(),
    f"GET {_HUB}/groups/{{group}}/users": Ask(),
    f"PUT {_HUB}/groups/{{group}}/connections/{{connection}}": Ask(),
    f"DELETE {_HUB}/groups/{{group}}/connections/{{connection}}": Ask(),
    f"GET {_HUB}/users": Ask(),
    f"HEAD {_HUB}/users/{{user}}": Ask(),
    f"POST {_HUB}/users/{{user}}/:closeConnections": Ask(),
    f"PUT {_HUB}/users/{{user}}/groups/{{group}}": Ask(),
    f"DELETE {_HUB}/users/{{user}}/groups/{{group}}": Ask(),
    f"DELETE {_HUB}/users/{{user}}/groups": Ask(),
    f"PUT {_PERMISSION}": Ask(query="targetName=$topic"),
    f"HEAD {_PERMISSION}": Ask(query="targetName=$topic"),
    f"DELETE {_PERMISSION}": Ask(query="targetName=$topic"),
    "POST /demo/session": Ask(query="user=$topic"),
    "POST /demo/alerts": Ask(body=_ALERT),
    "GET /demo/alerts/{id}": Ask("alert"),
    "GET /demo/alerts/{id}/trace": Ask("alert", "user=$user"),
}

# Open to everybody, or to this machine, and about no hub.
PUBLIC = {"GET /v1/push/config", "HEAD /api/health", "GET /healthz", "GET /readyz", "GET /metrics"}

# What a live client may send, by the names of ``realtime/requests.py``.  ``$topic`` is the name of a group here.
FRAMES: dict[str, dict[str, Any]] = {
    "ping": {"type": "ping"},
    "sequenceack": {"type": "sequenceAck", "sequenceId": 999},
    "event": {
        "type": "event",
        "event": "order",
        "ackId": 1,
        "dataType": "text",
        "data": "$topic $alert",
    },
    "invoke": {
        "type": "invoke",
        "invocationId": "1",
        "target": "event",
        "event": "order",
        "dataType": "text",
        "data": "$topic",
    },
    "cancelinvocation": {"type": "cancelInvocation", "invocationId": "$connection"},
    "joingroup": {"type": "joinGroup", "group": "$topic", "ackId": 2},
    "leavegroup": {"type": "leaveGroup", "group": "$topic", "ackId": 3},
    "sendtogroup": {
        "type": "sendToGroup",
        "group": "$topic",
        "ackId": 4,
        "dataType": "text",
        "data": "to whom",
    },
    "streamdata": {
        "type": "streamData",
        "streamId": "$connection",
        "streamSequenceId": 1,
        "dataType": "text",
        "data": "$topic",
    },
    "streamend": {"type": "streamEnd", "streamId": "$connection"},
    "setgroupstate": {"type": "setGroupState", "group": "$topic", "ackId": 5, "state": {}},
    "subscribegroupstate": {"type": "subscribeGroupState", "group": "$topic", "ackId": 6},
    "unsubscribegroupstate": {"type": "unsubscribeGroupState", "group": "$topic"},
}
