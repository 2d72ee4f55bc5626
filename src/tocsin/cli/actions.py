"""Buttons of an alert, as the command line writes them: ``id=label[,url][,style]``."""

from typing import get_args

import typer

from tocsin.model.alert import Style

_STYLES = frozenset(get_args(Style))


def read_action(text: str) -> dict[str, str]:
    """Read one button; a label has no comma, and what an address may be is the server's to say.

    Raises:
        typer.BadParameter: It has no id, or no label.
    """
    action_id, _, rest = text.partition("=")
    label, _, rest = rest.partition(",")
    if not action_id or not label:
        msg = f"--action is ID=LABEL[,URL][,STYLE], e.g. ack=Acknowledge,primary; not {text[:80]!r}"
        raise typer.BadParameter(msg)
    action = {"id": action_id, "label": label}
    url, comma, last = rest.rpartition(",")
    if last in _STYLES:
        action["style"] = last
    else:
        url += comma + last
    return action | ({"url": url} if url else {})
