-- The ways that journeys took: a row for each stage, without anything about the person.

CREATE TABLE journey_stage (
    tenant_id {id} NOT NULL,
    journey_id {id} NOT NULL,
    sequence {int} NOT NULL,
    -- When the journey began: its rows are counted and removed together.
    started_at {time} NOT NULL,
    at {time} NOT NULL,
    stage {text} NOT NULL,
    graph_stage {text} NOT NULL,
    step {text} NOT NULL,
    page {int},
    -- Nothing when no request brought the stage about.
    correlation_id {key},
    client_id {id} NOT NULL,
    flow_id {id} NOT NULL,
    flow_version {int} NOT NULL,
    -- What the whole journey counts as, the same in all of its rows.
    intent {text} NOT NULL,
    method {text},
    language {text} NOT NULL,
    -- What was chosen at this stage.
    chosen {text},
    -- The account that was created at this stage.
    user_id {id},
    error_code {int} NOT NULL,
    message_id {text},
    field {text},
    -- How many stages there was no room for; in the last row.
    left_out {int} NOT NULL,
    CONSTRAINT journey_stage_sequence PRIMARY KEY (tenant_id, journey_id, sequence)
) {strict};

CREATE INDEX journey_stage_by_correlation ON journey_stage (tenant_id, correlation_id);
-- Counting and housekeeping go through all tenants, in time order.
CREATE INDEX journey_stage_by_start ON journey_stage (started_at, tenant_id, journey_id, sequence);

-- When the stages of a journey were moved; nothing as long as they stand in its state.
ALTER TABLE journey ADD COLUMN stages_moved_at {time};

-- The worker looks for what is over in all tenants at once.
CREATE INDEX journey_by_unmoved ON journey (expires_at) WHERE stages_moved_at IS NULL;
