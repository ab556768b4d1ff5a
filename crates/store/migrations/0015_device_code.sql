-- Devices that wait for somebody to sign in on another one, and grants that came of another grant.

CREATE TABLE device_code (
    tenant_id {id} NOT NULL,
    -- Of the code that the device keeps for itself.
    digest {bytes} NOT NULL,
    id {id} NOT NULL,
    -- Keyed: the code that people type is short.
    user_code_digest {bytes} NOT NULL,
    client_id {id} NOT NULL,
    scope {text} NOT NULL,
    issuer {text} NOT NULL,
    -- The address that the device asked from, as the person is shown it.
    source {text} NOT NULL,
    status {text} NOT NULL,
    -- The browser that typed the code.
    browser_digest {bytes},
    grant_id {id},
    poll_interval {int} NOT NULL,
    polled_at {time},
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    CONSTRAINT device_code_digest PRIMARY KEY (tenant_id, digest),
    CONSTRAINT device_code_id UNIQUE (tenant_id, id),
    CONSTRAINT device_code_user_code_digest UNIQUE (tenant_id, user_code_digest)
) {strict};

CREATE INDEX device_code_by_expiry ON device_code (expires_at);

-- An API that acts for a person: what it was given ends with what it was called with.
ALTER TABLE grant_family ADD COLUMN parent_id {id};

CREATE INDEX grant_family_by_parent ON grant_family (tenant_id, parent_id);
