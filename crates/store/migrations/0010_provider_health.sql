-- How sign-ins by a provider went lately. It goes with the provider; it is no history.
CREATE TABLE provider_health (
    tenant_id {id} NOT NULL,
    provider_id {id} NOT NULL,
    last_success_at {time},
    last_failure_at {time},
    -- What was wrong at the last failure: bounded, without secrets and without anything about a person.
    last_error {text},
    -- Failures since the last success.
    failures {int} NOT NULL,
    CONSTRAINT provider_health_provider_id PRIMARY KEY (tenant_id, provider_id)
) {strict};
