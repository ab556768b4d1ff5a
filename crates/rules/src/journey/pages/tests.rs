use super::{Page, outline};
use crate::directory::condition::{Comparison, Condition};
use crate::directory::flow::InputType;
use crate::directory::tenant::TenantKind;
use crate::ids::AttributeId;
use crate::journey::flow::{Flow, FlowPage, Method};
use crate::journey::testing::{field, flow, proven};

fn answer(attribute: &str, is: &[&str]) -> Condition {
    let is = is.iter().map(|v| (*v).to_owned()).collect();
    Condition {
        answer: Some(Comparison { attribute: AttributeId::new(attribute), is }),
        ..Condition::default()
    }
}

fn on_page(id: &str, page: usize) -> crate::journey::flow::Field {
    field(id, InputType::Text, |f| f.page = page)
}

fn several(methods: &[Method]) -> Flow {
    let when = |when| FlowPage { when, ..FlowPage::default() };
    Flow {
        pages: vec![when(None), when(Some(answer("city", &["Bath"]))), when(None)],
        fields: vec![on_page("city", 0), on_page("state", 1), on_page("jobTitle", 2)],
        ..flow(TenantKind::External, methods)
    }
}

#[test]
fn pages_that_do_not_apply_are_not_counted() {
    let flow = several(&[Method::Code]);
    let mut facts = proven(&flow, "ada@example.com");
    assert_eq!(outline(&flow, &facts).pages, [Page::View(0), Page::View(2)]);
    facts.typed.insert("city".to_owned(), vec!["bath".to_owned()]);
    assert_eq!(outline(&flow, &facts).pages, [Page::View(0), Page::View(1), Page::View(2)]);
}

#[test]
fn a_new_password_has_the_last_page_of_several_and_shares_the_only_one() {
    let flow = several(&[Method::Password]);
    let facts = proven(&flow, "ada@example.com");
    assert_eq!(outline(&flow, &facts).pages.last(), Some(&Page::Closing));
    let one = Flow { pages: Vec::new(), ..flow };
    let shown = outline(&one, &facts);
    assert_eq!(shown.pages, [Page::View(0)]);
    assert!(shown.has_password(&one, &facts));
}

#[test]
fn nobody_promises_that_a_page_is_the_last_when_its_answers_decide() {
    let flow = several(&[Method::Code]);
    let facts = proven(&flow, "ada@example.com");
    assert!(outline(&flow, &facts).may_grow);
    let only = Flow { fields: vec![on_page("city", 0)], ..flow };
    let shown = outline(&only, &facts);
    assert_eq!((shown.pages.len(), shown.is_last()), (1, false));
}

#[test]
fn conditions_combine() {
    struct Nothing;
    impl super::Known for Nothing {
        fn answer(&self, attribute: &AttributeId) -> Option<Vec<String>> {
            (attribute.as_str() == "topics").then(|| vec!["a".to_owned(), "b".to_owned()])
        }
        fn provider_says(&self, _: &AttributeId) -> Option<String> {
            None
        }
        fn came_by(&self, method: &str) -> bool {
            method == "fabrikam"
        }
        fn email_domain(&self) -> Option<String> {
            Some("Example.com".to_owned())
        }
    }
    let holds = |c: &Condition| c.holds(&Nothing);
    let domain = Condition { email_domain: vec!["example.COM".to_owned()], ..Condition::default() };
    let method = Condition { method: vec!["contoso".to_owned()], ..Condition::default() };
    assert!(holds(&Condition::default()));
    assert!(holds(&answer("topics", &["x", "B"])) && holds(&answer("topics", &[])));
    assert!(!holds(&answer("topics", &["x"])) && !holds(&answer("city", &[])));
    assert!(holds(&domain) && !holds(&method));
    assert!(!holds(&Condition { method: method.method.clone(), ..domain.clone() }), "everything must hold");
    assert!(holds(&Condition { any: vec![method.clone(), domain.clone()], ..Condition::default() }));
    assert!(holds(&Condition { not: Some(Box::new(method)), ..Condition::default() }));
    assert!(!holds(&Condition { not: Some(Box::new(domain)), ..Condition::default() }));
}
