"""Statements about the queue, the producers' ids and the dead letters."""

from sqlalchemy import func, insert, literal_column, not_, null, or_, select, tuple_, update

from tocsin.adapters.sql.differences import Abandoned, Counted
from tocsin.adapters.sql.parts import among, at_most, first, param
from tocsin.adapters.sql.schema import (
    alert_keys,
    dead_letters,
    key_counter,
    queue,
    queue_counter,
)

# Inline: nobody asks which numbers the database gave.
_next_seq, _next_key = Counted(queue_counter, "seq"), Counted(key_counter, "key_no")
add_waiting = (
    insert(queue)
    .inline()
    .values(
        seq=_next_seq,
        id=param("id"),
        payload=param("payload"),
        attempts=param("attempts"),
        available_us=param("available_us"),
        expands=param("expands"),
        batch=param("batch"),
    )
)
_LEASABLE = select(
    queue.c.seq, queue.c.payload, queue.c.attempts, queue.c.crashes, queue.c.batch
).where(
    queue.c.expands == param("expands"),
    or_(queue.c.batch.is_(None), not_(among(queue.c.batch, "behind"))),
)
# Zero means due at once, whatever the clock says.
due_again = at_most(
    _LEASABLE.where(
        queue.c.available_us > literal_column("0"), queue.c.available_us <= param("now")
    ).order_by(queue.c.available_us, queue.c.seq)
).with_for_update(skip_locked=True)
due = at_most(
    _LEASABLE.where(queue.c.available_us == literal_column("0")).order_by(queue.c.seq)
).with_for_update(skip_locked=True)
# What of some batches is on the queue before a place in it.
before_in_batches = (
    select(queue.c.batch, queue.c.seq)
    .where(
        queue.c.batch.is_not(None), among(queue.c.batch, "batches"), queue.c.seq < param("below")
    )
    .order_by(queue.c.batch, queue.c.seq)
)
hide = (
    update(queue)
    .where(queue.c.seq == param("at_seq"))
    .values(
        attempts=param("attempts"),
        available_us=param("available_us"),
        leased_us=param("leased_us"),
        leased_by=param("holder"),
    )
)
_in_hand = queue.c.leased_us.is_not(None)
_mine = queue.c.leased_by == param("holder")
# How much each process held that is gone.
abandoned = (
    select(queue.c.leased_by, func.count())
    .where(_in_hand, Abandoned(queue.c.leased_by))
    .group_by(queue.c.leased_by)
)
# Of a copy of the store: whoever held something is not here.
give_all_back = (
    update(queue)
    .where(_in_hand)
    .values(
        available_us=literal_column("0"),
        leased_us=null(),
        leased_by=null(),
        attempts=queue.c.attempts - literal_column("1"),
    )
)
give_back = give_all_back.where(_mine)
# Of a session that was lost: what was tried over it counts as tried, and nobody is blamed for a crash.
take_up_again = (
    update(queue)
    .where(_in_hand, _mine)
    .values(available_us=literal_column("0"), leased_us=null(), leased_by=null())
)
# What a crash leaves is leased alone from now on.  One that was alone counts the crash, and goes behind all that waits.
suspect_all = give_back.values(crashes=func.coalesce(queue.c.crashes, literal_column("0")))
suspect_one = (
    update(queue)
    .where(_in_hand, _mine)
    .values(
        seq=_next_seq,
        available_us=literal_column("0"),
        leased_us=null(),
        leased_by=null(),
        crashes=func.coalesce(queue.c.crashes, literal_column("0")) + literal_column("1"),
    )
)
# Who lost a lease to another process has no say any more.
put_off = (
    update(queue)
    .where(among(queue.c.seq, "seqs"), _mine)
    .values(
        available_us=param("available_us"),
        leased_us=null(),
        leased_by=null(),
        last_error=param("last_error"),
    )
)
# Nothing waits for one that failed.
retry_later = put_off.values(batch=null())
put_back = (
    update(queue)
    .where(queue.c.seq == param("at_seq"), _mine)
    .values(
        seq=_next_seq,
        attempts=literal_column("0"),
        available_us=literal_column("0"),
        leased_us=null(),
        leased_by=null(),
        last_error=null(),
        crashes=null(),
    )
)
drop_waiting = queue.delete().where(among(queue.c.seq, "seqs"))
drop_delivered = queue.delete().where(among(queue.c.id, "ids"))
in_hand_by_seq = (
    select(queue.c.id, queue.c.payload, queue.c.attempts)
    .where(queue.c.seq == param("seq"), _mine)
    .with_for_update()
)
progress = select(queue.c.payload, queue.c.attempts, queue.c.last_error).where(
    queue.c.id == param("id")
)
waiting_payload = select(queue.c.payload).where(queue.c.id == param("id"))
waiting_payloads = select(queue.c.payload).where(among(queue.c.id, "ids"))
oldest_waiting = first(select(queue.c.payload).order_by(queue.c.seq))
next_due = first(
    select(queue.c.available_us)
    .where(queue.c.expands == param("expands"))
    .order_by(queue.c.available_us)
)
count_waiting = select(func.count()).select_from(queue)
last_seq = first(select(queue.c.seq).order_by(queue.c.seq.desc()))

bury = insert(dead_letters)
_LETTER = (
    dead_letters.c.payload,
    dead_letters.c.attempts,
    dead_letters.c.reason,
    dead_letters.c.at_us,
)
dead_letter = select(*_LETTER).where(dead_letters.c.id == param("id"))
dead_page = at_most(
    select(*_LETTER)
    .where(tuple_(dead_letters.c.at_us, dead_letters.c.id) < tuple_(param("at_us"), param("id")))
    .order_by(dead_letters.c.at_us.desc(), dead_letters.c.id.desc())
)
count_dead = select(func.count()).select_from(dead_letters)
drop_dead = dead_letters.delete().where(dead_letters.c.id == param("id"))

remembered = select(alert_keys.c.alert_id, alert_keys.c.fingerprint).where(
    alert_keys.c.hub == param("hub"),
    alert_keys.c.key_id == param("key_id"),
    alert_keys.c.source == param("source"),
    alert_keys.c.producer_id == param("producer_id"),
)
named_alerts = at_most(
    select(alert_keys.c.producer_id, alert_keys.c.alert_id)
    .where(
        alert_keys.c.hub == param("hub"),
        alert_keys.c.key_id == param("key_id"),
        alert_keys.c.source == param("source"),
        alert_keys.c.producer_id >= param("low"),
        alert_keys.c.producer_id < param("high"),
    )
    .order_by(alert_keys.c.producer_id.desc())
)
remember = (
    insert(alert_keys)
    .inline()
    .values(
        {c.name: param(c.name) for c in alert_keys.c if c.name not in ("key_no", "renewed")}
        | {"key_no": _next_key}
    )
)
last_key_no = first(select(alert_keys.c.key_no).order_by(alert_keys.c.key_no.desc()))
oldest_keys = at_most(
    select(
        alert_keys.c.key_no,
        alert_keys.c.at_us,
        alert_keys.c.keeps,
        alert_keys.c.hub,
        alert_keys.c.alert_id,
        alert_keys.c.renewed,
    ).order_by(alert_keys.c.key_no)
)
count_renewed = (
    select(func.count())
    .select_from(alert_keys)
    .where(alert_keys.c.hub == param("hub"), alert_keys.c.renewed == literal_column("1"))
)
renew = (
    update(alert_keys)
    .where(alert_keys.c.key_no == param("at_key"))
    .values(key_no=_next_key, at_us=param("at_us"), renewed=literal_column("1"))
)
forget_keys = alert_keys.delete().where(among(alert_keys.c.key_no, "key_nos"))
