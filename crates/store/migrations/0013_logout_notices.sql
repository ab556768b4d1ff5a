-- Apps that are still to be told that a session ended.
CREATE TABLE logout_notice (
    tenant_id {id} NOT NULL,
    sid {id} NOT NULL,
    client_id {id} NOT NULL,
    user_id {id} NOT NULL,
    -- The issuer whose tokens the app got in the session.
    issuer {text} NOT NULL,
    created_at {time} NOT NULL,
    next_attempt_at {time} NOT NULL,
    -- Counts the claims; it is the fencing token of the claim that it counted last.
    attempts {int} NOT NULL,
    claimed_until {time},
    CONSTRAINT logout_notice_client_id PRIMARY KEY (tenant_id, sid, client_id)
) {strict};

-- The worker looks for what is due in all tenants at once.
CREATE INDEX logout_notice_by_due ON logout_notice (next_attempt_at);
