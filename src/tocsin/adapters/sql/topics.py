"""Statements about topics, their subscribers, and how far alerts to them have come."""

from sqlalchemy import func, insert, literal_column, select, union, update

from tocsin.adapters.sql.differences import JsonArray, Texts, upsert
from tocsin.adapters.sql.inboxes import has_name
from tocsin.adapters.sql.parts import among, at_most, param
from tocsin.adapters.sql.schema import alerts, expansions, heads, subscriptions, topics

_here = subscriptions.c.hub_no == param("hub_no")
_of_topic = (_here, subscriptions.c.topic == param("topic"))
_this_topic = (topics.c.hub_no == param("hub_no"), topics.c.topic == param("topic"))

known_topic = select(topics.c.subscribers).where(*_this_topic)
count_topics = select(func.count()).where(topics.c.hub_no == param("hub_no"))
count_topics_of_user = select(func.count()).where(_here, subscriptions.c.user == param("user"))
add_topic = insert(topics)
count_subscribers = (
    update(topics)
    .where(topics.c.hub_no == param("at_hub"), topics.c.topic == param("at_topic"))
    .values(subscribers=topics.c.subscribers + param("more"))
)
drop_empty_topic = topics.delete().where(
    topics.c.hub_no == param("at_hub"),
    topics.c.topic == param("at_topic"),
    topics.c.subscribers == literal_column("0"),
)
subscribe = upsert(subscriptions).on_conflict_do_nothing()
unsubscribe = subscriptions.delete().where(*_of_topic, among(subscriptions.c.user, "users"))

topics_page = at_most(
    select(topics.c.topic, topics.c.subscribers)
    .where(topics.c.hub_no == param("hub_no"), topics.c.topic > param("after"))
    .order_by(topics.c.topic)
)
subscribers_page = at_most(
    select(subscriptions.c.topic, subscriptions.c.user, subscriptions.c.since_us)
    .where(*_of_topic, subscriptions.c.user > param("after"))
    .order_by(subscriptions.c.user)
)
topics_of_user = at_most(
    select(subscriptions.c.topic, subscriptions.c.user, subscriptions.c.since_us)
    .where(_here, subscriptions.c.user == param("user"), subscriptions.c.topic > param("after"))
    .order_by(subscriptions.c.topic)
)
next_subscribers = at_most(
    select(subscriptions.c.user)
    .where(*_of_topic, subscriptions.c.user > param("after"))
    .order_by(subscriptions.c.user)
)

# How many an alert would reach now: a count over all of them, on a reading connection.
_named = Texts(JsonArray("users")).table_valued("value")
_audience = union(
    select(subscriptions.c.user).where(_here, among(subscriptions.c.topic, "topics")),
    select(_named.c.value),
).subquery("people")
count_audience = select(func.count()).select_from(_audience)
count_users = select(func.count()).where(heads.c.hub_no == param("hub_no"), has_name)

_keep_place = upsert(expansions)
keep_place = _keep_place.on_conflict_do_update(
    index_elements=["alert_no"], set_={"after": _keep_place.excluded.after}
)
end_expansion = expansions.delete().where(expansions.c.alert_no == param("alert_no"))
end_expansion_of = expansions.delete().where(
    expansions.c.alert_no
    == select(alerts.c.alert_no).where(alerts.c.id == param("id")).scalar_subquery()
)
