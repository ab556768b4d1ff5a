//! Whether a server can be spoken to: its name, where that leads, its certificate, and the time that it has.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;
use vestibule_crypto::claims::SKEW;
use vestibule_rules::time::{Span, Timestamp};

use super::{Run, Step, Verdict, What};
use crate::ports::outbound::OutboundResponse;
use crate::ports::tls_probe::{Certificate, Mistrust, Obstacle};

/// A certificate with less to live is told: most are renewed before that.
const SHORT: Span = Span::days(14);

impl Run<'_> {
    /// Looks at the server of an address, once; whether it can be spoken to.
    pub(super) async fn connect(&mut self, url: &Url) -> bool {
        let server = url.origin().ascii_serialization();
        if let Some(reached) = self.reached.get(&server) {
            return *reached;
        }
        let looked = self.probe.look(url).await;
        let reached = looked.is_ok();
        let (name, certificate) = match looked {
            Ok(look) if look.proxied => {
                let name = "reached by the proxy, which resolves the name once more".to_owned();
                let certificate = "behind the proxy; it is checked when the provider is asked".to_owned();
                ((Verdict::NotChecked, name), (Verdict::NotChecked, certificate))
            }
            Ok(look) => {
                let addresses: Vec<String> = look.addresses.iter().take(4).map(ToString::to_string).collect();
                let name = (Verdict::Ok, format!("leads to {}", addresses.join(", ")));
                (name, certificate(look.certificate.as_ref(), self.now()))
            }
            Err(obstacle) => told(&obstacle, url),
        };
        for (what, (verdict, text)) in [(What::Name, name), (What::Certificate, certificate)] {
            self.steps.push(Step { what, server: Some(server.clone()), verdict, text });
        }
        self.reached.insert(server, reached);
        reached
    }

    /// Compares clocks by the first answer that says what time it is (RFC 9110 §6.6.1).
    pub(super) fn clock(&mut self, response: &OutboundResponse) {
        if self.clock_seen {
            return;
        }
        let Some(theirs) = response.header("date").and_then(read_date) else {
            return self.unknown(What::Clock, "the provider does not say what time it has");
        };
        self.clock_seen = true;
        let apart = self.now().since(theirs);
        let seconds = apart.as_seconds().abs();
        let ahead = if apart.0 > 0 { "ahead of" } else { "behind" };
        if Span::seconds(seconds) > SKEW {
            let text = format!(
                "our clock is {seconds} seconds {ahead} the provider's: tokens are refused as expired or as not yet \
                 good; have both set by NTP"
            );
            self.failed(What::Clock, text);
        } else {
            self.ok(
                What::Clock,
                format!("ours and the provider's are at most {} seconds apart", seconds + 1),
            );
        }
    }
}

fn read_date(text: &str) -> Option<Timestamp> {
    OffsetDateTime::parse(text, &Rfc2822).ok().map(|at| Timestamp::from_seconds(at.unix_timestamp()))
}

type Found = (Verdict, String);

fn certificate(shown: Option<&Certificate>, now: Timestamp) -> Found {
    let Some(Certificate { issuer, ends }) = shown else {
        return (
            Verdict::NotChecked,
            "spoken to without TLS; that is for tests on one machine only".to_owned(),
        );
    };
    let left = ends.since(now);
    let days = left.as_seconds() / 86_400;
    let text = format!("good for {days} more days, until {}; issued by {issuer}", ends.rfc3339());
    if left < SHORT {
        (Verdict::Warning, format!("{text}; whoever runs the provider should renew it soon"))
    } else {
        (Verdict::Ok, text)
    }
}

/// What is to be said of the name and of the certificate.
fn told(obstacle: &Obstacle, url: &Url) -> (Found, Found) {
    let host = url.host_str().unwrap_or_default();
    let name = |text: String| {
        (
            (Verdict::Failed, text),
            (Verdict::NotChecked, "not known before the server can be reached".to_owned()),
        )
    };
    match obstacle {
        Obstacle::NeverAsked(why) => name(format!("nothing is sent there: {why}; correct the address")),
        Obstacle::Unknown(why) => name(format!(
            "the name {host} leads nowhere ({why}); look for a typing error, and whether this machine's DNS knows it"
        )),
        Obstacle::Refused(refused) => name(format!(
            "{host} leads to {}, which is not public, and nothing is sent to such addresses; if the provider is inside \
             your network, add its network to outbound.allow_networks",
            refused.0
        )),
        Obstacle::Unreachable(why) => name(format!(
            "nobody answers at {host} ({why}); look whether the provider runs and whether a firewall stands between"
        )),
        Obstacle::TookTooLong => {
            name(format!("{host} does not answer within ten seconds; look whether a firewall stands between"))
        }
        Obstacle::Certificate(mistrust) => {
            ((Verdict::Ok, "somebody answers there".to_owned()), (Verdict::Failed, untrusted(mistrust, host)))
        }
        Obstacle::Handshake(why) => (
            (Verdict::Ok, "somebody answers there".to_owned()),
            (Verdict::Failed, format!("there is no TLS 1.2 or 1.3 with {host} ({why}); is the port right?")),
        ),
    }
}

fn untrusted(mistrust: &Mistrust, host: &str) -> String {
    let at = |time: &Option<Timestamp>| time.map(|at| format!(" on {}", at.rfc3339())).unwrap_or_default();
    match mistrust {
        Mistrust::UnknownIssuer => {
            "the certificate is not trusted: nobody that we know vouches for it. If the provider has a certificate of \
             its own authority, add that authority to outbound.ca_files; if it has a public one, its server leaves out \
             the certificates between"
                .to_owned()
        }
        Mistrust::Expired(ended) => {
            format!("the certificate expired{}; whoever runs the provider must renew it", at(ended))
        }
        Mistrust::NotYet(begins) => {
            format!("the certificate begins to be good{}, in the future; compare this machine's clock", at(begins))
        }
        Mistrust::OtherName(names) => {
            let names: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
            let others = if names.is_empty() { "another name".to_owned() } else { names.join(", ") };
            format!("the certificate is not for {host} but for {others}; look for a typing error in the address")
        }
        Mistrust::Other(why) => format!("the certificate is not accepted: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_http_is_read() {
        let at = read_date("Tue, 24 Nov 2026 02:25:36 GMT");
        assert_eq!(at.map(Timestamp::rfc3339), Some("2026-11-24T02:25:36Z".to_owned()));
        assert_eq!(read_date("yesterday"), None);
    }

    #[test]
    fn a_certificate_that_ends_soon_is_told() {
        let now = Timestamp::from_seconds(1_795_487_136);
        let shown = |days| Certificate { issuer: "CN=Us".to_owned(), ends: now + Span::days(days) };
        assert_eq!(certificate(Some(&shown(13)), now).0, Verdict::Warning);
        assert_eq!(certificate(Some(&shown(90)), now).0, Verdict::Ok);
        assert!(certificate(Some(&shown(90)), now).1.starts_with("good for 90 more days"));
    }
}
