-- Domains whose DNS shows what we asked for. One that is not here was never proven.

CREATE TABLE domain_proof (
    tenant_id {id} NOT NULL,
    domain {key} NOT NULL,
    proven_at {time},
    seen_at {time},
    checked_at {time} NOT NULL,
    problem {text},
    CONSTRAINT domain_proof_domain PRIMARY KEY (tenant_id, domain)
) {strict};
