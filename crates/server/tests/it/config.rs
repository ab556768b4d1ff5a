//! Configuration: what wins, and what is refused.

use vestibule_server::config::{Config, Database, Layers};

fn read(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.toml");
    std::fs::write(&path, file).unwrap();
    let mut layers = Layers::default();
    layers.file(&path);
    layers.environment(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    for (key, value) in flags {
        layers.flag(key, value);
    }
    let place = format!("{}/", folder.path().display());
    Config::read(&layers).map_err(|problems| problems.to_string().replace(&place, ""))
}

fn refusal(file: &str) -> String {
    read(file, &[], &[]).unwrap_err()
}

#[test]
fn without_anything_the_server_listens_on_this_machine_only() {
    let config = read("", &[], &[]).unwrap();
    let [listener] = config.listeners.as_slice() else { panic!("one listener") };
    assert!(listener.address.ip().is_loopback());
    assert_eq!(listener.origin, "http://localhost:8080");
    assert!(matches!(config.database, Database::Sqlite { path } if path.ends_with("data/vestibule.db")));
}

#[test]
fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
    let file = "[log]\nlevel = \"error\"\n";
    let level = |variables: &[_], flags: &[_]| read(file, variables, flags).unwrap().log.level;
    assert_eq!(level(&[], &[]), "error");
    assert_eq!(level(&[("VESTIBULE_LOG__LEVEL", "warn")], &[]), "warn");
    assert_eq!(level(&[("VESTIBULE_LOG_LEVEL", "warn")], &[("log.level", "debug")]), "debug");
}

#[test]
fn a_mistyped_variable_stops_the_start() {
    let refusal = read("", &[("VESTIBULE_DATABASE_ULR", "postgres://h/d")], &[]).unwrap_err();
    assert_eq!(
        refusal,
        "environment variable VESTIBULE_DATABASE_ULR: there is no such setting; did you mean “VESTIBULE_DATABASE_URL”?"
    );
}

#[test]
fn variables_that_an_orchestrator_sets_are_no_settings() {
    let set =
        [("VESTIBULE_SERVICE_HOST", "10.0.0.1"), ("VESTIBULE_PORT", "tcp://10.0.0.1:80"), ("OTHER", "x")];
    assert!(read("", &set, &[]).is_ok());
}

#[test]
fn a_public_address_without_tls_is_refused_unless_somebody_insists() {
    let file = "[listeners.http]\norigin = \"http://login.example.org\"\n";
    assert!(
        refusal(file).starts_with("vestibule.toml:2: listeners.http.origin: passwords and codes would cross")
    );
    let config = read(&format!("insecure_dev = true\n{file}"), &[], &[]).unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("listeners.http.origin"));
}

#[test]
fn behind_a_proxy_the_origin_is_the_proxys() {
    let file =
        "[listeners.http]\norigin = \"https://login.example.org/\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
    let config = read(file, &[], &[]).unwrap();
    assert_eq!(config.listeners[0].origin, "https://login.example.org");
}

#[test]
fn every_problem_is_told_at_once() {
    let refusal =
        refusal("[smtp]\nhost = 5\nfrm = \"x\"\n[lgo]\n[limits.codes]\nper_address_hour = \"many\"\n");
    let lines: Vec<&str> = refusal.lines().collect();
    assert_eq!(lines.len(), 4, "{refusal}");
    assert!(lines.iter().all(|line| line.starts_with("vestibule.toml:")), "{refusal}");
}

#[test]
fn a_broken_file_is_told_with_its_line() {
    assert!(refusal("[smtp]\nhost = \n").starts_with("vestibule.toml:2: "));
}

#[test]
fn a_password_in_a_url_is_never_repeated() {
    let refusal = read("", &[], &[("database.url", "mysql://user:hunter2@host/db")]).unwrap_err();
    assert!(refusal.contains("database.url") && !refusal.contains("hunter2"), "{refusal}");
}

#[test]
fn a_proxy_has_an_address_and_its_credentials_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("proxy");
    std::fs::write(&secret, "vestibule:pass:word\n").unwrap();
    let file = format!(
        "[outbound]\nproxy = \"http://proxy.corp.example:3128\"\nproxy_credentials_file = {:?}\n\
         proxy_bypass = [\"corp.example\", \"10.0.0.0/8\"]\n",
        secret.display().to_string()
    );
    let proxy = read(&file, &[], &[]).unwrap().outbound.proxy.unwrap();
    assert_eq!(proxy.url.as_str(), "http://proxy.corp.example:3128/");
    let (name, password) = proxy.credentials.as_ref().unwrap();
    assert_eq!((name.as_str(), password.expose().as_str()), ("vestibule", "pass:word"));
    assert_eq!(proxy.bypass.len(), 2);
    assert!(!format!("{proxy:?}").contains("word"));

    for address in ["proxy.corp.example:3128", "socks5://h:1", "http://user:pw@h:1", "http://h:1/path"] {
        let refusal = refusal(&format!("[outbound]\nproxy = \"{address}\"\n"));
        assert!(refusal.contains("outbound.proxy: this is not an address such as"), "{refusal}");
        assert!(!refusal.contains("pw"), "{refusal}");
    }
    let refused = refusal("[outbound]\nproxy = \"http://h:1\"\nproxy_bypass = [\"a b\"]\n");
    assert!(refused.contains("“a b” is not a domain, an address or a network"), "{refused}");
    let refused = refusal("[outbound]\nproxy_bypass = [\"corp.example\"]\n");
    assert!(refused.contains("there is no proxy"), "{refused}");
}
