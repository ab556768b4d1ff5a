use vestibule_service::directory::schema;

#[test]
fn the_committed_schema_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/tenant.schema.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == generated, "run `vestibule schema > docs/reference/tenant.schema.json`");
}
