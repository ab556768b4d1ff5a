use super::Input;
use crate::ids::ProviderId;
use crate::journey::password::{self, MAX};
use crate::journey::step::StepName;
use crate::journey::testing::typed;
use crate::text::Secret;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[test]
fn a_form_is_read_as_its_step_asks() {
    let fields = typed(&[
        ("username", &["ada@example.com"]),
        ("password", &["p"]),
        ("code", &["12345678"]),
        ("csrf", &["t"]),
        ("step", &["details"]),
        ("givenName", &["Ada", "Augusta"]),
    ]);
    let read = |step| Input::read(step, &fields);
    let identify = Some(Input::Identify { address: "ada@example.com".to_owned() });
    assert_eq!(read(StepName::Identify), identify);
    assert_eq!(read(StepName::SignUp), identify);
    assert_eq!(read(StepName::Reset), identify);
    assert_eq!(read(StepName::Password), Some(Input::Password { password: secret("p") }));
    assert_eq!(read(StepName::Code), Some(Input::Code { code: "12345678".to_owned() }));
    assert_eq!(
        read(StepName::NewPassword),
        Some(Input::NewPassword { password: secret("p"), confirmation: None })
    );
    let details = typed(&[
        ("username", &["ada@example.com"]),
        ("code", &["12345678"]),
        ("givenName", &["Ada", "Augusta"]),
    ]);
    assert_eq!(
        read(StepName::Details),
        Some(Input::Details { fields: details, password: Some(secret("p")), confirmation: None })
    );
    assert_eq!(read(StepName::Exists), Some(Input::Continue));
    assert_eq!(read(StepName::Refused), Some(Input::Continue));
    assert_eq!(read(StepName::Leave), Some(Input::Continue));
    assert_eq!(read(StepName::Stay), Some(Input::Stay(true)));
    assert_eq!(read(StepName::Ended), None);
}

#[test]
fn an_action_is_read_by_its_name() {
    for (action, input) in [
        ("idp-fabrikam", Some(Input::ChooseProvider(ProviderId::new("fabrikam")))),
        ("no", Some(Input::Stay(false))),
        ("resend", Some(Input::Resend)),
        ("change-address", Some(Input::ChangeAddress)),
        ("sign-up", Some(Input::SignUpInstead)),
        ("sign-in", Some(Input::SignInInstead)),
        ("forgot-password", Some(Input::ForgotPassword)),
        ("cancel", Some(Input::Cancel)),
        ("delete-everything", None),
        ("", None),
    ] {
        assert_eq!(Input::read(StepName::Stay, &typed(&[("action", &[action])])), input, "{action}");
    }
    assert_eq!(Input::read(StepName::Code, &typed(&[("action", &["no"])])), None);
}

#[test]
fn a_form_without_its_fields_says_nothing_dangerous() {
    let empty = typed(&[]);
    assert_eq!(Input::read(StepName::Identify, &empty), Some(Input::Identify { address: String::new() }));
    assert_eq!(Input::read(StepName::Code, &empty), Some(Input::Code { code: String::new() }));
    assert_eq!(Input::read(StepName::Password, &empty), None);
    assert_eq!(Input::read(StepName::NewPassword, &empty), None);
}

#[test]
fn no_password_is_cut_short_unnoticed() {
    // In NFD every letter is two characters: 300 letters are too many, whichever way they are written.
    for letters in [MAX, MAX + 1, 300, 1_000, 500_000] {
        let text = "e\u{301}".repeat(letters);
        let read = Input::read(StepName::Password, &typed(&[("password", &[&text])]));
        let Some(Input::Password { password }) = read else { panic!("a password was posted") };
        let normal = password::normalise(&password);
        assert!(password.expose().len() < 10_000);
        let length = normal.expose().chars().count();
        assert!(if letters <= MAX { length == letters } else { length > MAX }, "{letters} became {length}");
    }
}
