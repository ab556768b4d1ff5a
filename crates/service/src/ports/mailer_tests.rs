use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;

const ID: &str = "<0f.1@vestibule.example>";

fn sender() -> Sender {
    Sender { address: Address::parse("noreply@vestibule.example").unwrap(), name: Some("Vestibule".into()) }
}

fn mail() -> Mail {
    Mail {
        from: None,
        to: Address::parse("ada@example.com").unwrap(),
        subject: "Your code".into(),
        text: "12345678\n".into(),
        html: "<p>12345678</p>".into(),
        headers: vec![],
    }
}

fn written(mail: &Mail) -> String {
    String::from_utf8(compose(mail, ID, &sender()).unwrap().formatted()).unwrap()
}

/// The header lines, unfolded.
fn headers(message: &str) -> Vec<String> {
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n").map(str::to_owned).collect()
}

fn names(message: &str) -> Vec<String> {
    let mut names: Vec<_> =
        headers(message).iter().map(|line| line.split(':').next().unwrap().to_lowercase()).collect();
    names.sort();
    names
}

const PLAIN: [&str; 8] =
    ["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"];

#[test]
fn a_message_has_the_headers_it_should_have() {
    let message = written(&mail());
    assert_eq!(names(&message), PLAIN);
    for line in [
        "From: Vestibule <noreply@vestibule.example>",
        "To: ada@example.com",
        "Subject: Your code",
        "Auto-Submitted: auto-generated",
        "Message-ID: <0f.1@vestibule.example>",
    ] {
        assert!(headers(&message).iter().any(|header| header == line), "{line} in {message}");
    }
    assert!(message.contains("multipart/alternative"));
    assert!(message.find("text/plain").unwrap() < message.find("text/html").unwrap());
}

#[test]
fn nothing_typed_by_a_person_adds_a_header() {
    let attacks = [
        "x\r\nBcc: eve@evil.example",
        "x\nBcc: eve@evil.example",
        "x\rBcc: eve@evil.example",
        "x\0\r\n\r\nsecond body",
        "x\u{2028}Bcc: eve@evil.example",
        "x\u{85}Bcc: eve@evil.example",
        "x%0d%0aBcc: eve@evil.example",
        "\" <eve@evil.example>, \"",
        "x; eve@evil.example",
        "ä\r\nBcc: eve@evil.example",
        "eve@evil.example,",
        "\\\"",
    ];
    for attack in attacks {
        let named = Sender { name: Some(attack.into()), ..sender() };
        let cases = [
            Mail { subject: attack.into(), ..mail() },
            Mail { from: Some(named), ..mail() },
            Mail { headers: vec![("X-Note".into(), attack.into())], ..mail() },
        ];
        for case in cases {
            let composed = compose(&case, ID, &sender()).unwrap();
            assert_eq!(composed.envelope().to().len(), 1, "{attack:?}");
            assert_eq!(composed.envelope().to()[0].to_string(), "ada@example.com");
            assert_eq!(composed.envelope().from().unwrap().to_string(), "noreply@vestibule.example");
            let message = String::from_utf8(composed.formatted()).unwrap();
            let found: Vec<_> = names(&message).into_iter().filter(|name| name != "x-note").collect();
            assert_eq!(found, PLAIN, "{attack:?} in {message}");
        }
    }
}

#[test]
fn headers_that_change_the_message_are_refused() {
    for name in [
        "Bcc",
        "bcc",
        "To",
        "Content-Type",
        "Subject",
        "Sender",
        "Resent-Bcc",
        "",
        "X Y",
        "X:Y",
        "X\r\nBcc",
        "Ä",
    ] {
        let mail = Mail { headers: vec![(name.into(), "x".into())], ..mail() };
        assert!(matches!(compose(&mail, ID, &sender()), Err(MailFault::Permanent(_))), "{name:?}");
    }
    let mail =
        Mail { headers: vec![("List-Unsubscribe".into(), "<https://v.example/stop>".into())], ..mail() };
    assert!(headers(&written(&mail)).contains(&"List-Unsubscribe: <https://v.example/stop>".to_owned()));
}

#[test]
fn a_message_id_is_one_token() {
    for id in ["", "a@b", "<a>", "<@b>", "<a@>", "<a@b>\r\nBcc: x@y", "<a@b@c>", "<a b@c>", "<<a@b>>"] {
        assert!(compose(&mail(), id, &sender()).is_err(), "{id:?}");
    }
}

#[test]
fn a_body_has_one_kind_of_line_ending() {
    for body in [
        "a\n.\nQUIT\n",
        "a\r.\rQUIT\r",
        "a\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n",
        "ä\n.\r\n\n.\n",
        "a\0b",
    ] {
        let message = written(&Mail { text: body.into(), html: body.into(), ..mail() });
        let rest = message.replace("\r\n", "");
        assert!(!rest.contains(['\r', '\n', '\0']), "{body:?} in {message:?}");
    }
}

#[test]
fn a_list_of_recipients_is_not_an_address() {
    for text in [
        "a@x.example,b@y.example",
        "a@x.example b@y.example",
        "a@x.example\r\nRCPT TO:<b@y.example>",
        "<a@x.example>",
    ] {
        assert!(Address::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn debug_shows_neither_code_nor_address() {
    let text = format!("{:?}", mail());
    assert!(!text.contains("12345678") && !text.contains("ada@example.com"), "{text}");
}

/// Answers each command with the line that `reply` gives and returns everything the client said.
async fn smtp_server(listener: TcpListener, reply: fn(&str) -> Option<&'static str>) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    let mut heard = String::new();
    let mut in_body = false;
    stream.write_all(b"220 test\r\n").await.unwrap();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return heard;
        }
        heard.push_str(&line);
        if in_body && line != ".\r\n" {
            continue;
        }
        in_body = line.eq_ignore_ascii_case("DATA\r\n");
        let verb = line.split([' ', '\r']).next().unwrap();
        let answer = reply(verb).unwrap_or(match verb {
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        });
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        if verb == "QUIT" || verb == "." {
            return heard;
        }
    }
}

async fn deliver(mail: &Mail, reply: fn(&str) -> Option<&'static str>) -> (Result<(), MailFault>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = SmtpSettings {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        security: Security::None,
        username: None,
        password: None,
        from: sender(),
        timeout: Duration::from_secs(5),
        authorities: vec![],
    };
    let server = tokio::spawn(smtp_server(listener, reply));
    let mailer = SmtpMailer::new(settings).unwrap();
    let result = mailer.send(mail, ID).await;
    drop(mailer);
    (result, server.await.unwrap())
}

#[tokio::test]
async fn a_message_arrives_once_and_dots_stay_dots() {
    let mail = Mail { text: "a\n.\nRCPT TO:<eve@evil.example>\n".into(), ..mail() };
    let (result, heard) = deliver(&mail, |_| None).await;
    assert_eq!(result, Ok(()));
    assert_eq!(heard.matches("\r\nRCPT TO:<ada@example.com>").count(), 1, "{heard}");
    assert_eq!(heard.matches("\r\nDATA\r\n").count(), 1);
    assert!(heard.contains("\r\n..\r\n"), "the dot is stuffed: {heard}");
    assert!(heard.ends_with("\r\n.\r\n"));
}

#[tokio::test]
async fn a_refused_recipient_is_for_good_and_a_busy_server_for_now() {
    let (result, _) = deliver(&mail(), |verb| (verb == "RCPT").then_some("550 no such mailbox")).await;
    assert!(matches!(result, Err(MailFault::Permanent(_))), "{result:?}");
    let (result, _) = deliver(&mail(), |verb| (verb == "RCPT").then_some("451 try later")).await;
    assert!(matches!(result, Err(MailFault::Temporary(_))), "{result:?}");
    let (result, _) = deliver(&mail(), |verb| (verb == "MAIL").then_some("530 log in first")).await;
    assert!(matches!(result, Err(MailFault::Temporary(_))), "{result:?}");
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = SmtpSettings {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        security: Security::StartTls,
        username: Some("user".into()),
        password: Some(Secret::new("password".into())),
        from: sender(),
        timeout: Duration::from_secs(5),
        authorities: vec![],
    };
    let server = tokio::spawn(smtp_server(listener, |_| None));
    let mailer = SmtpMailer::new(settings).unwrap();
    assert!(matches!(mailer.send(&mail(), ID).await, Err(MailFault::Temporary(_))));
    drop(mailer);
    let heard = server.await.unwrap();
    assert!(!heard.contains("MAIL") && !heard.contains("AUTH"), "{heard}");
}
