-- Tenants, what their administrators configure, and their users.

CREATE TABLE tenant (
    id {id} NOT NULL,
    kind {text} NOT NULL,
    short_name {key} NOT NULL,
    display_name {text} NOT NULL,
    doc {text} NOT NULL,
    -- Moves with every change of the tenant or of its objects, so that snapshots notice.
    config_version {int} NOT NULL,
    created_at {time} NOT NULL,
    CONSTRAINT tenant_id PRIMARY KEY (id)
) {strict};

-- Every name a tenant answers to: its id, its short name, its domains.
CREATE TABLE tenant_name (
    name_key {key} NOT NULL,
    tenant_id {id} NOT NULL REFERENCES tenant (id),
    CONSTRAINT tenant_name_name_key PRIMARY KEY (name_key)
) {strict};

CREATE INDEX tenant_name_by_tenant ON tenant_name (tenant_id);

CREATE TABLE configuration_object (
    tenant_id {id} NOT NULL,
    kind {key} NOT NULL,
    id {id} NOT NULL,
    name_key {key} NOT NULL,
    doc {text} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CONSTRAINT configuration_object_id PRIMARY KEY (tenant_id, kind, id),
    CONSTRAINT configuration_object_name_key UNIQUE (tenant_id, kind, name_key)
) {strict};

-- Versions of a flow never change: a journey finishes on the version it began with.
CREATE TABLE user_flow_version (
    tenant_id {id} NOT NULL,
    flow_id {id} NOT NULL,
    version {int} NOT NULL,
    doc {text} NOT NULL,
    created_at {time} NOT NULL,
    CONSTRAINT user_flow_version_version PRIMARY KEY (tenant_id, flow_id, version)
) {strict};

CREATE TABLE user_account (
    tenant_id {id} NOT NULL,
    key {key} NOT NULL,
    id {id} NOT NULL,
    user_type {text} NOT NULL,
    creation_type {text},
    external_user_state {text},
    account_enabled {bool} NOT NULL,
    upn {text} NOT NULL,
    upn_key {key} NOT NULL,
    mail {text},
    mail_key {key},
    display_name {text},
    attributes {text} NOT NULL,
    created_at {time} NOT NULL,
    sessions_valid_from {time} NOT NULL,
    deleted_at {time},
    revision {int} NOT NULL,
    CONSTRAINT user_account_key PRIMARY KEY (tenant_id, key),
    CONSTRAINT user_account_id UNIQUE (tenant_id, id),
    CONSTRAINT user_account_upn_key UNIQUE (tenant_id, upn_key)
) {strict};

CREATE INDEX user_account_by_mail ON user_account (tenant_id, mail_key);

CREATE TABLE user_identity (
    tenant_id {id} NOT NULL,
    issuer {key} NOT NULL,
    assigned_key {key} NOT NULL,
    user_id {id} NOT NULL,
    -- Keeps the order in which the identities of one user are listed.
    position {int} NOT NULL,
    sign_in_type {text} NOT NULL,
    issuer_assigned_id {text} NOT NULL,
    CONSTRAINT user_identity_assigned_key PRIMARY KEY (tenant_id, issuer, assigned_key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES user_account (tenant_id, id)
) {strict};

CREATE INDEX user_identity_by_user ON user_identity (tenant_id, user_id);

-- Apart from the account, so that no listing of users can carry a hash by accident.
CREATE TABLE user_password (
    tenant_id {id} NOT NULL,
    user_id {id} NOT NULL,
    phc {text} NOT NULL,
    changed_at {time} NOT NULL,
    CONSTRAINT user_password_user_id PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES user_account (tenant_id, id)
) {strict};
