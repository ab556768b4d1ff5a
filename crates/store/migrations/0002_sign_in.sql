-- Journeys, throttles, sessions, grants and the keys that sign.

CREATE TABLE journey (
    tenant_id {id} NOT NULL,
    key {key} NOT NULL,
    id {id} NOT NULL,
    client_id {id} NOT NULL,
    flow_id {id} NOT NULL,
    flow_version {int} NOT NULL,
    browser_digest {bytes} NOT NULL,
    state {text} NOT NULL,
    revision {int} NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    ended {bool} NOT NULL,
    CONSTRAINT journey_key PRIMARY KEY (tenant_id, key),
    CONSTRAINT journey_id UNIQUE (tenant_id, id)
) {strict};

-- Housekeeping goes through all tenants at once, so this index alone is not led by the tenant.
CREATE INDEX journey_by_expiry ON journey (expires_at);

CREATE TABLE throttle (
    tenant_id {id} NOT NULL,
    bucket {key} NOT NULL,
    window_start {time} NOT NULL,
    spent {int} NOT NULL,
    CONSTRAINT throttle_bucket PRIMARY KEY (tenant_id, bucket)
) {strict};

CREATE TABLE session (
    tenant_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    sid {id} NOT NULL,
    user_id {id} NOT NULL,
    auth_time {time} NOT NULL,
    amr {text} NOT NULL,
    provider {text},
    persistent {bool} NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    last_seen_at {time} NOT NULL,
    revoked_at {time},
    CONSTRAINT session_digest PRIMARY KEY (tenant_id, digest)
) {strict};

CREATE INDEX session_by_sid ON session (tenant_id, sid);
CREATE INDEX session_by_user ON session (tenant_id, user_id);

-- Everything one authorization led to. A family that is revoked ends all of it.
CREATE TABLE grant_family (
    tenant_id {id} NOT NULL,
    id {id} NOT NULL,
    client_id {id} NOT NULL,
    user_id {id} NOT NULL,
    sid {id} NOT NULL,
    issuer {text} NOT NULL,
    scope {text} NOT NULL,
    auth_time {time} NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    revoked_at {time},
    CONSTRAINT grant_family_id PRIMARY KEY (tenant_id, id)
) {strict};

CREATE INDEX grant_family_by_sid ON grant_family (tenant_id, sid);
CREATE INDEX grant_family_by_user ON grant_family (tenant_id, user_id);

CREATE TABLE authorization_code (
    tenant_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    grant_id {id} NOT NULL,
    client_id {id} NOT NULL,
    redirect_uri {text} NOT NULL,
    platform {text} NOT NULL,
    scope {text} NOT NULL,
    nonce {text},
    code_challenge {text},
    issuer {text} NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    redeemed_at {time},
    doc {text} NOT NULL,
    CONSTRAINT authorization_code_digest PRIMARY KEY (tenant_id, digest),
    FOREIGN KEY (tenant_id, grant_id) REFERENCES grant_family (tenant_id, id)
) {strict};

-- A code that is shown to the wrong tenant is recognised as such.
CREATE INDEX authorization_code_by_digest ON authorization_code (digest);
CREATE INDEX authorization_code_by_grant ON authorization_code (tenant_id, grant_id);

CREATE TABLE refresh_token (
    tenant_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    grant_id {id} NOT NULL,
    client_id {id} NOT NULL,
    scope {text} NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    used_at {time},
    successor_sealed {bytes},
    generation {int} NOT NULL,
    CONSTRAINT refresh_token_digest PRIMARY KEY (tenant_id, digest),
    FOREIGN KEY (tenant_id, grant_id) REFERENCES grant_family (tenant_id, id)
) {strict};

CREATE INDEX refresh_token_by_grant ON refresh_token (tenant_id, grant_id);

CREATE TABLE signing_key (
    tenant_id {id} NOT NULL,
    kid {key} NOT NULL,
    algorithm {text} NOT NULL,
    sealed_private {bytes} NOT NULL,
    certificate {bytes} NOT NULL,
    public_jwk {text} NOT NULL,
    created_at {time} NOT NULL,
    active_from {time} NOT NULL,
    retire_at {time},
    CONSTRAINT signing_key_kid PRIMARY KEY (tenant_id, kid)
) {strict};
