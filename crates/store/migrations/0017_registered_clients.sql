-- Applications that registered themselves, their logos, and the tokens that let applications register.

CREATE TABLE registered_client (
    tenant_id {id} NOT NULL REFERENCES tenant (id),
    client_id {id} NOT NULL,
    doc {text} NOT NULL,
    -- The digest of the token that it changes its own registration with.
    token_digest {bytes} NOT NULL,
    enabled {bool} NOT NULL,
    revision {int} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CONSTRAINT registered_client_client_id PRIMARY KEY (tenant_id, client_id)
) {strict};

-- Apart from the application, so that no reading of a tenant carries pictures.
CREATE TABLE registered_logo (
    tenant_id {id} NOT NULL,
    client_id {id} NOT NULL,
    media_type {text} NOT NULL,
    bytes {bytes} NOT NULL,
    CONSTRAINT registered_logo_client_id PRIMARY KEY (tenant_id, client_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES registered_client (tenant_id, client_id)
) {strict};

CREATE TABLE registration_token (
    tenant_id {id} NOT NULL REFERENCES tenant (id),
    id {id} NOT NULL,
    digest {bytes} NOT NULL,
    -- How many applications it still lets register; none is any number.
    uses_left {int},
    created_at {time} NOT NULL,
    expires_at {time},
    CONSTRAINT registration_token_id PRIMARY KEY (tenant_id, id),
    CONSTRAINT registration_token_digest UNIQUE (tenant_id, digest)
) {strict};
