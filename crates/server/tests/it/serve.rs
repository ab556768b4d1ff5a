//! `vestibule serve`: an organisation's own server.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

#[tokio::test]
async fn it_serves_without_an_inbox_and_stops_in_peace() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let file = format!(
        "[listeners.http]\naddress = \"127.0.0.1:{port}\"\n[smtp]\nhost = \"localhost\"\nfrom = \"a@b.example\"\n"
    );
    std::fs::write(folder.path().join("vestibule.toml"), file).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .arg("serve")
        .current_dir(folder.path())
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, format!("Vestibule is ready: http://localhost:{port}\n"));

    #[expect(clippy::disallowed_methods, reason = "a visitor is the outside world")]
    let visitor = {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        reqwest::Client::new()
    };
    let status = async |path: &str| {
        let answer = visitor.get(format!("http://localhost:{port}{path}")).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(status("/health").await, 200);
    assert_eq!(status("/dev/inbox").await, 404);

    let killed = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn without_a_mail_server_it_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .arg("serve")
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("smtp.host: name the mail server"), "{said}");
}
