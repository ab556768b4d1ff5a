//! What stands in a drawing, in words of administrators.

use vestibule_rules::journey::step::StepName;
use vestibule_service::flow_chart::{Chart, Deed, Page, Password, Question, Way, Who};

/// One arrow of a drawing: everything that leads from one page to another.
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
    /// A link that a visitor may follow instead of going on.
    pub(super) aside: bool,
}

/// How a page stands out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Entrance,
    Page,
    /// Outside, at a provider.
    Away,
    Done,
    Closed,
}

impl Look {
    /// The name of its class.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Entrance => "entrance",
            Self::Page => "page",
            Self::Away => "away",
            Self::Done => "done",
            Self::Closed => "closed",
        }
    }
}

/// The look of a page.
pub(super) const fn look(page: &Page) -> Look {
    match page.step {
        StepName::Identify | StepName::SignUp | StepName::Reset => Look::Entrance,
        StepName::Leave => Look::Away,
        StepName::Ended => Look::Done,
        StepName::Refused => Look::Closed,
        StepName::Password
        | StepName::Code
        | StepName::NewPassword
        | StepName::Details
        | StepName::Guardian
        | StepName::GuardianWait
        | StepName::GuardianAgreed
        | StepName::Address
        | StepName::Exists
        | StepName::Stay => Look::Page,
    }
}

/// The heading of a page.
pub(super) fn heading(page: &Page) -> String {
    if let Some(title) = &page.title {
        return title.clone();
    }
    let words = match page.step {
        StepName::Identify => "Sign in",
        StepName::SignUp => "Sign up",
        StepName::Reset => "Forgotten password",
        StepName::Password => "Password",
        StepName::Code => "Code from the mail",
        StepName::NewPassword => "New password",
        StepName::Details if page.questions.is_empty() => "Choose a password",
        StepName::Details => "Questions",
        StepName::Guardian => "Whom to ask",
        StepName::GuardianWait => "Waiting for the guardian",
        StepName::GuardianAgreed => "The guardian agrees",
        StepName::Address => "Email address",
        StepName::Exists => "There is an account already",
        StepName::Refused => "No way on",
        StepName::Stay => "Stay signed in?",
        StepName::Leave => return page.provider.clone().unwrap_or_else(|| "Provider".to_owned()),
        StepName::Ended => "Signed in",
    };
    words.to_owned()
}

/// What a page asks, line by line.
pub(super) fn lines(page: &Page) -> Vec<String> {
    let password = match page.password {
        Password::Never => None,
        Password::WithoutProvider => Some("Password, unless a provider vouches *".to_owned()),
        Password::Always => Some("Password *".to_owned()),
    };
    let question = |question: &Question| {
        let star = if question.required { " *" } else { "" };
        format!("{}{star}", spaced(&question.name))
    };
    password.into_iter().chain(page.questions.iter().map(question)).collect()
}

/// `givenName` as people write it; a name with spaces stays as it is.
fn spaced(name: &str) -> String {
    if name.contains(' ') {
        return name.to_owned();
    }
    let mut text = String::new();
    for letter in name.chars() {
        match letter {
            _ if text.is_empty() => text.extend(letter.to_uppercase()),
            _ if letter.is_uppercase() => {
                text.push(' ');
                text.extend(letter.to_lowercase());
            }
            _ => text.push(letter),
        }
    }
    text
}

/// The arrows of a chart; ways between the same two pages are one.
pub(super) fn arrows(chart: &Chart) -> Vec<Arrow> {
    let mut arrows: Vec<Arrow> = Vec::new();
    for way in &chart.ways {
        let (label, aside) = (label(chart, way), matches!(way.deed, Deed::Link(_)));
        match arrows.iter_mut().find(|arrow| (arrow.from, arrow.to) == (way.from, way.to)) {
            Some(arrow) => {
                arrow.aside &= aside;
                if !label.is_empty() && !arrow.label.split(" / ").any(|known| known == label) {
                    let gap = if arrow.label.is_empty() { "" } else { " / " };
                    arrow.label = format!("{}{gap}{label}", arrow.label);
                }
            }
            None => arrows.push(Arrow { from: way.from, to: way.to, label, aside }),
        }
    }
    arrows
}

fn label(chart: &Chart, way: &Way) -> String {
    let resets = chart.pages.get(way.to).is_some_and(|page| page.step == StepName::NewPassword);
    let who = match way.who {
        _ if resets => "to a new password",
        Some(Who::Newcomer) => "new here",
        Some(Who::Holder) => "has an account",
        Some(Who::Known) => "came this way before",
        None => "",
    };
    match &way.deed {
        Deed::Submit | Deed::Return => who.to_owned(),
        Deed::ReturnUnverified if way.who == Some(Who::Known) => who.to_owned(),
        Deed::ReturnUnverified => "address not verified".to_owned(),
        Deed::Guardian(true) => "agrees".to_owned(),
        Deed::Guardian(false) => "refuses".to_owned(),
        Deed::Choose(_) => String::new(),
        Deed::Link("sign-up") => "no account yet".to_owned(),
        Deed::Link("forgot-password") => "forgotten".to_owned(),
        Deed::Link(other) => (*other).to_owned(),
    }
}

/// What the drawing is, in one sentence.
pub(super) fn description(chart: &Chart) -> String {
    let apps = chart.applications.join(", ");
    let serves = if apps.is_empty() { String::new() } else { format!(" It serves {apps}.") };
    format!(
        "The pages of the user flow {} of {} and the ways between them.{serves} From every page a visitor can go back to the application.",
        chart.flow, chart.tenant
    )
}
