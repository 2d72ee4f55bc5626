-- Recorded from a node of schema 0020: orders to Ada of which she read one and deleted one, an alert to a topic, one to two people,
-- one to everybody, and one for later; sealed keys were taken out.
BEGIN TRANSACTION;
CREATE TABLE access_keys (
	hub TEXT NOT NULL, 
	primary_key BLOB NOT NULL, 
	secondary_key BLOB NOT NULL, 
	CONSTRAINT pk_access_keys PRIMARY KEY (hub)
)
 STRICT

;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0020');
CREATE TABLE alert_keys (
	key_no INTEGER NOT NULL, 
	hub TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	producer_id TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	fingerprint BLOB NOT NULL, 
	at_us INTEGER NOT NULL, keeps INTEGER DEFAULT 0 NOT NULL, renewed INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_alert_keys PRIMARY KEY (key_no), 
	CONSTRAINT uq_alert_keys_hub_key_id_source_producer_id UNIQUE (hub, key_id, source, producer_id)
)
 STRICT

;
INSERT INTO "alert_keys" VALUES(1,'default','f21a3763b7bb','producer-test','order-0','01a20848-ad8d-7b99-b83f-845f9ceba65f',X'3625B4B03984615A977A88BE908A4598',1795435310478180,0,0);
INSERT INTO "alert_keys" VALUES(2,'default','f21a3763b7bb','producer-test','order-1','01a20848-adc6-7374-b01b-aaf411eb32d7',X'8317E702AA56A08F18A245DCBE19F57C',1795435310534384,0,0);
INSERT INTO "alert_keys" VALUES(3,'default','f21a3763b7bb','producer-test','order-2','01a20848-ae37-7cc8-8d96-33af700485bf',X'BDAA9F2334335029CAB19410C76F2203',1795435310647972,0,0);
CREATE TABLE alerts (
	alert_no INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	hub_no INTEGER NOT NULL, 
	key_id TEXT NOT NULL, 
	accepted_us INTEGER NOT NULL, 
	processed_us INTEGER NOT NULL, 
	recipients INTEGER, 
	category TEXT, 
	severity TEXT NOT NULL, 
	content BLOB NOT NULL, withdrawn_us INTEGER, deliver_us INTEGER, expired_us INTEGER, 
	CONSTRAINT pk_alerts PRIMARY KEY (alert_no), 
	CONSTRAINT uq_alerts_id UNIQUE (id)
)
 STRICT

;
INSERT INTO "alerts" VALUES(1,'01a20848-ad8d-7b99-b83f-845f9ceba65f',1,'f21a3763b7bb',1795435310477725,1795435310501179,1,NULL,'info',X'7B22736F75726365223A2270726F64756365722D74657374222C227469746C65223A224F726465722030222C227365766572697479223A22696E666F222C22637265617465645F6174223A22323032362D31312D32335431323A30313A35302E3437375A227D',NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(2,'01a20848-adc6-7374-b01b-aaf411eb32d7',1,'f21a3763b7bb',1795435310534216,1795435310535878,1,NULL,'info',X'7B22736F75726365223A2270726F64756365722D74657374222C227469746C65223A224F726465722031222C227365766572697479223A22696E666F222C22637265617465645F6174223A22323032362D31312D32335431323A30313A35302E3533345A227D',NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(3,'01a20848-ae37-7cc8-8d96-33af700485bf',1,'f21a3763b7bb',1795435310647799,1795435310686337,1,NULL,'info',X'7B22736F75726365223A2270726F64756365722D74657374222C227469746C65223A224F726465722032222C227365766572697479223A22696E666F222C22637265617465645F6174223A22323032362D31312D32335431323A30313A35302E3634375A227D',NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(4,'01a20848-ae69-74bc-856d-6b536f948036',1,'f21a3763b7bb',1795435310697296,1795435310710376,2,NULL,'info',X'7B22736F75726365223A2270726F64756365722D74657374222C227469746C65223A22546F2074686520746F706963222C227365766572697479223A22696E666F222C22637265617465645F6174223A22323032362D31312D32335431323A30313A35302E3639375A227D',NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(5,'01a20848-ae92-78c4-aaaf-55b1b113f0df',1,'f21a3763b7bb',1795435310738548,1795435310742387,2,NULL,'critical',X'7B22736F75726365223A2270726F64756365722D74657374222C227469746C65223A22546F2074776F222C227365766572697479223A22637269746963616C222C22637265617465645F6174223A22323032362D31312D32335431323A30313A35302E3733385A227D',NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(6,'01a20848-aec2-7a51-8746-e52ac12a0ac1',1,'f21a3763b7bb',1795435310786645,1795435310812606,NULL,NULL,'info',X'7B22736F75726365223A2270726F64756365722D74657374222C227469746C65223A22546F20616C6C222C227365766572697479223A22696E666F222C22637265617465645F6174223A22323032362D31312D32335431323A30313A35302E3738365A227D',NULL,NULL,NULL);
CREATE TABLE audit (
	deed_no INTEGER NOT NULL, 
	hub TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	actor_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	target TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	at_us INTEGER NOT NULL, detail TEXT DEFAULT '{}' NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (deed_no)
)
 STRICT

;
INSERT INTO "audit" VALUES(1,'default','local','local','key.create','4e713c5ab155','done',1795435306998181,'{}');
INSERT INTO "audit" VALUES(2,'default','local','local','key.create','f21a3763b7bb','done',1795435308892613,'{}');
INSERT INTO "audit" VALUES(3,'default','4e713c5ab155','server-test','topic.subscribe','0bc2426ae39825c42a4cece331dbe135','done',1795435310342777,'{"topic":"news","count":1}');
INSERT INTO "audit" VALUES(4,'default','4e713c5ab155','server-test','topic.subscribe','news','done',1795435310402553,'{"count":1}');
CREATE TABLE broadcasts (
	hub_no INTEGER NOT NULL, 
	brev INTEGER NOT NULL, 
	alert_no INTEGER NOT NULL, 
	sort INTEGER NOT NULL, 
	expires_us INTEGER NOT NULL, 
	withdrawn INTEGER, 
	CONSTRAINT pk_broadcasts PRIMARY KEY (hub_no, brev)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "broadcasts" VALUES(1,1,6,1795435310812606,1798027310812606,NULL);
CREATE TABLE collapses (
	user_no INTEGER NOT NULL, 
	alert_no INTEGER NOT NULL, 
	by_alert_no INTEGER NOT NULL, 
	at_us INTEGER NOT NULL, 
	CONSTRAINT pk_collapses PRIMARY KEY (user_no, alert_no)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE dead_batches (
	id TEXT NOT NULL, 
	webhook_id TEXT NOT NULL, 
	body BLOB NOT NULL, 
	receipts INTEGER NOT NULL, 
	attempts INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	at_us INTEGER NOT NULL, 
	CONSTRAINT pk_dead_batches PRIMARY KEY (id)
)
 STRICT

;
CREATE TABLE dead_letters (
	id TEXT NOT NULL, 
	payload BLOB NOT NULL, 
	attempts INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	at_us INTEGER NOT NULL, hub TEXT DEFAULT '' NOT NULL, key_id TEXT DEFAULT '' NOT NULL, accepted_us INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_dead_letters PRIMARY KEY (id)
)
 STRICT

;
CREATE TABLE devices (
	device_no INTEGER NOT NULL, 
	hub_no INTEGER NOT NULL, 
	user_no INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	platform TEXT NOT NULL, 
	digest BLOB NOT NULL, 
	channel BLOB NOT NULL, 
	vapid_key TEXT, 
	tags TEXT NOT NULL, 
	locale TEXT, 
	time_zone TEXT, 
	app_version TEXT, 
	created_us INTEGER NOT NULL, 
	registered_us INTEGER NOT NULL, 
	seen_us INTEGER NOT NULL, 
	last_success_us INTEGER, 
	last_failure_us INTEGER, 
	last_failure TEXT, 
	gone_us INTEGER, 
	gone_reason TEXT, 
	CONSTRAINT pk_devices PRIMARY KEY (device_no), 
	CONSTRAINT uq_devices_user_no_id UNIQUE (user_no, id), 
	CONSTRAINT uq_devices_hub_no_digest UNIQUE (hub_no, digest)
)
 STRICT

;
CREATE TABLE erasures (
	id TEXT NOT NULL, 
	hub TEXT NOT NULL, 
	pseudonym TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	at_us INTEGER NOT NULL, 
	finished_us INTEGER, 
	user_no INTEGER, 
	user TEXT, 
	counts TEXT NOT NULL, 
	CONSTRAINT pk_erasures PRIMARY KEY (id)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE event_handlers (
	id TEXT NOT NULL, 
	hub TEXT NOT NULL, 
	url TEXT NOT NULL, 
	user_events TEXT NOT NULL, 
	system_events TEXT NOT NULL, 
	authorization BLOB, 
	created_us INTEGER NOT NULL, 
	CONSTRAINT pk_event_handlers PRIMARY KEY (id)
)
 STRICT

;
CREATE TABLE expansions (
	alert_no INTEGER NOT NULL, 
	"after" TEXT NOT NULL, 
	CONSTRAINT pk_expansions PRIMARY KEY (alert_no)
)
 STRICT

;
CREATE TABLE heads (
	user_no INTEGER NOT NULL, 
	hub_no INTEGER NOT NULL, 
	user TEXT NOT NULL, 
	rev INTEGER NOT NULL, 
	b_start INTEGER NOT NULL, 
	last_sort INTEGER NOT NULL, 
	floor INTEGER NOT NULL, 
	seen_up_to INTEGER NOT NULL, 
	read_up_to INTEGER NOT NULL, 
	b_seen_up_to INTEGER NOT NULL, 
	b_read_up_to INTEGER NOT NULL, 
	unseen INTEGER NOT NULL, 
	unread INTEGER NOT NULL, 
	CONSTRAINT pk_heads PRIMARY KEY (user_no), 
	FOREIGN KEY(hub_no) REFERENCES hubs (hub_no), 
	CONSTRAINT uq_heads_hub_no_user UNIQUE (hub_no, user)
)
 STRICT

;
INSERT INTO "heads" VALUES(1,1,'ada',7,0,1795435310742387,0,0,0,0,0,3,3);
INSERT INTO "heads" VALUES(2,1,'bob',2,0,1795435310742387,0,0,0,0,0,2,2);
CREATE TABLE hub_preferences (
	hub_no INTEGER NOT NULL, 
	settings TEXT NOT NULL, 
	changed_us INTEGER NOT NULL, 
	CONSTRAINT pk_hub_preferences PRIMARY KEY (hub_no)
)
 STRICT

;
CREATE TABLE hubs (
	hub_no INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	epoch TEXT NOT NULL, 
	brev INTEGER NOT NULL, 
	last_sort INTEGER NOT NULL, rev_floor INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_hubs PRIMARY KEY (hub_no), 
	CONSTRAINT uq_hubs_name UNIQUE (name)
)
 STRICT

;
INSERT INTO "hubs" VALUES(1,'default','5315c31f0f2dc6ee',1,1795435310812606,0);
CREATE TABLE items (
	user_no INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	alert_no INTEGER NOT NULL, 
	sort INTEGER NOT NULL, 
	rev INTEGER NOT NULL, 
	seen_at INTEGER, 
	read_at INTEGER, 
	unread_at INTEGER, 
	archived_at INTEGER, 
	deleted_at INTEGER, 
	snoozed_until INTEGER, 
	collapse_key TEXT, 
	expires_us INTEGER, 
	deleted_by TEXT, 
	CONSTRAINT pk_items PRIMARY KEY (user_no, id)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "items" VALUES(1,'01a20848-ad8d-7b99-b83f-845f9ceba65f',1,1795435310501179,6,NULL,1795435310995323,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "items" VALUES(1,'01a20848-adc6-7374-b01b-aaf411eb32d7',2,1795435310535878,7,NULL,NULL,NULL,NULL,1795435311017823,NULL,NULL,NULL,'user');
INSERT INTO "items" VALUES(1,'01a20848-ae37-7cc8-8d96-33af700485bf',3,1795435310686337,3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "items" VALUES(1,'01a20848-ae69-74bc-856d-6b536f948036',4,1795435310710376,4,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "items" VALUES(1,'01a20848-ae92-78c4-aaaf-55b1b113f0df',5,1795435310742387,5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "items" VALUES(2,'01a20848-ae69-74bc-856d-6b536f948036',4,1795435310710376,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "items" VALUES(2,'01a20848-ae92-78c4-aaaf-55b1b113f0df',5,1795435310742387,2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE keys (
	id TEXT NOT NULL, 
	hub TEXT NOT NULL, 
	role TEXT NOT NULL, 
	name TEXT NOT NULL, 
	digest BLOB NOT NULL, 
	created_us INTEGER NOT NULL, 
	revoked_us INTEGER, 
	CONSTRAINT pk_keys PRIMARY KEY (id)
)
 STRICT

;
INSERT INTO "keys" VALUES('4e713c5ab155','default','server','server-test',X'4E1EAFDB331DDE275761E4BB4BF1B34783462B21A1A9662951464287063D0C12',1795435307002138,NULL);
INSERT INTO "keys" VALUES('f21a3763b7bb','default','producer','producer-test',X'87EF062208BE5881339F5D35706829ABBA5E1264019160E4E429614B72420F9F',1795435308892734,NULL);
CREATE TABLE ops (
	op_no INTEGER NOT NULL, 
	user_no INTEGER NOT NULL, 
	op_id TEXT NOT NULL, 
	outcome BLOB NOT NULL, 
	at_us INTEGER NOT NULL, 
	CONSTRAINT pk_ops PRIMARY KEY (op_no), 
	CONSTRAINT uq_ops_user_no_op_id UNIQUE (user_no, op_id)
)
 STRICT

;
CREATE TABLE preferences (
	user_no INTEGER NOT NULL, 
	settings TEXT NOT NULL, 
	changed_us INTEGER NOT NULL, 
	CONSTRAINT pk_preferences PRIMARY KEY (user_no)
)
 STRICT

;
CREATE TABLE probe (
	probe_no INTEGER NOT NULL, 
	at_us INTEGER NOT NULL, 
	CONSTRAINT pk_probe PRIMARY KEY (probe_no)
)
 STRICT

;
CREATE TABLE push_spreads (
	alert_no INTEGER NOT NULL, 
	hub_no INTEGER NOT NULL, 
	brev INTEGER NOT NULL, 
	"after" INTEGER NOT NULL, 
	made_us INTEGER NOT NULL, 
	CONSTRAINT pk_push_spreads PRIMARY KEY (alert_no)
)
 STRICT

;
CREATE TABLE pushes (
	push_no INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	alert_no INTEGER NOT NULL, 
	user_no INTEGER NOT NULL, 
	device_no INTEGER NOT NULL, 
	device TEXT NOT NULL, 
	platform TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	made_us INTEGER NOT NULL, 
	attempts INTEGER NOT NULL, 
	due_us INTEGER, 
	leased_us INTEGER, 
	push_end TEXT, 
	reason TEXT, 
	ended_us INTEGER, held_us INTEGER, showing INTEGER, tag TEXT, 
	CONSTRAINT pk_pushes PRIMARY KEY (push_no), 
	CONSTRAINT uq_pushes_alert_no_user_no_device_no_kind UNIQUE (alert_no, user_no, device_no, kind)
)
 STRICT

;
CREATE TABLE queue (
	seq INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	payload BLOB NOT NULL, 
	attempts INTEGER NOT NULL, 
	available_us INTEGER NOT NULL, 
	leased_us INTEGER, 
	last_error TEXT, crashes INTEGER, expands INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_queue PRIMARY KEY (seq), 
	CONSTRAINT uq_queue_id UNIQUE (id)
)
 STRICT

;
CREATE TABLE receipt_numbers (
	hub_no INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	CONSTRAINT pk_receipt_numbers PRIMARY KEY (hub_no)
)
 STRICT

;
CREATE TABLE receipt_sketches (
	alert_no INTEGER NOT NULL, 
	fact TEXT NOT NULL, 
	action TEXT NOT NULL, 
	sketch BLOB NOT NULL, 
	CONSTRAINT pk_receipt_sketches PRIMARY KEY (alert_no, fact, action)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE receipts (
	hub_no INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	alert_no INTEGER NOT NULL, 
	user_no INTEGER NOT NULL, 
	fact TEXT NOT NULL, 
	action TEXT NOT NULL, 
	device TEXT NOT NULL, 
	at_us INTEGER NOT NULL, 
	CONSTRAINT pk_receipts PRIMARY KEY (hub_no, number), 
	CONSTRAINT uq_receipts_alert_no_user_no_fact_action_device UNIQUE (alert_no, user_no, fact, action, device)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE revocations (
	pseudonym TEXT NOT NULL, 
	valid_from_us INTEGER NOT NULL, 
	CONSTRAINT pk_revocations PRIMARY KEY (pseudonym)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE scheduled (
	id TEXT NOT NULL, 
	payload BLOB NOT NULL, 
	due_us INTEGER NOT NULL, expands INTEGER DEFAULT 0 NOT NULL, hub TEXT DEFAULT '' NOT NULL, key_id TEXT DEFAULT '' NOT NULL, accepted_us INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_scheduled PRIMARY KEY (id)
)
 STRICT

;
INSERT INTO "scheduled" VALUES('01a20848-af09-75fb-ad9d-322ed0878276',X'5B2230316132303834382D616630392D373566622D616439642D333232656430383738323736222C2264656661756C74222C22663231613337363362376262222C7B227573657273223A5B22626F62225D7D2C7B22736F75726365223A2270726F64756365722D74657374222C227469746C65223A22466F72206C61746572222C227365766572697479223A22696E666F222C22637265617465645F6174223A22323032362D31312D32345431323A30313A35302E3030305A227D2C313739353433353331303835373337342C2270726F64756365722D74657374222C6E756C6C2C22222C6E756C6C2C22696E666F222C6E756C6C2C6E756C6C2C313739353532313731303030303030302C66616C73655D',1795521710000000,0,'default','f21a3763b7bb',1795435310857374);
CREATE TABLE states (
	user_no INTEGER NOT NULL, 
	brev INTEGER NOT NULL, 
	hub_no INTEGER NOT NULL, 
	rev INTEGER NOT NULL, 
	sort INTEGER, 
	seen_at INTEGER, 
	read_at INTEGER, 
	unread_at INTEGER, 
	archived_at INTEGER, 
	deleted_at INTEGER, 
	snoozed_until INTEGER, 
	CONSTRAINT pk_states PRIMARY KEY (user_no, brev)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE subscriptions (
	hub_no INTEGER NOT NULL, 
	topic TEXT NOT NULL, 
	user TEXT NOT NULL, 
	since_us INTEGER NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (hub_no, topic, user)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "subscriptions" VALUES(1,'news','ada',1795435310342824);
INSERT INTO "subscriptions" VALUES(1,'news','bob',1795435310402644);
CREATE TABLE topics (
	hub_no INTEGER NOT NULL, 
	topic TEXT NOT NULL, 
	subscribers INTEGER NOT NULL, 
	CONSTRAINT pk_topics PRIMARY KEY (hub_no, topic)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "topics" VALUES(1,'news',2);
CREATE TABLE vapid_keys (
	id TEXT NOT NULL, 
	private_key BLOB NOT NULL, 
	public_key TEXT NOT NULL, 
	created_us INTEGER NOT NULL, 
	retired_us INTEGER, 
	CONSTRAINT pk_vapid_keys PRIMARY KEY (id)
)
 STRICT

;
CREATE TABLE webhooks (
	id TEXT NOT NULL, 
	hub TEXT NOT NULL, 
	url TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	key_id TEXT, 
	secret BLOB NOT NULL, 
	former_secret BLOB, 
	rotated_us INTEGER NOT NULL, 
	created_us INTEGER NOT NULL, 
	disabled_us INTEGER, 
	disabled_reason TEXT, 
	cursor INTEGER NOT NULL, 
	up_to INTEGER, 
	attempts INTEGER NOT NULL, 
	began_us INTEGER NOT NULL, 
	due_us INTEGER NOT NULL, 
	failure TEXT, 
	given_up INTEGER NOT NULL, 
	CONSTRAINT pk_webhooks PRIMARY KEY (id)
)
 STRICT

;
CREATE TABLE withdrawals (
	alert_no INTEGER NOT NULL, 
	after_user INTEGER NOT NULL, 
	CONSTRAINT pk_withdrawals PRIMARY KEY (alert_no)
)
 STRICT

;
CREATE INDEX broadcasts_alert ON broadcasts (alert_no);
CREATE INDEX broadcasts_dead ON broadcasts (hub_no) WHERE withdrawn IS NOT NULL;
CREATE INDEX broadcasts_expiring ON broadcasts (expires_us) WHERE withdrawn IS NULL;
CREATE INDEX items_alert ON items (alert_no);
CREATE INDEX items_archived ON items (user_no, sort) WHERE archived_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX items_collapse ON items (user_no, collapse_key, sort) WHERE collapse_key IS NOT NULL;
CREATE INDEX items_deleted ON items (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX items_expiring ON items (expires_us) WHERE expires_us IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX items_listed ON items (user_no, sort) WHERE deleted_at IS NULL AND archived_at IS NULL AND snoozed_until IS NULL;
CREATE INDEX items_rev ON items (user_no, rev);
CREATE INDEX items_snoozed ON items (snoozed_until) WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX items_unread ON items (user_no, sort) WHERE unread_at IS NOT NULL;
CREATE INDEX states_broadcast ON states (hub_no, brev);
CREATE INDEX states_snoozed ON states (snoozed_until) WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX alerts_hub ON alerts (hub_no, accepted_us, id);
CREATE INDEX alerts_key ON alerts (hub_no, key_id, accepted_us, id);
CREATE INDEX dead_letters_at ON dead_letters (at_us, id);
CREATE INDEX collapses_alert ON collapses (alert_no);
CREATE INDEX collapses_by ON collapses (by_alert_no);
CREATE INDEX scheduled_due ON scheduled (due_us, id);
CREATE INDEX subscriptions_user ON subscriptions (hub_no, user, topic, since_us);
CREATE INDEX queue_due ON queue (expands, available_us, seq);
CREATE INDEX webhooks_hub ON webhooks (hub, created_us, id);
CREATE INDEX webhooks_due ON webhooks (due_us, id) WHERE disabled_us IS NULL;
CREATE INDEX dead_batches_webhook ON dead_batches (webhook_id, at_us, id);
CREATE INDEX erasures_hub ON erasures (hub, id);
CREATE INDEX erasures_open ON erasures (user) WHERE user IS NOT NULL;
CREATE INDEX audit_hub ON audit (hub, deed_no);
CREATE INDEX event_handlers_order ON event_handlers (created_us, id);
CREATE INDEX alert_keys_renewed ON alert_keys (hub) WHERE renewed = 1;
CREATE INDEX scheduled_hub ON scheduled (hub, accepted_us, id);
CREATE INDEX scheduled_key ON scheduled (hub, key_id, accepted_us, id);
CREATE INDEX dead_letters_hub ON dead_letters (hub, accepted_us, id);
CREATE INDEX dead_letters_key ON dead_letters (hub, key_id, accepted_us, id);
CREATE INDEX devices_hub ON devices (hub_no, device_no);
CREATE INDEX devices_vapid ON devices (vapid_key) WHERE gone_us IS NULL;
CREATE INDEX pushes_due ON pushes (due_us, push_no) WHERE due_us IS NOT NULL;
CREATE INDEX pushes_of_device ON pushes (device_no) WHERE due_us IS NOT NULL;
CREATE INDEX pushes_ended ON pushes (ended_us) WHERE ended_us IS NOT NULL;
CREATE INDEX pushes_user ON pushes (user_no, push_no);
CREATE INDEX pushes_showing ON pushes (user_no, push_no) WHERE showing IS NOT NULL;
CREATE INDEX pushes_dead ON pushes (ended_us, id) WHERE kind = 'show' AND push_end IN ('rejected', 'expired');
CREATE INDEX pushes_dead_id ON pushes (id) WHERE kind = 'show' AND push_end IN ('rejected', 'expired');
COMMIT;
