-- Recorded with pg_dump from a node of schema 0022: orders to Ada of which she read one and deleted one, an alert to a topic, one to
-- two people, one to everybody, and one for later; sealed keys were taken out.
CREATE TABLE public.access_keys (
    hub text NOT NULL COLLATE pg_catalog."C",
    primary_key bytea NOT NULL,
    secondary_key bytea NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE SEQUENCE public.alert_counter
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.alert_keys (
    key_no bigint NOT NULL,
    hub text NOT NULL COLLATE pg_catalog."C",
    key_id text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    producer_id text NOT NULL COLLATE pg_catalog."C",
    alert_id text NOT NULL COLLATE pg_catalog."C",
    fingerprint bytea NOT NULL,
    at_us bigint NOT NULL,
    keeps bigint DEFAULT 0 NOT NULL,
    renewed bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.alerts (
    alert_no bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    hub_no bigint NOT NULL,
    key_id text NOT NULL COLLATE pg_catalog."C",
    accepted_us bigint NOT NULL,
    deliver_us bigint,
    processed_us bigint NOT NULL,
    recipients bigint,
    category text COLLATE pg_catalog."C",
    severity text NOT NULL COLLATE pg_catalog."C",
    content bytea NOT NULL,
    withdrawn_us bigint,
    expired_us bigint
);
CREATE TABLE public.audit (
    deed_no bigint NOT NULL,
    hub text NOT NULL COLLATE pg_catalog."C",
    actor text NOT NULL COLLATE pg_catalog."C",
    actor_name text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    outcome text NOT NULL COLLATE pg_catalog."C",
    at_us bigint NOT NULL,
    detail text DEFAULT '{}'::text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.audit_deed_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_deed_no_seq OWNED BY public.audit.deed_no;
CREATE TABLE public.broadcasts (
    hub_no bigint NOT NULL,
    brev bigint NOT NULL,
    alert_no bigint NOT NULL,
    sort bigint NOT NULL,
    expires_us bigint NOT NULL,
    withdrawn bigint
);
CREATE TABLE public.collapses (
    user_no bigint NOT NULL,
    alert_no bigint NOT NULL,
    by_alert_no bigint NOT NULL,
    at_us bigint NOT NULL
);
CREATE TABLE public.dead_batches (
    id text NOT NULL COLLATE pg_catalog."C",
    webhook_id text NOT NULL COLLATE pg_catalog."C",
    body bytea NOT NULL,
    receipts bigint NOT NULL,
    attempts bigint NOT NULL,
    reason text NOT NULL COLLATE pg_catalog."C",
    at_us bigint NOT NULL
);
CREATE TABLE public.dead_letters (
    id text NOT NULL COLLATE pg_catalog."C",
    payload bytea NOT NULL,
    attempts bigint NOT NULL,
    reason text NOT NULL COLLATE pg_catalog."C",
    at_us bigint NOT NULL,
    hub text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    key_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    accepted_us bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.devices (
    device_no bigint NOT NULL,
    hub_no bigint NOT NULL,
    user_no bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    platform text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    channel bytea NOT NULL,
    vapid_key text COLLATE pg_catalog."C",
    tags text NOT NULL COLLATE pg_catalog."C",
    locale text COLLATE pg_catalog."C",
    time_zone text COLLATE pg_catalog."C",
    app_version text COLLATE pg_catalog."C",
    created_us bigint NOT NULL,
    registered_us bigint NOT NULL,
    seen_us bigint NOT NULL,
    last_success_us bigint,
    last_failure_us bigint,
    last_failure text COLLATE pg_catalog."C",
    gone_us bigint,
    gone_reason text COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.devices_device_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.devices_device_no_seq OWNED BY public.devices.device_no;
CREATE TABLE public.editions (
    kept text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL
);
CREATE TABLE public.erasures (
    id text NOT NULL COLLATE pg_catalog."C",
    hub text NOT NULL COLLATE pg_catalog."C",
    pseudonym text NOT NULL COLLATE pg_catalog."C",
    key_id text NOT NULL COLLATE pg_catalog."C",
    at_us bigint NOT NULL,
    finished_us bigint,
    user_no bigint,
    "user" text COLLATE pg_catalog."C",
    counts text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.event_handlers (
    id text NOT NULL COLLATE pg_catalog."C",
    hub text NOT NULL COLLATE pg_catalog."C",
    url text NOT NULL COLLATE pg_catalog."C",
    user_events text NOT NULL COLLATE pg_catalog."C",
    system_events text NOT NULL COLLATE pg_catalog."C",
    "authorization" bytea,
    created_us bigint NOT NULL
);
CREATE TABLE public.expansions (
    alert_no bigint NOT NULL,
    after text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.heads (
    user_no bigint NOT NULL,
    hub_no bigint NOT NULL,
    "user" text NOT NULL COLLATE pg_catalog."C",
    rev bigint NOT NULL,
    b_start bigint NOT NULL,
    last_sort bigint NOT NULL,
    floor bigint NOT NULL,
    seen_up_to bigint NOT NULL,
    read_up_to bigint NOT NULL,
    b_seen_up_to bigint NOT NULL,
    b_read_up_to bigint NOT NULL,
    unseen bigint NOT NULL,
    unread bigint NOT NULL
);
CREATE SEQUENCE public.hub_counter
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.hub_preferences (
    hub_no bigint NOT NULL,
    settings text NOT NULL COLLATE pg_catalog."C",
    changed_us bigint NOT NULL
);
CREATE TABLE public.hubs (
    hub_no bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    epoch text NOT NULL COLLATE pg_catalog."C",
    brev bigint NOT NULL,
    last_sort bigint NOT NULL,
    rev_floor bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.items (
    user_no bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    alert_no bigint NOT NULL,
    sort bigint NOT NULL,
    rev bigint NOT NULL,
    seen_at bigint,
    read_at bigint,
    unread_at bigint,
    archived_at bigint,
    deleted_at bigint,
    snoozed_until bigint,
    collapse_key text COLLATE pg_catalog."C",
    expires_us bigint,
    deleted_by text COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.key_counter
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.keys (
    id text NOT NULL COLLATE pg_catalog."C",
    hub text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    created_us bigint NOT NULL,
    revoked_us bigint
);
CREATE TABLE public.ops (
    op_no bigint NOT NULL,
    user_no bigint NOT NULL,
    op_id text NOT NULL COLLATE pg_catalog."C",
    outcome bytea NOT NULL,
    at_us bigint NOT NULL
);
CREATE SEQUENCE public.ops_op_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.ops_op_no_seq OWNED BY public.ops.op_no;
CREATE TABLE public.preferences (
    user_no bigint NOT NULL,
    settings text NOT NULL COLLATE pg_catalog."C",
    changed_us bigint NOT NULL
);
CREATE TABLE public.probe (
    probe_no bigint NOT NULL,
    at_us bigint NOT NULL
);
CREATE TABLE public.push_spreads (
    alert_no bigint NOT NULL,
    hub_no bigint NOT NULL,
    brev bigint NOT NULL,
    after bigint NOT NULL,
    made_us bigint NOT NULL
);
CREATE TABLE public.pushes (
    push_no bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    alert_no bigint NOT NULL,
    user_no bigint NOT NULL,
    device_no bigint NOT NULL,
    device text NOT NULL COLLATE pg_catalog."C",
    platform text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    made_us bigint NOT NULL,
    attempts bigint NOT NULL,
    due_us bigint,
    leased_us bigint,
    push_end text COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    ended_us bigint,
    held_us bigint,
    showing bigint,
    tag text,
    leased_by bigint
);
CREATE SEQUENCE public.pushes_push_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.pushes_push_no_seq OWNED BY public.pushes.push_no;
CREATE TABLE public.queue (
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    payload bytea NOT NULL,
    attempts bigint NOT NULL,
    available_us bigint NOT NULL,
    leased_us bigint,
    last_error text COLLATE pg_catalog."C",
    crashes bigint,
    expands bigint DEFAULT 0 NOT NULL,
    leased_by bigint
);
CREATE SEQUENCE public.queue_counter
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.receipt_numbers (
    hub_no bigint NOT NULL,
    number bigint NOT NULL
);
CREATE TABLE public.receipt_sketches (
    alert_no bigint NOT NULL,
    fact text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    sketch bytea NOT NULL
);
CREATE TABLE public.receipts (
    hub_no bigint NOT NULL,
    number bigint NOT NULL,
    alert_no bigint NOT NULL,
    user_no bigint NOT NULL,
    fact text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    device text NOT NULL COLLATE pg_catalog."C",
    at_us bigint NOT NULL
);
CREATE TABLE public.revocations (
    pseudonym text NOT NULL COLLATE pg_catalog."C",
    valid_from_us bigint NOT NULL
);
CREATE TABLE public.scheduled (
    id text NOT NULL COLLATE pg_catalog."C",
    payload bytea NOT NULL,
    due_us bigint NOT NULL,
    expands bigint DEFAULT 0 NOT NULL,
    hub text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    key_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    accepted_us bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.states (
    user_no bigint NOT NULL,
    brev bigint NOT NULL,
    hub_no bigint NOT NULL,
    rev bigint NOT NULL,
    sort bigint,
    seen_at bigint,
    read_at bigint,
    unread_at bigint,
    archived_at bigint,
    deleted_at bigint,
    snoozed_until bigint
);
CREATE TABLE public.subscriptions (
    hub_no bigint NOT NULL,
    topic text NOT NULL COLLATE pg_catalog."C",
    "user" text NOT NULL COLLATE pg_catalog."C",
    since_us bigint NOT NULL
);
CREATE TABLE public.topics (
    hub_no bigint NOT NULL,
    topic text NOT NULL COLLATE pg_catalog."C",
    subscribers bigint NOT NULL
);
CREATE SEQUENCE public.user_counter
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.vapid_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    private_key bytea NOT NULL,
    public_key text NOT NULL COLLATE pg_catalog."C",
    created_us bigint NOT NULL,
    retired_us bigint
);
CREATE TABLE public.webhooks (
    id text NOT NULL COLLATE pg_catalog."C",
    hub text NOT NULL COLLATE pg_catalog."C",
    url text NOT NULL COLLATE pg_catalog."C",
    facts text NOT NULL COLLATE pg_catalog."C",
    key_id text COLLATE pg_catalog."C",
    secret bytea NOT NULL,
    former_secret bytea,
    rotated_us bigint NOT NULL,
    created_us bigint NOT NULL,
    disabled_us bigint,
    disabled_reason text COLLATE pg_catalog."C",
    cursor bigint NOT NULL,
    up_to bigint,
    attempts bigint NOT NULL,
    began_us bigint NOT NULL,
    due_us bigint NOT NULL,
    failure text COLLATE pg_catalog."C",
    given_up bigint NOT NULL
);
CREATE TABLE public.withdrawals (
    alert_no bigint NOT NULL,
    after_user bigint NOT NULL
);
ALTER TABLE ONLY public.audit ALTER COLUMN deed_no SET DEFAULT nextval('public.audit_deed_no_seq'::regclass);
ALTER TABLE ONLY public.devices ALTER COLUMN device_no SET DEFAULT nextval('public.devices_device_no_seq'::regclass);
ALTER TABLE ONLY public.ops ALTER COLUMN op_no SET DEFAULT nextval('public.ops_op_no_seq'::regclass);
ALTER TABLE ONLY public.pushes ALTER COLUMN push_no SET DEFAULT nextval('public.pushes_push_no_seq'::regclass);
INSERT INTO public.alembic_version (version_num) VALUES ('0022');
INSERT INTO public.alert_keys (key_no, hub, key_id, source, producer_id, alert_id, fingerprint, at_us, keeps, renewed) VALUES (1, 'default', 'c485343d6e23', 'producer-test', 'order-0', '01a20848-f0be-72dd-aba3-03e49ff93653', '\x3625b4b03984615a977a88be908a4598', 1795435327678515, 0, 0);
INSERT INTO public.alert_keys (key_no, hub, key_id, source, producer_id, alert_id, fingerprint, at_us, keeps, renewed) VALUES (2, 'default', 'c485343d6e23', 'producer-test', 'order-1', '01a20848-f0dd-78d0-a9ec-0a9595e88dc3', '\x8317e702aa56a08f18a245dcbe19f57c', 1795435327709708, 0, 0);
INSERT INTO public.alert_keys (key_no, hub, key_id, source, producer_id, alert_id, fingerprint, at_us, keeps, renewed) VALUES (3, 'default', 'c485343d6e23', 'producer-test', 'order-2', '01a20848-f151-7f74-8817-6bef8b812fe9', '\xbdaa9f2334335029cab19410c76f2203', 1795435327826147, 0, 0);
INSERT INTO public.alerts (alert_no, id, hub_no, key_id, accepted_us, deliver_us, processed_us, recipients, category, severity, content, withdrawn_us, expired_us) VALUES (1, '01a20848-f0be-72dd-aba3-03e49ff93653', 1, 'c485343d6e23', 1795435327678179, NULL, 1795435327695876, 1, NULL, 'info', '\x7b22736f75726365223a2270726f64756365722d74657374222c227469746c65223a224f726465722030222c227365766572697479223a22696e666f222c22637265617465645f6174223a22323032362d31312d32335431323a30323a30372e3637385a227d', NULL, NULL);
INSERT INTO public.alerts (alert_no, id, hub_no, key_id, accepted_us, deliver_us, processed_us, recipients, category, severity, content, withdrawn_us, expired_us) VALUES (2, '01a20848-f0dd-78d0-a9ec-0a9595e88dc3', 1, 'c485343d6e23', 1795435327709551, NULL, 1795435327778530, 1, NULL, 'info', '\x7b22736f75726365223a2270726f64756365722d74657374222c227469746c65223a224f726465722031222c227365766572697479223a22696e666f222c22637265617465645f6174223a22323032362d31312d32335431323a30323a30372e3730395a227d', NULL, NULL);
INSERT INTO public.alerts (alert_no, id, hub_no, key_id, accepted_us, deliver_us, processed_us, recipients, category, severity, content, withdrawn_us, expired_us) VALUES (3, '01a20848-f151-7f74-8817-6bef8b812fe9', 1, 'c485343d6e23', 1795435327825966, NULL, 1795435327873089, 1, NULL, 'info', '\x7b22736f75726365223a2270726f64756365722d74657374222c227469746c65223a224f726465722032222c227365766572697479223a22696e666f222c22637265617465645f6174223a22323032362d31312d32335431323a30323a30372e3832355a227d', NULL, NULL);
INSERT INTO public.alerts (alert_no, id, hub_no, key_id, accepted_us, deliver_us, processed_us, recipients, category, severity, content, withdrawn_us, expired_us) VALUES (4, '01a20848-f16e-7b2b-a4c5-1a1bf26b9795', 1, 'c485343d6e23', 1795435327854698, NULL, 1795435327978139, 2, NULL, 'info', '\x7b22736f75726365223a2270726f64756365722d74657374222c227469746c65223a22546f2074686520746f706963222c227365766572697479223a22696e666f222c22637265617465645f6174223a22323032362d31312d32335431323a30323a30372e3835345a227d', NULL, NULL);
INSERT INTO public.alerts (alert_no, id, hub_no, key_id, accepted_us, deliver_us, processed_us, recipients, category, severity, content, withdrawn_us, expired_us) VALUES (5, '01a20848-f202-79ba-8e94-bb785be79641', 1, 'c485343d6e23', 1795435328002608, NULL, 1795435328037222, 2, NULL, 'critical', '\x7b22736f75726365223a2270726f64756365722d74657374222c227469746c65223a22546f2074776f222c227365766572697479223a22637269746963616c222c22637265617465645f6174223a22323032362d31312d32335431323a30323a30382e3030325a227d', NULL, NULL);
INSERT INTO public.alerts (alert_no, id, hub_no, key_id, accepted_us, deliver_us, processed_us, recipients, category, severity, content, withdrawn_us, expired_us) VALUES (6, '01a20848-f225-7487-8cba-96f7c9473d30', 1, 'c485343d6e23', 1795435328037283, NULL, 1795435328051966, NULL, NULL, 'info', '\x7b22736f75726365223a2270726f64756365722d74657374222c227469746c65223a22546f20616c6c222c227365766572697479223a22696e666f222c22637265617465645f6174223a22323032362d31312d32335431323a30323a30382e3033375a227d', NULL, NULL);
INSERT INTO public.audit (deed_no, hub, actor, actor_name, action, target, outcome, at_us, detail) VALUES (1, 'default', 'local', 'local', 'key.create', '0a2bd6660e11', 'done', 1795435324020478, '{}');
INSERT INTO public.audit (deed_no, hub, actor, actor_name, action, target, outcome, at_us, detail) VALUES (2, 'default', 'local', 'local', 'key.create', 'c485343d6e23', 'done', 1795435325681033, '{}');
INSERT INTO public.audit (deed_no, hub, actor, actor_name, action, target, outcome, at_us, detail) VALUES (3, 'default', '0a2bd6660e11', 'server-test', 'topic.subscribe', '60281d046f4d56c46f1c486dbb348d66', 'done', 1795435327510589, '{"topic":"news","count":1}');
INSERT INTO public.audit (deed_no, hub, actor, actor_name, action, target, outcome, at_us, detail) VALUES (4, 'default', '0a2bd6660e11', 'server-test', 'topic.subscribe', 'news', 'done', 1795435327633037, '{"count":1}');
INSERT INTO public.broadcasts (hub_no, brev, alert_no, sort, expires_us, withdrawn) VALUES (1, 1, 6, 1795435328051966, 1798027328051966, NULL);
INSERT INTO public.editions (kept, number) VALUES ('vapid-keys', 1);
INSERT INTO public.editions (kept, number) VALUES ('keys', 2);
INSERT INTO public.heads (user_no, hub_no, "user", rev, b_start, last_sort, floor, seen_up_to, read_up_to, b_seen_up_to, b_read_up_to, unseen, unread) VALUES (2, 1, 'bob', 2, 0, 1795435328037222, 0, 0, 0, 0, 0, 2, 2);
INSERT INTO public.heads (user_no, hub_no, "user", rev, b_start, last_sort, floor, seen_up_to, read_up_to, b_seen_up_to, b_read_up_to, unseen, unread) VALUES (1, 1, 'ada', 7, 0, 1795435328037222, 0, 0, 0, 0, 0, 3, 3);
INSERT INTO public.hubs (hub_no, name, epoch, brev, last_sort, rev_floor) VALUES (1, 'default', '1217fea2a359e73b', 1, 1795435328051966, 0);
INSERT INTO public.items (user_no, id, alert_no, sort, rev, seen_at, read_at, unread_at, archived_at, deleted_at, snoozed_until, collapse_key, expires_us, deleted_by) VALUES (1, '01a20848-f151-7f74-8817-6bef8b812fe9', 3, 1795435327873089, 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.items (user_no, id, alert_no, sort, rev, seen_at, read_at, unread_at, archived_at, deleted_at, snoozed_until, collapse_key, expires_us, deleted_by) VALUES (1, '01a20848-f16e-7b2b-a4c5-1a1bf26b9795', 4, 1795435327978139, 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.items (user_no, id, alert_no, sort, rev, seen_at, read_at, unread_at, archived_at, deleted_at, snoozed_until, collapse_key, expires_us, deleted_by) VALUES (2, '01a20848-f16e-7b2b-a4c5-1a1bf26b9795', 4, 1795435327978139, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.items (user_no, id, alert_no, sort, rev, seen_at, read_at, unread_at, archived_at, deleted_at, snoozed_until, collapse_key, expires_us, deleted_by) VALUES (1, '01a20848-f202-79ba-8e94-bb785be79641', 5, 1795435328037222, 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.items (user_no, id, alert_no, sort, rev, seen_at, read_at, unread_at, archived_at, deleted_at, snoozed_until, collapse_key, expires_us, deleted_by) VALUES (2, '01a20848-f202-79ba-8e94-bb785be79641', 5, 1795435328037222, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.items (user_no, id, alert_no, sort, rev, seen_at, read_at, unread_at, archived_at, deleted_at, snoozed_until, collapse_key, expires_us, deleted_by) VALUES (1, '01a20848-f0be-72dd-aba3-03e49ff93653', 1, 1795435327695876, 6, NULL, 1795435328299836, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.items (user_no, id, alert_no, sort, rev, seen_at, read_at, unread_at, archived_at, deleted_at, snoozed_until, collapse_key, expires_us, deleted_by) VALUES (1, '01a20848-f0dd-78d0-a9ec-0a9595e88dc3', 2, 1795435327778530, 7, NULL, NULL, NULL, NULL, 1795435328334433, NULL, NULL, NULL, 'user');
INSERT INTO public.keys (id, hub, role, name, digest, created_us, revoked_us) VALUES ('0a2bd6660e11', 'default', 'server', 'server-test', '\xcef70753a3e47aa85a12b92bdc9c76ba3ecf247ed6e0b4af17e8f76f92c0cb98', 1795435324020637, NULL);
INSERT INTO public.keys (id, hub, role, name, digest, created_us, revoked_us) VALUES ('c485343d6e23', 'default', 'producer', 'producer-test', '\x142cb44fe5f62573257179b75e7be7a7e1474524a4d5958d09e8036a1dff6a29', 1795435325681462, NULL);
INSERT INTO public.scheduled (id, payload, due_us, expands, hub, key_id, accepted_us) VALUES ('01a20848-f284-7d91-bc6b-0551c21f46fa', '\x5b2230316132303834382d663238342d376439312d626336622d303535316332316634366661222c2264656661756c74222c22633438353334336436653233222c7b227573657273223a5b22626f62225d7d2c7b22736f75726365223a2270726f64756365722d74657374222c227469746c65223a22466f72206c61746572222c227365766572697479223a22696e666f222c22637265617465645f6174223a22323032362d31312d32345431323a30323a30382e3030305a227d2c313739353433353332383133323834382c2270726f64756365722d74657374222c6e756c6c2c22222c6e756c6c2c22696e666f222c6e756c6c2c6e756c6c2c313739353532313732383030303030302c66616c73655d', 1795521728000000, 0, 'default', 'c485343d6e23', 1795435328132848);
INSERT INTO public.subscriptions (hub_no, topic, "user", since_us) VALUES (1, 'news', 'ada', 1795435327510629);
INSERT INTO public.subscriptions (hub_no, topic, "user", since_us) VALUES (1, 'news', 'bob', 1795435327633555);
INSERT INTO public.topics (hub_no, topic, subscribers) VALUES (1, 'news', 2);
SELECT pg_catalog.setval('public.alert_counter', 6, true);
SELECT pg_catalog.setval('public.audit_deed_no_seq', 4, true);
SELECT pg_catalog.setval('public.devices_device_no_seq', 1, false);
SELECT pg_catalog.setval('public.hub_counter', 1, true);
SELECT pg_catalog.setval('public.key_counter', 3, true);
SELECT pg_catalog.setval('public.ops_op_no_seq', 1, false);
SELECT pg_catalog.setval('public.pushes_push_no_seq', 1, false);
SELECT pg_catalog.setval('public.queue_counter', 6, true);
SELECT pg_catalog.setval('public.user_counter', 2, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.access_keys
    ADD CONSTRAINT pk_access_keys PRIMARY KEY (hub);
ALTER TABLE ONLY public.alert_keys
    ADD CONSTRAINT pk_alert_keys PRIMARY KEY (key_no);
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT pk_alerts PRIMARY KEY (alert_no);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (deed_no);
ALTER TABLE ONLY public.broadcasts
    ADD CONSTRAINT pk_broadcasts PRIMARY KEY (hub_no, brev);
ALTER TABLE ONLY public.collapses
    ADD CONSTRAINT pk_collapses PRIMARY KEY (user_no, alert_no);
ALTER TABLE ONLY public.dead_batches
    ADD CONSTRAINT pk_dead_batches PRIMARY KEY (id);
ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT pk_dead_letters PRIMARY KEY (id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT pk_devices PRIMARY KEY (device_no);
ALTER TABLE ONLY public.editions
    ADD CONSTRAINT pk_editions PRIMARY KEY (kept);
ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT pk_erasures PRIMARY KEY (id);
ALTER TABLE ONLY public.event_handlers
    ADD CONSTRAINT pk_event_handlers PRIMARY KEY (id);
ALTER TABLE ONLY public.expansions
    ADD CONSTRAINT pk_expansions PRIMARY KEY (alert_no);
ALTER TABLE ONLY public.heads
    ADD CONSTRAINT pk_heads PRIMARY KEY (user_no);
ALTER TABLE ONLY public.hub_preferences
    ADD CONSTRAINT pk_hub_preferences PRIMARY KEY (hub_no);
ALTER TABLE ONLY public.hubs
    ADD CONSTRAINT pk_hubs PRIMARY KEY (hub_no);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT pk_items PRIMARY KEY (user_no, id);
ALTER TABLE ONLY public.keys
    ADD CONSTRAINT pk_keys PRIMARY KEY (id);
ALTER TABLE ONLY public.ops
    ADD CONSTRAINT pk_ops PRIMARY KEY (op_no);
ALTER TABLE ONLY public.preferences
    ADD CONSTRAINT pk_preferences PRIMARY KEY (user_no);
ALTER TABLE ONLY public.probe
    ADD CONSTRAINT pk_probe PRIMARY KEY (probe_no);
ALTER TABLE ONLY public.push_spreads
    ADD CONSTRAINT pk_push_spreads PRIMARY KEY (alert_no);
ALTER TABLE ONLY public.pushes
    ADD CONSTRAINT pk_pushes PRIMARY KEY (push_no);
ALTER TABLE ONLY public.queue
    ADD CONSTRAINT pk_queue PRIMARY KEY (seq);
ALTER TABLE ONLY public.receipt_numbers
    ADD CONSTRAINT pk_receipt_numbers PRIMARY KEY (hub_no);
ALTER TABLE ONLY public.receipt_sketches
    ADD CONSTRAINT pk_receipt_sketches PRIMARY KEY (alert_no, fact, action);
ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT pk_receipts PRIMARY KEY (hub_no, number);
ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT pk_revocations PRIMARY KEY (pseudonym);
ALTER TABLE ONLY public.scheduled
    ADD CONSTRAINT pk_scheduled PRIMARY KEY (id);
ALTER TABLE ONLY public.states
    ADD CONSTRAINT pk_states PRIMARY KEY (user_no, brev);
ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT pk_subscriptions PRIMARY KEY (hub_no, topic, "user");
ALTER TABLE ONLY public.topics
    ADD CONSTRAINT pk_topics PRIMARY KEY (hub_no, topic);
ALTER TABLE ONLY public.vapid_keys
    ADD CONSTRAINT pk_vapid_keys PRIMARY KEY (id);
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT pk_webhooks PRIMARY KEY (id);
ALTER TABLE ONLY public.withdrawals
    ADD CONSTRAINT pk_withdrawals PRIMARY KEY (alert_no);
ALTER TABLE ONLY public.alert_keys
    ADD CONSTRAINT uq_alert_keys_hub_key_id_source_producer_id UNIQUE (hub, key_id, source, producer_id);
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT uq_alerts_id UNIQUE (id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT uq_devices_hub_no_digest UNIQUE (hub_no, digest);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT uq_devices_user_no_id UNIQUE (user_no, id);
ALTER TABLE ONLY public.heads
    ADD CONSTRAINT uq_heads_hub_no_user UNIQUE (hub_no, "user");
ALTER TABLE ONLY public.hubs
    ADD CONSTRAINT uq_hubs_name UNIQUE (name);
ALTER TABLE ONLY public.ops
    ADD CONSTRAINT uq_ops_user_no_op_id UNIQUE (user_no, op_id);
ALTER TABLE ONLY public.pushes
    ADD CONSTRAINT uq_pushes_alert_no_user_no_device_no_kind UNIQUE (alert_no, user_no, device_no, kind);
ALTER TABLE ONLY public.queue
    ADD CONSTRAINT uq_queue_id UNIQUE (id);
ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT uq_receipts_alert_no_user_no_fact_action_device UNIQUE (alert_no, user_no, fact, action, device);
CREATE INDEX alert_keys_renewed ON public.alert_keys USING btree (hub) WHERE (renewed = 1);
CREATE INDEX alerts_hub ON public.alerts USING btree (hub_no, accepted_us, id);
CREATE INDEX alerts_key ON public.alerts USING btree (hub_no, key_id, accepted_us, id);
CREATE INDEX audit_hub ON public.audit USING btree (hub, deed_no);
CREATE INDEX broadcasts_alert ON public.broadcasts USING btree (alert_no);
CREATE INDEX broadcasts_dead ON public.broadcasts USING btree (hub_no) WHERE (withdrawn IS NOT NULL);
CREATE INDEX broadcasts_expiring ON public.broadcasts USING btree (expires_us) WHERE (withdrawn IS NULL);
CREATE INDEX collapses_alert ON public.collapses USING btree (alert_no);
CREATE INDEX collapses_by ON public.collapses USING btree (by_alert_no);
CREATE INDEX dead_batches_webhook ON public.dead_batches USING btree (webhook_id, at_us, id);
CREATE INDEX dead_letters_at ON public.dead_letters USING btree (at_us, id);
CREATE INDEX dead_letters_hub ON public.dead_letters USING btree (hub, accepted_us, id);
CREATE INDEX dead_letters_key ON public.dead_letters USING btree (hub, key_id, accepted_us, id);
CREATE INDEX devices_hub ON public.devices USING btree (hub_no, device_no);
CREATE INDEX devices_vapid ON public.devices USING btree (vapid_key) WHERE (gone_us IS NULL);
CREATE INDEX erasures_hub ON public.erasures USING btree (hub, id);
CREATE INDEX erasures_open ON public.erasures USING btree ("user") WHERE ("user" IS NOT NULL);
CREATE INDEX event_handlers_order ON public.event_handlers USING btree (created_us, id);
CREATE INDEX items_alert ON public.items USING btree (alert_no);
CREATE INDEX items_archived ON public.items USING btree (user_no, sort) WHERE ((archived_at IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX items_collapse ON public.items USING btree (user_no, collapse_key, sort) WHERE (collapse_key IS NOT NULL);
CREATE INDEX items_deleted ON public.items USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);
CREATE INDEX items_expiring ON public.items USING btree (expires_us) WHERE ((expires_us IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX items_listed ON public.items USING btree (user_no, sort) WHERE ((deleted_at IS NULL) AND (archived_at IS NULL) AND (snoozed_until IS NULL));
CREATE INDEX items_rev ON public.items USING btree (user_no, rev);
CREATE INDEX items_snoozed ON public.items USING btree (snoozed_until) WHERE ((snoozed_until IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX items_unread ON public.items USING btree (user_no, sort) WHERE (unread_at IS NOT NULL);
CREATE INDEX pushes_dead ON public.pushes USING btree (ended_us, id) WHERE ((kind = 'show'::text) AND (push_end = ANY (ARRAY['rejected'::text, 'expired'::text])));
CREATE INDEX pushes_dead_id ON public.pushes USING btree (id) WHERE ((kind = 'show'::text) AND (push_end = ANY (ARRAY['rejected'::text, 'expired'::text])));
CREATE INDEX pushes_due ON public.pushes USING btree (due_us, push_no) WHERE (due_us IS NOT NULL);
CREATE INDEX pushes_ended ON public.pushes USING btree (ended_us) WHERE (ended_us IS NOT NULL);
CREATE INDEX pushes_of_device ON public.pushes USING btree (device_no) WHERE (due_us IS NOT NULL);
CREATE INDEX pushes_showing ON public.pushes USING btree (user_no, push_no) WHERE (showing IS NOT NULL);
CREATE INDEX pushes_user ON public.pushes USING btree (user_no, push_no);
CREATE INDEX queue_due ON public.queue USING btree (expands, available_us, seq);
CREATE INDEX queue_leased ON public.queue USING btree (leased_by) WHERE (leased_us IS NOT NULL);
CREATE INDEX scheduled_due ON public.scheduled USING btree (due_us, id);
CREATE INDEX scheduled_hub ON public.scheduled USING btree (hub, accepted_us, id);
CREATE INDEX scheduled_key ON public.scheduled USING btree (hub, key_id, accepted_us, id);
CREATE INDEX states_broadcast ON public.states USING btree (hub_no, brev);
CREATE INDEX states_snoozed ON public.states USING btree (snoozed_until) WHERE ((snoozed_until IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX subscriptions_user ON public.subscriptions USING btree (hub_no, "user", topic, since_us);
CREATE INDEX webhooks_due ON public.webhooks USING btree (due_us, id) WHERE (disabled_us IS NULL);
CREATE INDEX webhooks_hub ON public.webhooks USING btree (hub, created_us, id);
ALTER TABLE ONLY public.heads
    ADD CONSTRAINT heads_hub_no_fkey FOREIGN KEY (hub_no) REFERENCES public.hubs(hub_no);
