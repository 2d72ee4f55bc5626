"""The requests of the inbox protocol (docs/reference/inbox-protocol.md), as the machine asks for them."""

from urllib.parse import quote

from tocsin.client.rules import Row


def inbox_request(limit: int) -> Row:
    """Ask for the newest page."""
    return {"method": "GET", "path": f"/v1/inbox?limit={limit}"}


def older_request(limit: int, before: int, position: Row) -> Row:
    """Ask for the page below ``before``."""
    path = f"/v1/inbox?limit={limit}&before={before}&position={_position(position)}"
    return {"method": "GET", "path": path}


def changes_request(position: Row) -> Row:
    """Ask for everything after the position."""
    return {"method": "GET", "path": f"/v1/inbox/changes?since={_position(position)}"}


def action_request(entry: Row) -> Row:
    """Ask for an action of the queue to be done, under its own key."""
    action = entry["action"]
    if action["type"] == "patch":
        body = {"patches": action["patches"]}
        request: Row = {"method": "PATCH", "path": "/v1/inbox/items", "body": body}
    elif action["type"] == "restore":
        item, alert = quote(action["id"], safe=""), quote(action["alert_id"], safe="")
        path = f"/v1/inbox/items/{item}/restore?alert_id={alert}"
        request = {"method": "POST", "path": path}
    else:
        body = {name: action[name] for name in ("action", "up_to", "category") if name in action}
        request = {"method": "POST", "path": "/v1/inbox/mark", "body": body}
    return {**request, "key": entry["op_id"]}


def _position(position: Row) -> str:
    return f"{position['epoch']}:{position['rev']}:{position['brev']}"
