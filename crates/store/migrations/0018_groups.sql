-- Who is in which group, and which applications are assigned to people one by one. The groups themselves, and what is
-- assigned to them, stand in the tenant's configuration.

CREATE TABLE group_member (
    tenant_id {id} NOT NULL,
    group_id {id} NOT NULL,
    user_id {id} NOT NULL,
    added_at {time} NOT NULL,
    CONSTRAINT group_member_user_id PRIMARY KEY (tenant_id, group_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES user_account (tenant_id, id)
) {strict};

-- A token asks for one person's groups.
CREATE INDEX group_member_by_user ON group_member (tenant_id, user_id);

CREATE TABLE app_role_assignment (
    tenant_id {id} NOT NULL,
    app_id {id} NOT NULL,
    user_id {id} NOT NULL,
    -- Empty: access without a role.
    role {key} NOT NULL,
    assigned_at {time} NOT NULL,
    CONSTRAINT app_role_assignment_role PRIMARY KEY (tenant_id, user_id, app_id, role),
    FOREIGN KEY (tenant_id, user_id) REFERENCES user_account (tenant_id, id)
) {strict};

CREATE INDEX app_role_assignment_by_app ON app_role_assignment (tenant_id, app_id);
