"""Statements about own items.  An item row is read together with the alert it says now."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, tuple_

from tocsin.adapters.sql.parts import absent, among, at_most, first, param, set_all
from tocsin.adapters.sql.schema import alerts, heads, items

_ITEM = (
    items.c.id,
    alerts.c.id.label("alert_id"),
    items.c.sort,
    items.c.rev,
    alerts.c.content,
    items.c.seen_at,
    items.c.read_at,
    items.c.unread_at,
    items.c.archived_at,
    items.c.deleted_at,
    items.c.snoozed_until,
    alerts.c.category,
    alerts.c.severity,
    items.c.collapse_key,
    items.c.expires_us,
    items.c.deleted_by,
)
_told = items.join(alerts, alerts.c.alert_no == items.c.alert_no)
_mine = items.c.user_no == param("user_no")
_standing = items.c.deleted_at.is_(None)
_listed = and_(_standing, items.c.archived_at.is_(None), items.c.snoozed_until.is_(None))
_newest_first = (items.c.sort.desc(), items.c.id.desc())


def _own(*where: ColumnElement[bool]) -> Select[Any]:
    return select(*_ITEM).select_from(_told).where(_mine, *where)


def _of_anyone(*where: ColumnElement[bool]) -> Select[Any]:
    return select(*_ITEM, items.c.user_no).select_from(_told).where(*where)


add_item = insert(items)
mark_item = (
    set_all(items, but=("user_no", "id", "alert_no", "collapse_key", "expires_us"))
    .where(items.c.user_no == param("at_user"))
    .where(items.c.id == param("at_id"))
)
replace_item = (
    set_all(items, but=("user_no", "id"))
    .where(items.c.user_no == param("at_user"))
    .where(items.c.id == param("at_id"))
)
drop_item = items.delete().where(items.c.user_no == param("user_no"), items.c.id == param("id"))

listed = at_most(_own(_listed, items.c.sort < param("before")).order_by(*_newest_first))
changed = at_most(_own(items.c.rev > param("rev")))
named = _own(among(items.c.id, "ids"))
saying = _own(items.c.alert_no == param("alert_no"))
newest_of_key = first(
    _own(items.c.collapse_key == param("collapse_key")).order_by(items.c.sort.desc())
)

# A bulk mark: what it must know without touching what it marks.
_above = (_mine, _listed, items.c.sort > param("sort"), items.c.read_at.is_(None))
unseen_above = select(func.count()).where(*_above, items.c.seen_at.is_(None))
unread_above = select(func.count()).where(*_above)
unread_by_hand = _own(_standing, items.c.unread_at.is_not(None)).order_by(items.c.sort)

# A mark with a category walks what is listed, newest first, from one chunk to the next.
_in_category = _own(
    _listed, items.c.sort < param("before"), alerts.c.category == param("category")
).order_by(*_newest_first)
not_read = and_(
    items.c.read_at.is_(None),
    or_(items.c.unread_at.is_not(None), items.c.sort > param("read_up_to")),
)
not_seen = and_(
    items.c.read_at.is_(None), items.c.seen_at.is_(None), items.c.sort > param("seen_up_to")
)
unread_in_category = at_most(_in_category.where(not_read))
unseen_in_category = at_most(_in_category.where(not_seen))


def _view(*where: ColumnElement[bool]) -> Select[Any]:
    """One view of the merged list: below a cursor, perhaps of one category or severity."""
    filters = (
        or_(absent("category"), alerts.c.category == param("category")),
        or_(absent("severity"), alerts.c.severity == param("severity")),
        tuple_(items.c.sort, items.c.id) < tuple_(param("sort"), param("id")),
    )
    return at_most(_own(*where, *filters).order_by(*_newest_first))


view_all = _view(_listed)
view_unread_above = _view(_listed, items.c.sort > param("read_up_to"), items.c.read_at.is_(None))
view_unread_by_hand = _view(_listed, items.c.unread_at.is_not(None))
view_snoozed = _view(_standing, items.c.archived_at.is_(None), items.c.snoozed_until.is_not(None))
view_archived = _view(_standing, items.c.archived_at.is_not(None))

# What time does, over all users.
to_wake = at_most(_of_anyone(_standing, items.c.snoozed_until <= param("now")))
to_expire = at_most(_of_anyone(_standing, items.c.expires_us <= param("now")))
of_alert = at_most(
    _of_anyone(
        items.c.alert_no == param("alert_no"), items.c.user_no > param("after"), _standing
    ).order_by(items.c.user_no)
)
still_unread = at_most(
    select(*_ITEM, items.c.user_no)
    .select_from(_told.join(heads, heads.c.user_no == items.c.user_no))
    .where(
        items.c.alert_no == param("alert_no"),
        items.c.user_no > param("after"),
        _standing,
        items.c.read_at.is_(None),
        or_(items.c.unread_at.is_not(None), items.c.sort > heads.c.read_up_to),
    )
    .order_by(items.c.user_no)
)
old_tombstones = at_most(
    select(items.c.user_no, items.c.id, items.c.rev, items.c.alert_no).where(
        items.c.deleted_at < param("before")
    )
)
# Counted where the rows are: an alert to a large topic has very many.
_read = or_(
    items.c.read_at.is_not(None),
    and_(items.c.unread_at.is_(None), items.c.sort <= heads.c.read_up_to),
)
_seen = or_(_read, items.c.seen_at.is_not(None), items.c.sort <= heads.c.seen_up_to)
verdicts = (
    select(func.count().filter(_seen), func.count().filter(_read))
    .select_from(items)
    .join(heads, heads.c.user_no == items.c.user_no)
    .where(items.c.alert_no == param("alert_no"))
)
