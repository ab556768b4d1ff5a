//! The mail server that letters are handed to: plain SMTP on a port of this machine. It looks into each
//! letter for the one-time code and hands that to whoever waits for it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Digits of a one-time code.
const DIGITS: usize = 8;

/// Everybody's mailboxes. Clones share them.
#[derive(Clone, Default)]
pub struct PostOffice {
    waiting: Arc<Mutex<HashMap<String, UnboundedSender<String>>>>,
    /// Addresses whose letter came when nobody waited for it any more.
    late: Arc<Mutex<HashSet<String>>>,
}

/// One person's mailbox. It is gone when it is dropped.
pub struct Mailbox {
    office: PostOffice,
    address: String,
    codes: UnboundedReceiver<String>,
}

impl PostOffice {
    /// Opens the mail server; returns it with its port.
    pub async fn open() -> std::io::Result<(Self, u16)> {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = socket.local_addr()?.port();
        let office = Self::default();
        let accepting = office.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let office = accepting.clone();
                // A sender that goes away in the middle of a letter has not sent it.
                tokio::spawn(async move { office.converse(stream).await });
            }
        });
        Ok((office, port))
    }

    /// Whether a letter to this address came when nobody waited for it any more.
    pub fn came_late(&self, address: &str) -> bool {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).contains(address)
    }

    /// Opens a mailbox.
    pub fn mailbox(&self, address: &str) -> Mailbox {
        let (sender, codes) = unbounded_channel();
        self.lock().insert(address.to_owned(), sender);
        Mailbox { office: self.clone(), address: address.to_owned(), codes }
    }

    async fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 bench ESMTP\r\n").await?;
        let mut recipient = String::new();
        while let Some(line) = lines.next_line().await? {
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let reply: &[u8] = match verb.as_str() {
                "EHLO" => b"250-bench\r\n250 8BITMIME\r\n",
                "RCPT" => {
                    recipient = between(&line, '<', '>').to_owned();
                    b"250 ok\r\n"
                }
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    let mut letter = String::new();
                    while let Some(line) = lines.next_line().await? {
                        if line == "." {
                            break;
                        }
                        letter.push_str(&line);
                        letter.push('\n');
                    }
                    self.deliver(&recipient, &letter);
                    b"250 taken\r\n"
                }
                "QUIT" => return write.write_all(b"221 bye\r\n").await,
                _ => b"250 ok\r\n",
            };
            write.write_all(reply).await?;
        }
        Ok(())
    }

    fn deliver(&self, recipient: &str, letter: &str) {
        let Some(code) = code(letter) else { return };
        if let Some(sender) = self.lock().get(recipient) {
            // Nobody reads the mailbox any more: the letter has arrived all the same.
            let _ = sender.send(code.to_owned());
            return;
        }
        self.late.lock().unwrap_or_else(PoisonError::into_inner).insert(recipient.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, UnboundedSender<String>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    /// Waits for the next letter with a code.
    pub async fn code(&mut self) -> Option<String> {
        self.codes.recv().await
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.office.lock().remove(&self.address);
    }
}

fn between(text: &str, open: char, close: char) -> &str {
    let inside = text.split_once(open).map_or("", |(_, rest)| rest);
    inside.split_once(close).map_or("", |(inside, _)| inside)
}

/// The code stands on a line of its own in the text; boundaries and ids have digits too.
fn code(letter: &str) -> Option<&str> {
    let alone = |line: &&str| line.len() == DIGITS && line.bytes().all(|byte| byte.is_ascii_digit());
    letter.lines().map(str::trim).find(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_alone() {
        assert_eq!(code("Message-ID: <12345678@x>\n\n    87654321\r\n\nbye"), Some("87654321"));
        assert_eq!(code("12345678 is your code"), None);
    }

    #[test]
    fn a_recipient_stands_between_brackets() {
        assert_eq!(between("RCPT TO:<a@b.example>", '<', '>'), "a@b.example");
    }
}
