-- What is over goes: sessions, codes, refresh tokens and their families. Housekeeping goes through all tenants
-- at once, so these indexes are not led by the tenant.

CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX authorization_code_by_expiry ON authorization_code (expires_at);
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at);
CREATE INDEX grant_family_by_expiry ON grant_family (expires_at);
