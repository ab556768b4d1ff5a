//! What one visitor does, over as many servers as it takes.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use vestibule_bench::visitor::{Place, Visitor, unexpected};
use vestibule_bench::{Tried, Trouble};

use super::{World, tenant_of};
use crate::client::claims;

/// How long a letter may take. One that was on its way when the server died comes when the claim of the dead
/// worker runs out, and nobody here waits for that.
const LETTER: Duration = Duration::from_secs(2);
/// Servers that one request may be tried at. Far fewer are killed while it is on the way.
const TRIES: usize = 50;
const PAGES_MAX: usize = 12;

/// One visitor after another, until the ledger is closed.
pub(super) async fn live(world: Rc<World>, slot: usize) -> Tried<()> {
    let mut number = (slot as u64 + 1) * 1_000_000;
    while world.ledger.is_open() {
        number += 1;
        let mut visitor = Visitor::new(tenant_of(number), number, world.place.port, &world.office);
        visitor.patience = LETTER;
        let address = visitor.address.clone();
        match visit(&world, visitor).await {
            Ok(()) => {}
            Err(Trouble::NoLetter) => world.ledger.stranded(&address),
            Err(trouble) => return Err(Trouble::wrong(format!("{address}: {trouble}"))),
        }
    }
    Ok(())
}

async fn visit(world: &World, mut visitor: Visitor) -> Tried<()> {
    let visitor = &mut visitor;
    let code = arrive(world, visitor, "create").await?;
    // The redirect to the app was received: from here on the account is there for ever.
    world.ledger.acknowledge(visitor);
    let (code, tokens) = match spend(world, visitor, &code).await? {
        Some(tokens) => (code, tokens),
        // The answer was lost with the server. The session is not: it gives the app another code.
        None => once_more(world, visitor).await?,
    };
    let claims = claims(text(&tokens, "id_token")?);
    if claims["email"] != visitor.address.as_str() {
        return Err(Trouble::wrong(format!("tokens of somebody else: {claims}")));
    }
    // N3: an acknowledged refresh token works, and the answer to a lost refresh can be had again.
    let first = text(&tokens, "refresh_token")?.to_owned();
    let second = refresh(world, visitor, &first).await?;
    let third = refresh(world, visitor, &second).await?;
    // N7: a code is accepted once, and whoever shows it again ends what it began.
    let (answer, _) = insist(world, visitor, async |visitor| visitor.redeem(&code).await).await?;
    if answer.0 != 400 {
        return Err(unexpected("the refusal of a spent code", answer.0, &answer.1));
    }
    let (answer, _) = insist(world, visitor, async |visitor| visitor.refresh(&third).await).await?;
    if answer.0 != 400 {
        return Err(unexpected("the refusal of a revoked token", answer.0, &answer.1));
    }
    // N4: the session is there, whichever server it began at.
    once_more(world, visitor).await?;
    world.ledger.finish();
    Ok(())
}

/// Goes from the authorization request to the app.
async fn arrive(world: &World, visitor: &mut Visitor, prompt: &str) -> Tried<String> {
    let mut next = visitor.authorize(&[("prompt", prompt)])?;
    for _ in 0..PAGES_MAX {
        let (place, _) = insist(world, visitor, async |visitor| visitor.go(&next).await).await?;
        match place {
            Place::App(code) => return Ok(code),
            Place::Page(form) => next = visitor.answer(form).await?,
            Place::Provider(_) => return Err(Trouble::wrong("nobody chose a provider")),
        }
    }
    Err(Trouble::wrong("the sign-up has no end"))
}

/// Redeems a code; `None` if it was spent by a request whose answer was lost.
async fn spend(world: &World, visitor: &mut Visitor, code: &str) -> Tried<Option<Value>> {
    let ((status, answer), cut) = insist(world, visitor, async |visitor| visitor.redeem(code).await).await?;
    match status {
        200 => Ok(Some(answer)),
        400 if cut && answer["error"] == "invalid_grant" => Ok(None),
        _ => Err(unexpected("tokens", status, &answer)),
    }
}

/// Signs in without being asked anything, as often as answers are lost; the code with its tokens.
async fn once_more(world: &World, visitor: &mut Visitor) -> Tried<(String, Value)> {
    loop {
        let code = arrive(world, visitor, "none").await?;
        if let Some(tokens) = spend(world, visitor, &code).await? {
            return Ok((code, tokens));
        }
    }
}

async fn refresh(world: &World, visitor: &mut Visitor, token: &str) -> Tried<String> {
    let ((status, answer), _) = insist(world, visitor, async |visitor| visitor.refresh(token).await).await?;
    if status == 200 {
        text(&answer, "refresh_token").map(str::to_owned)
    } else {
        Err(unexpected("tokens", status, &answer))
    }
}

/// Tries again at the next server what was cut off at the last one; says whether that happened.
async fn insist<T>(
    world: &World,
    visitor: &mut Visitor,
    act: impl AsyncFn(&mut Visitor) -> Tried<T>,
) -> Tried<(T, bool)> {
    let mut last = String::new();
    for tries in 0..TRIES {
        // The sender lives as long as the world.
        world.up.subscribe().wait_for(|up| *up).await.map_err(Trouble::wrong)?;
        match act(visitor).await {
            Ok(answer) => {
                world.answers.send_modify(|answers| *answers += 1);
                return Ok((answer, tries > 0));
            }
            Err(Trouble::Cut(why)) => last = why,
            Err(trouble) => return Err(trouble),
        }
    }
    Err(Trouble::wrong(format!("{TRIES} servers cut it off, the last with: {last}")))
}

fn text<'a>(answer: &'a Value, name: &str) -> Tried<&'a str> {
    answer[name].as_str().ok_or_else(|| Trouble::wrong(format!("the answer has no {name}")))
}
