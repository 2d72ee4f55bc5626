"""Statements of an audit: they walk whole tables on purpose, and run only when somebody asks for it."""

from sqlalchemy import ColumnElement, and_, case, exists, func, literal_column, or_, select

from tocsin.adapters.sql.parts import at_most, first
from tocsin.adapters.sql.schema import alerts, heads, hubs, items

_listed = and_(
    items.c.deleted_at.is_(None), items.c.archived_at.is_(None), items.c.snoozed_until.is_(None)
)
_not_read = and_(
    items.c.read_at.is_(None),
    or_(items.c.unread_at.is_not(None), items.c.sort > heads.c.read_up_to),
)
_not_seen = and_(_not_read, items.c.seen_at.is_(None), items.c.sort > heads.c.seen_up_to)


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, literal_column("1"))))


# Stored counts beside counts made anew (docs/reference/sync.md, section 1), where they differ.
miscounted = at_most(
    select(heads.c.user, heads.c.unseen, heads.c.unread, _how_many(_not_seen), _how_many(_not_read))
    .outerjoin(items, and_(items.c.user_no == heads.c.user_no, _listed))
    .group_by(heads.c.user_no)
    .having(
        or_(heads.c.unseen != _how_many(_not_seen), heads.c.unread != _how_many(_not_read)),
    )
)
ahead_of_head = at_most(
    select(heads.c.user, heads.c.rev, items.c.rev)
    .join(items, items.c.user_no == heads.c.user_no)
    .where(items.c.rev > heads.c.rev)
)
without_alert = at_most(
    select(items.c.user_no, items.c.id).where(
        ~exists().where(alerts.c.alert_no == items.c.alert_no)
    )
)
without_head = at_most(
    select(items.c.user_no, items.c.id).where(~exists().where(heads.c.user_no == items.c.user_no))
)
last_processed = first(select(alerts.c.processed_us).order_by(alerts.c.alert_no.desc()))
last_sorts = select(hubs.c.last_sort)
