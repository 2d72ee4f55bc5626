"""Statements about hubs, heads and remembered answers."""

from sqlalchemy import insert, literal_column, select, update

from tocsin.adapters.sql.differences import Lineage
from tocsin.adapters.sql.parts import among, at_most, first, param, set_all
from tocsin.adapters.sql.schema import heads, hubs, ops

all_hubs = select(
    hubs.c.hub_no,
    hubs.c.name,
    Lineage(hubs.c.epoch).label("epoch"),
    hubs.c.brev,
    hubs.c.last_sort,
)
hub_by_name = all_hubs.where(hubs.c.name == param("name"))
hub_by_no = all_hubs.where(hubs.c.hub_no == param("hub_no"))
rev_floor_of = select(hubs.c.rev_floor).where(hubs.c.hub_no == param("hub_no"))
add_hub = insert(hubs)
move_stream = (
    update(hubs)
    .where(hubs.c.hub_no == param("at_hub"))
    .values(brev=param("brev"), last_sort=param("last_sort"))
)
renew_epoch = update(hubs).where(hubs.c.hub_no == param("at_hub")).values(epoch=param("epoch"))

head_of = select(heads).where(heads.c.hub_no == param("hub_no"), heads.c.user == param("user"))
heads_of = select(heads).where(heads.c.hub_no == param("hub_no"), among(heads.c.user, "users"))
heads_by_no = select(heads).where(among(heads.c.user_no, "user_nos"))
# Whoever writes locks first and reads what it decides on afterwards: inboxes in the order of users, the hub last.
lock_hub = hub_by_no.with_for_update(key_share=True)
# A new head holds its hub's key: whoever has this lock sees all heads there are.
lock_hub_whole = select(hubs.c.hub_no).where(hubs.c.hub_no == param("hub_no")).with_for_update()
lock_heads = heads_of.order_by(heads.c.user).with_for_update(key_share=True)
lock_heads_by_no = heads_by_no.order_by(heads.c.hub_no, heads.c.user).with_for_update(
    key_share=True
)
revisions_of = select(heads.c.user, heads.c.rev).where(
    heads.c.hub_no == param("hub_no"), among(heads.c.user, "users")
)
# Somebody who is being erased has none: it begins with a control character (``holdings.rename_head``).
has_name = heads.c.user >= literal_column("' '")
add_head = insert(heads)
write_head = set_all(heads, but=("user_no", "hub_no", "user", "b_start")).where(
    heads.c.user_no == param("at_user")
)
last_user_no = first(select(heads.c.user_no).order_by(heads.c.user_no.desc()))

op_outcome = select(ops.c.outcome).where(
    ops.c.user_no == param("user_no"), ops.c.op_id == param("op_id")
)
add_op = insert(ops).values(
    user_no=param("user_no"),
    op_id=param("op_id"),
    outcome=param("outcome"),
    at_us=param("at_us"),
)
oldest_ops = at_most(select(ops.c.op_no, ops.c.at_us).order_by(ops.c.op_no))
drop_ops = ops.delete().where(among(ops.c.op_no, "op_nos"))
