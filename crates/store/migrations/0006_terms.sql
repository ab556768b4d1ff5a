-- What people accepted, each row the evidence of one act. Rows stay when the account goes.
CREATE TABLE terms_acceptance (
    tenant_id {id} NOT NULL,
    key {key} NOT NULL,
    user_id {id} NOT NULL,
    flow_id {id} NOT NULL,
    -- The version of the flow holds the words.
    flow_version {int} NOT NULL,
    document {key} NOT NULL,
    version {text} NOT NULL,
    language {text} NOT NULL,
    -- SHA-256 of what was shown, in hexadecimal.
    digest {text} NOT NULL,
    accepted_at {time} NOT NULL,
    source_address {text} NOT NULL,
    correlation_id {text} NOT NULL,
    withdrawn_at {time},
    withdrawn_by {text},
    CONSTRAINT terms_acceptance_key PRIMARY KEY (tenant_id, key)
) {strict};

CREATE INDEX terms_acceptance_by_user ON terms_acceptance (tenant_id, user_id, flow_id);
