-- What a provider keeps of a sign-in there: its own name of the session, and, sealed, the tokens that an app may have
-- or that a sign-out needs. It ends with the session.

CREATE TABLE provider_session (
    tenant_id {id} NOT NULL,
    sid {id} NOT NULL,
    provider {key} NOT NULL,
    provider_sid {key},
    sealed {bytes},
    expires_at {time} NOT NULL,
    CONSTRAINT provider_session_sid PRIMARY KEY (tenant_id, sid)
) {strict};

CREATE INDEX provider_session_by_provider_sid ON provider_session (tenant_id, provider, provider_sid);
CREATE INDEX provider_session_by_expiry ON provider_session (expires_at);
