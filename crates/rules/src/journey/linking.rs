//! Whether an identity at a provider may be connected with an account that exists. Both sides are proven in one
//! journey: the provider's by its answer, the account's by signing in to it (EXIST-03).

use super::facts::{Facts, Linking};
use super::flow::Flow;

/// What could be connected: the identity that came, and the account that the proven address belongs to. Never where
/// the original does not (`compatibility: strict`), and never with an account that is switched off.
pub fn offered(flow: &Flow, facts: &Facts) -> Option<Linking> {
    let account = facts.known().filter(|account| account.enabled && !flow.strict)?;
    facts.proven_address()?;
    let federated = facts.federated.clone()?;
    Some(Linking { user: account.user, federated })
}
