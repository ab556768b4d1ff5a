-- Several accounts in one browser, authorization requests that wait for their person, and what people consented to.

-- The browser that a session is in, beside those of other accounts. None for one that left it.
ALTER TABLE session ADD COLUMN browser_id {id};
CREATE INDEX session_by_browser_id ON session (tenant_id, browser_id);

CREATE TABLE waiting_request (
    tenant_id {id} NOT NULL,
    id {id} NOT NULL,
    browser_digest {bytes} NOT NULL,
    doc {text} NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    answered_at {time},
    CONSTRAINT waiting_request_id PRIMARY KEY (tenant_id, id)
) {strict};

CREATE INDEX waiting_request_by_expiry ON waiting_request (expires_at);

-- One row for each permission that an app was given.
CREATE TABLE consent (
    tenant_id {id} NOT NULL,
    client_id {id} NOT NULL,
    -- The id of a user, or 'everybody'.
    principal {key} NOT NULL,
    resource_id {id} NOT NULL,
    scope {key} NOT NULL,
    granted_at {time} NOT NULL,
    granted_by {text} NOT NULL,
    CONSTRAINT consent_scope PRIMARY KEY (tenant_id, client_id, principal, resource_id, scope)
) {strict};

CREATE INDEX consent_by_principal ON consent (tenant_id, principal);
