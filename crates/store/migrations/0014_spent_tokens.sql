-- Tokens that are good no more although they say otherwise: client assertions that were used, access tokens of
-- applications that were revoked. Each is known by a digest until it would have expired anyway.

CREATE TABLE spent_token (
    tenant_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    expires_at {time} NOT NULL,
    CONSTRAINT spent_token_digest PRIMARY KEY (tenant_id, digest)
) {strict};

CREATE INDEX spent_token_by_expiry ON spent_token (expires_at);
