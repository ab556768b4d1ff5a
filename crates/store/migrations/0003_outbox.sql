-- Mail on its way, the inbox of a development server, the audit log, and facts about the deployment.

CREATE TABLE outbox_mail (
    tenant_id {id} NOT NULL,
    key {key} NOT NULL,
    recipient_key {key} NOT NULL,
    sealed {bytes} NOT NULL,
    created_at {time} NOT NULL,
    next_attempt_at {time} NOT NULL,
    -- Counts the claims; it is the fencing token of the claim that it counted last.
    attempts {int} NOT NULL,
    claimed_until {time},
    done_at {time},
    failed_at {time},
    last_error {text},
    CONSTRAINT outbox_mail_key PRIMARY KEY (tenant_id, key)
) {strict};

-- The worker looks for what is due in all tenants at once.
CREATE INDEX outbox_mail_by_due ON outbox_mail (next_attempt_at) WHERE done_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_mail_by_recipient ON outbox_mail (tenant_id, recipient_key, key)
    WHERE done_at IS NULL AND failed_at IS NULL;

CREATE TABLE inbox_message (
    tenant_id {id} NOT NULL,
    key {key} NOT NULL,
    recipient {text} NOT NULL,
    subject {text} NOT NULL,
    text {text} NOT NULL,
    html {text} NOT NULL,
    headers {text} NOT NULL,
    received_at {time} NOT NULL,
    CONSTRAINT inbox_message_key PRIMARY KEY (tenant_id, key)
) {strict};

CREATE TABLE audit_entry (
    tenant_id {id} NOT NULL,
    key {key} NOT NULL,
    at {time} NOT NULL,
    actor {text} NOT NULL,
    action {text} NOT NULL,
    target_kind {text} NOT NULL,
    target_id {text} NOT NULL,
    correlation_id {text} NOT NULL,
    detail {text} NOT NULL,
    CONSTRAINT audit_entry_key PRIMARY KEY (tenant_id, key)
) {strict};

CREATE TABLE deployment (
    name {key} NOT NULL,
    value {text} NOT NULL,
    CONSTRAINT deployment_name PRIMARY KEY (name)
) {strict};
