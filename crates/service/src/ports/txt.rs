//! TXT records of the DNS (RFC 1035 §3.3.14): where a domain's owner shows that it is theirs.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use vestibule_rules::fault::{Fault, Outcome};

/// Records of one name that are looked at.
const MOST: usize = 100;

/// Looks TXT records up.
#[async_trait]
pub trait TxtRecords: Send + Sync {
    /// The texts of a name; none when the name has none or is none. A fault means that nobody could be asked.
    async fn txt(&self, name: &str) -> Outcome<Vec<String>>;
}

/// The DNS as the machine or the operator has it. Every question is asked anew: whoever has just published a record
/// does not want to hear that it was not there a minute ago.
#[derive(Clone, Debug, Default)]
pub struct DnsTxt {
    /// Servers to ask instead of the machine's own.
    pub servers: Vec<SocketAddr>,
}

impl DnsTxt {
    fn resolver(&self) -> Outcome<TokioResolver> {
        let broken =
            |error: &dyn std::fmt::Display| Fault::upstream(format!("the DNS cannot be asked: {error}"));
        let mut builder = if self.servers.is_empty() {
            TokioResolver::builder_tokio().map_err(|error| broken(&error))?
        } else {
            let server = |address: &SocketAddr| {
                let mut both = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for way in &mut both {
                    way.port = address.port();
                }
                NameServerConfig::new(address.ip(), true, both.to_vec())
            };
            let config =
                ResolverConfig::from_parts(None, Vec::new(), self.servers.iter().map(server).collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.timeout = Duration::from_secs(3);
        options.attempts = 2;
        builder.build().map_err(|error| broken(&error))
    }
}

#[async_trait]
impl TxtRecords for DnsTxt {
    async fn txt(&self, name: &str) -> Outcome<Vec<String>> {
        let settings = self.clone();
        // The machine's settings are a file.
        let resolver = tokio::task::spawn_blocking(move || settings.resolver()).await;
        let resolver = resolver.map_err(|error| Fault::ours(format!("the DNS was not asked: {error}")))??;
        // With the dot it is no beginning of a name in the machine's own domain.
        match resolver.txt_lookup(format!("{name}.")).await {
            Ok(found) => {
                let texts = found.answers().iter().take(MOST).filter_map(|record| match &record.data {
                    RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
                    _ => None,
                });
                Ok(texts.collect())
            }
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => Ok(Vec::new()),
            Err(error) => Err(Fault::upstream(format!("the DNS did not answer for {name}: {error}"))),
        }
    }
}

/// A DNS that says what a test told it.
#[derive(Default)]
pub struct TestTxt(Mutex<HashMap<String, Option<Vec<String>>>>);

impl TestTxt {
    /// Publishes a text under a name; nothing means that its servers do not answer.
    pub fn publish(&self, name: &str, text: Option<&str>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), text.map(|text| vec!["v=spf1 -all".to_owned(), text.to_owned()]));
    }
}

#[async_trait]
impl TxtRecords for TestTxt {
    async fn txt(&self, name: &str) -> Outcome<Vec<String>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(name) {
            None => Ok(Vec::new()),
            Some(texts) => texts.clone().ok_or_else(|| Fault::upstream("the DNS did not answer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
    use hickory_resolver::proto::rr::Record;
    use hickory_resolver::proto::rr::rdata::TXT;
    use tokio::net::UdpSocket;

    use super::*;

    /// A DNS server that knows one name, knows that others are none, and fails for one.
    async fn server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let mut message = Message::from_vec(&buffer[..length]).unwrap();
                message.metadata.message_type = MessageType::Response;
                let name = message.queries[0].name().clone();
                match name.to_ascii().as_str() {
                    "_vestibule.contoso.com." => {
                        let parts = TXT::new(vec!["vestibule-verification=".to_owned(), "abc".to_owned()]);
                        message.answers.push(Record::from_rdata(name.clone(), 60, RData::TXT(parts)));
                        let other = TXT::new(vec!["v=spf1 -all".to_owned()]);
                        message.answers.push(Record::from_rdata(name, 60, RData::TXT(other)));
                    }
                    "broken.contoso.com." => message.metadata.response_code = ResponseCode::ServFail,
                    _ => message.metadata.response_code = ResponseCode::NXDomain,
                }
                socket.send_to(&message.to_vec().unwrap(), from).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn texts_are_found_joined_and_a_name_without_any_is_no_fault() {
        // F14
        let dns = DnsTxt { servers: vec![server().await] };
        let texts = dns.txt("_vestibule.contoso.com").await.unwrap();
        assert_eq!(texts, ["vestibule-verification=abc", "v=spf1 -all"]);
        assert!(dns.txt("_vestibule.fabrikam.com").await.unwrap().is_empty());
        assert!(dns.txt("broken.contoso.com").await.is_err());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_fault_and_not_an_empty_answer() {
        let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert!(DnsTxt { servers: vec![gone] }.txt("_vestibule.contoso.com").await.is_err());
    }
}
