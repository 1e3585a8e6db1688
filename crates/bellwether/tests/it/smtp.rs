//! A mail server for tests: speaks enough SMTP to take mail, refuse it, or put it off, as the test says.

use std::sync::{Arc, Mutex};

use base::config::SmtpUrl;
use base::mail::Transport;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server answers to `RCPT TO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Takes,
    /// 550 5.1.1
    Refuses,
    /// 451 4.7.1
    PutsOff,
    /// Hangs up before an answer to the data.
    HangsUp,
}

#[derive(Clone, Debug)]
pub struct MailServer {
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<String>>>,
    pub url: String,
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let server = Self { mood: Arc::new(Mutex::new(Mood::Takes)), taken: Arc::default(), url };
        let shared = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move { shared.converse(stream).await });
            }
        });
        server
    }

    /// The way to this server.
    pub fn transport(&self) -> Transport {
        let smtp = SmtpUrl { url: self.url.clone(), plain: true, authorities: None };
        Transport::new(Some(&smtp)).unwrap()
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Every message taken so far, as sent.
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    async fn converse(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 test ESMTP\r\n").await.ok()?;
        while let Some(line) = lines.next_line().await.ok()? {
            let mood = *self.mood.lock().unwrap();
            let verb = line.split([' ', ':']).next().unwrap_or("").to_ascii_uppercase();
            let answer: &[u8] = match (verb.as_str(), mood) {
                ("EHLO" | "HELO", _) => b"250-test\r\n250 8BITMIME\r\n",
                ("RCPT", Mood::Refuses) => b"550 5.1.1 no such mailbox\r\n",
                ("RCPT", Mood::PutsOff) => b"451 4.7.1 come back later\r\n",
                ("DATA", _) => {
                    write.write_all(b"354 go on\r\n").await.ok()?;
                    let mut message = String::new();
                    while let Some(line) = lines.next_line().await.ok()? {
                        if line == "." {
                            break;
                        }
                        message.push_str(&line);
                        message.push('\n');
                    }
                    self.taken.lock().unwrap().push(message);
                    if mood == Mood::HangsUp {
                        return None;
                    }
                    b"250 2.0.0 taken\r\n"
                }
                ("QUIT", _) => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            write.write_all(answer).await.ok()?;
        }
        Some(())
    }
}
