"""The audit log: who did what with rights and data."""

from typing import Annotated

import typer
from rich.table import Table

from tocsin.cli.calls import AnyHubOption, call, print_table

_PAGE = 200


def audit(
    context: typer.Context,
    user: Annotated[
        str | None, typer.Option(help="Only what was done to this user.", show_default=False)
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="Only this action, e.g. key.create.", show_default=False)
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help="Only this key's id, or local.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
    hub: AnyHubOption = None,
) -> None:
    """List what was done with rights and data, newest first."""
    given = {"user": user, "action": action, "actor": actor}
    wanted = {name: value for name, value in given.items() if value is not None}
    table = Table(
        "at", "hub", "actor", "action", "target", "outcome", "detail", box=None, pad_edge=False
    )
    cursor: str | None = ""
    while cursor is not None and limit > 0:
        page = {"limit": str(min(limit, _PAGE)), **({"cursor": cursor} if cursor else {})}
        answer = call(context, "GET", "/v1/admin/audit", hub=hub, **wanted, **page)
        for deed in answer["deeds"]:
            actor_name = f"{deed['actor']} ({deed['actor_name']})"
            table.add_row(
                deed["at"],
                deed["hub"] or "*",
                actor_name,
                deed["action"],
                deed["target"],
                deed["outcome"],
                " ".join(f"{name}={value}" for name, value in deed["detail"].items()),
            )
        limit -= len(answer["deeds"])
        cursor = answer["page"]["next"]
    print_table(table)
