-- Authorization requests that applications pushed, the DPoP proofs that were shown lately, and the keys that refresh
-- tokens are bound to.

CREATE TABLE pushed_request (
    tenant_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    client_id {id} NOT NULL,
    parameters {text} NOT NULL,
    expires_at {time} NOT NULL,
    used_at {time},
    CONSTRAINT pushed_request_digest PRIMARY KEY (tenant_id, digest)
) {strict};

CREATE INDEX pushed_request_by_expiry ON pushed_request (expires_at);

CREATE TABLE dpop_proof (
    tenant_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    expires_at {time} NOT NULL,
    CONSTRAINT dpop_proof_digest PRIMARY KEY (tenant_id, digest)
) {strict};

CREATE INDEX dpop_proof_by_expiry ON dpop_proof (expires_at);

ALTER TABLE refresh_token ADD COLUMN dpop_jkt {text};
