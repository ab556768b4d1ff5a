-- What a provider tells of somebody once and never again, until they have an account or did not come back.

CREATE TABLE told_once (
    tenant_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    sealed {bytes} NOT NULL,
    expires_at {time} NOT NULL,
    CONSTRAINT told_once_digest PRIMARY KEY (tenant_id, digest)
) {strict};

CREATE INDEX told_once_by_expiry ON told_once (expires_at);
