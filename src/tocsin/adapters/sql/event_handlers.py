"""Statements about event handlers; there are a few per hub, and all are read at start."""

from sqlalchemy import insert, select

from tocsin.adapters.sql.parts import param
from tocsin.adapters.sql.schema import event_handlers

add_event_handler = insert(event_handlers)
all_event_handlers = select(event_handlers).order_by(
    event_handlers.c.created_us, event_handlers.c.id
)
remove_event_handler = event_handlers.delete().where(
    event_handlers.c.hub == param("hub"), event_handlers.c.id == param("id")
)
