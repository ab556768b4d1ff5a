-- What flows were configured as, and what they are to become.

-- A revision for every published change of a flow. The resolved form that journeys pin stands in
-- user_flow_version; it has numbers of its own, for it also moves when a provider is renamed.
CREATE TABLE user_flow_revision (
    tenant_id {id} NOT NULL,
    flow_id {id} NOT NULL,
    revision {int} NOT NULL,
    -- The version that new journeys ran from then on.
    flow_version {int} NOT NULL,
    -- Nothing when the flow was removed.
    doc {text},
    actor {text} NOT NULL,
    correlation_id {text} NOT NULL,
    note {text},
    created_at {time} NOT NULL,
    CONSTRAINT user_flow_revision_revision PRIMARY KEY (tenant_id, flow_id, revision)
) {strict};

CREATE TABLE user_flow_draft (
    tenant_id {id} NOT NULL,
    flow_id {id} NOT NULL,
    doc {text} NOT NULL,
    -- The revision that was published when the draft was made; 0 for a flow that was not there.
    base_revision {int} NOT NULL,
    actor {text} NOT NULL,
    created_at {time} NOT NULL,
    CONSTRAINT user_flow_draft_flow_id PRIMARY KEY (tenant_id, flow_id)
) {strict};

-- Flows from before there was a history begin theirs with what they are.
INSERT INTO user_flow_revision (tenant_id, flow_id, revision, flow_version, doc, actor, correlation_id,
    note, created_at)
SELECT o.tenant_id, o.id, 1,
    (SELECT MAX(v.version) FROM user_flow_version AS v WHERE v.tenant_id = o.tenant_id AND v.flow_id = o.id),
    o.doc, 'migration', '', NULL, o.updated_at
FROM configuration_object AS o
WHERE o.kind = 'user_flow';

-- Before an application is removed, its live grants are counted.
CREATE INDEX grant_family_by_client ON grant_family (tenant_id, client_id);
