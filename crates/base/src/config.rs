//! Configuration: one struct, each key documented once, and every fault of it reported together.
//!
//! Order: flag, then environment, then file, then default.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::db::Target;

/// One key of the configuration, as `--help` and the generated page show it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file; the flag is the same with `--` before it.
    pub name: &'static str,
    /// The environment variable.
    pub env: &'static str,
    /// What stands for the value.
    pub value: &'static str,
    /// What holds when nothing is said.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// Every key that `serve` knows, in the order of the documentation.
pub const KEYS: &[Key] = &[
    Key {
        name: "data",
        env: "BELLWETHER_DATA",
        value: "DIR",
        default: "./bellwether-data",
        help: "The data directory: records, secret, configuration file. Made if it is not there.",
    },
    Key {
        name: "listen",
        env: "BELLWETHER_LISTEN",
        value: "ADDR",
        default: "127.0.0.1:8080",
        help: "The address and port to serve on. Port 0 takes a free one.",
    },
    Key {
        name: "public-url",
        env: "BELLWETHER_PUBLIC_URL",
        value: "URL",
        default: "http:// and the bound address",
        help: "Where people reach the site; every link is made from it. Required when the listen address is \
               unspecified (0.0.0.0 or [::]).",
    },
    Key {
        name: "site",
        env: "BELLWETHER_SITE",
        value: "DIR",
        default: "the embedded starter site",
        help: "The folder with site.toml, articles, programmes, pages and instruments. `bellwether init DIR` makes one.",
    },
    Key {
        name: "database-url",
        env: "BELLWETHER_DATABASE_URL",
        value: "URL",
        default: "a SQLite file in the data directory",
        help: "`postgres://…` to keep the records in PostgreSQL instead.",
    },
    Key {
        name: "smtp-url",
        env: "BELLWETHER_SMTP_URL",
        value: "URL",
        default: "none: the built-in mailbox",
        help: "The mail server. `smtps://` is TLS from the start; `smtp://` requires STARTTLS, except to a loopback \
               address, where it is plain. User and password go in the URL.",
    },
    Key {
        name: "smtp-url-file",
        env: "BELLWETHER_SMTP_URL_FILE",
        value: "FILE",
        default: "none",
        help: "A file that holds the mail server's URL, for a password that should not stand in the environment.",
    },
    Key {
        name: "smtp-ca-file",
        env: "BELLWETHER_SMTP_CA_FILE",
        value: "FILE",
        default: "none",
        help: "A PEM file with certificates to trust besides those of the public authorities, for a mail server whose \
               certificate your own organisation has signed.",
    },
    Key {
        name: "mail-from",
        env: "BELLWETHER_MAIL_FROM",
        value: "ADDRESS",
        default: "mail_from in site.toml",
        help: "The sender's address of every mail.",
    },
    Key {
        name: "secret-file",
        env: "BELLWETHER_SECRET_FILE",
        value: "FILE",
        default: "DATA/secret, made once, mode 0600",
        help: "The instance key behind every link. Nodes share it; backups need it.",
    },
    Key {
        name: "metrics-listen",
        env: "BELLWETHER_METRICS_LISTEN",
        value: "ADDR",
        default: "off",
        help: "A second address that serves `/metrics` only. Keep it private.",
    },
    Key {
        name: "trusted-proxy",
        env: "BELLWETHER_TRUSTED_PROXY",
        value: "CIDR",
        default: "none",
        help: "Whose `X-Forwarded-For` is believed. Several ranges are separated by commas.",
    },
    Key {
        name: "log-format",
        env: "BELLWETHER_LOG_FORMAT",
        value: "text|json",
        default: "text",
        help: "How log lines are written to standard error.",
    },
    Key {
        name: "config",
        env: "BELLWETHER_CONFIG",
        value: "FILE",
        default: "bellwether.toml in the data directory, if there",
        help: "A TOML file with any of these keys.",
    },
    Key {
        name: "abuse-budgets",
        env: "BELLWETHER_ABUSE_BUDGETS",
        value: "on|off",
        default: "on",
        help: "`off` lifts the budgets and the minimum time of a form. For load tests only; warns at start.",
    },
];

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The mail server, with how the connection is protected.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// The URL as lettre reads it.
    pub url: String,
    /// Plain SMTP, allowed to a loopback address only.
    pub plain: bool,
    /// Certificates of authorities to trust besides the public ones, in PEM.
    pub authorities: Option<String>,
}

// The URL may hold a password.
impl std::fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpUrl").field("plain", &self.plain).finish_non_exhaustive()
    }
}

/// A valid configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The data directory.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where people reach the site, without a slash at the end; nothing means the bound address.
    pub public_url: Option<String>,
    /// A site folder; nothing means the starter site.
    pub site: Option<PathBuf>,
    /// Where the records are.
    pub database: Target,
    /// The mail server; nothing means the built-in mailbox.
    pub smtp: Option<SmtpUrl>,
    /// The sender's address, if it is not the site's.
    pub mail_from: Option<String>,
    /// The instance key's file, and whether it may be made.
    pub secret_file: (PathBuf, bool),
    /// Where `/metrics` listens, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Whether budgets and the minimum time of a form hold.
    pub abuse_budgets: bool,
}

/// What is wrong with one key and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {fault}")]
pub struct Fault {
    /// The key.
    pub key: String,
    /// What is wrong, and what to write.
    pub fault: String,
}

impl Config {
    /// Reads the configuration from flags, then the environment, then the file.
    ///
    /// `flags` and `environment` hold what was said, by key name; `read` reads a file.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn read(
        flags: &BTreeMap<String, String>,
        environment: &dyn Fn(&str) -> Option<String>,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<Self, Vec<Fault>> {
        let mut said = Said { values: BTreeMap::new(), faults: Vec::new() };
        for key in KEYS {
            if let Some(value) = flags
                .get(key.name)
                .cloned()
                .or_else(|| environment(key.env).filter(|v| !v.is_empty()))
            {
                said.values.insert(key.name.to_owned(), value);
            }
        }
        said.add_file(read);
        said.add_smtp_url_file(read);
        said.add_smtp_ca_file(read);
        said.into_config()
    }
}

/// What was said of each key, and the faults found so far.
struct Said {
    values: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Said {
    fn fault(&mut self, key: &str, fault: impl Into<String>) {
        self.faults.push(Fault { key: key.to_owned(), fault: fault.into() });
    }

    fn data(&self) -> PathBuf {
        PathBuf::from(self.values.get("data").map_or("./bellwether-data", String::as_str))
    }

    fn add_file(&mut self, read: &dyn Fn(&Path) -> std::io::Result<String>) {
        let named = self.values.get("config").map(PathBuf::from);
        let path = named.clone().unwrap_or_else(|| self.data().join("bellwether.toml"));
        let text = match read(&path) {
            Ok(text) => text,
            Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => return,
            Err(e) => {
                let what =
                    format!("{} cannot be read ({e}). Name a file that can.", path.display());
                return self.fault("config", what);
            }
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(e) => {
                let what = format!("{} is not TOML: {}", path.display(), e.message());
                return self.fault("config", what);
            }
        };
        for (name, value) in table {
            let known = KEYS.iter().find(|key| key.name == name && key.name != "config");
            match (known, value) {
                (None, _) => {
                    let what = format!(
                        "no such key in {}. See `bellwether serve --help`.",
                        path.display()
                    );
                    self.fault(&name, what);
                }
                (Some(key), toml::Value::String(value)) => {
                    self.values.entry(key.name.to_owned()).or_insert(value);
                }
                (Some(key), _) => self.fault(key.name, "write the value between quotation marks"),
            }
        }
    }

    fn add_smtp_url_file(&mut self, read: &dyn Fn(&Path) -> std::io::Result<String>) {
        let Some(path) = self.values.get("smtp-url-file").map(PathBuf::from) else { return };
        if self.values.contains_key("smtp-url") {
            return self.fault("smtp-url-file", "smtp-url is set too: keep one of the two");
        }
        match read(&path) {
            Ok(text) => {
                self.values.insert("smtp-url".to_owned(), text.trim().to_owned());
            }
            Err(e) => {
                let what =
                    format!("{} cannot be read ({e}). Name a file that can.", path.display());
                self.fault("smtp-url-file", what);
            }
        }
    }

    /// Puts the certificates in the place of their file's name.
    fn add_smtp_ca_file(&mut self, read: &dyn Fn(&Path) -> std::io::Result<String>) {
        let Some(path) = self.values.remove("smtp-ca-file").map(PathBuf::from) else { return };
        let path_shown = path.display();
        match read(&path) {
            Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => {
                self.values.insert("smtp-ca-file".to_owned(), text);
            }
            Ok(_) => self.fault(
                "smtp-ca-file",
                format!("{path_shown} holds no certificate. Name a file with one in PEM, which begins with -----BEGIN CERTIFICATE-----."),
            ),
            Err(e) => self.fault(
                "smtp-ca-file",
                format!("{path_shown} cannot be read ({e}). Name a file that can."),
            ),
        }
    }

    /// The value of `key` read by `parse`; a fault with `remedy` if it cannot be.
    fn parsed<T>(
        &mut self,
        key: &str,
        remedy: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.values.get(key)?;
        let parsed = parse(value);
        if parsed.is_none() {
            // These URLs may hold a password, so their value is never repeated.
            let what = if ["smtp-url", "database-url"].contains(&key) {
                format!("that URL will not do. {remedy}")
            } else {
                format!("\"{value}\" will not do. {remedy}")
            };
            self.fault(key, what);
        }
        parsed
    }

    /// The mail server, with whom to trust for it.
    fn smtp(&mut self) -> Option<SmtpUrl> {
        let remedy = "Write smtps://user:password@host, or smtp://host (STARTTLS required; plain to loopback only).";
        let mut smtp = self.parsed("smtp-url", remedy, parse_smtp_url);
        if let Some(authorities) = self.values.remove("smtp-ca-file") {
            match &mut smtp {
                Some(smtp) => smtp.authorities = Some(authorities),
                None if self.values.contains_key("smtp-url") => {}
                None => self.fault("smtp-ca-file", "smtp-url is not set: name the mail server too"),
            }
        }
        smtp
    }

    fn into_config(mut self) -> Result<Config, Vec<Fault>> {
        let data = self.data();
        let address = "Write an address and a port, such as 127.0.0.1:8080 or [::1]:8080.";
        let listen = self
            .parsed("listen", address, |v| v.parse().ok())
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let metrics_listen = self.parsed("metrics-listen", address, |v| v.parse().ok());
        let remedy = "Write http:// or https:// and the host, such as https://www.example.org, with no path.";
        let public_url = self.parsed("public-url", remedy, parse_public_url);
        if listen.ip().is_unspecified() && !self.values.contains_key("public-url") {
            self.fault(
                "public-url",
                format!("is required when listening on {listen}: links cannot be made from that. {remedy}"),
            );
        }
        let site = self.values.get("site").map(PathBuf::from);
        if site.as_ref().is_some_and(|dir| !dir.join("site.toml").is_file()) {
            self.fault(
                "site",
                "there is no site.toml in that folder. `bellwether init DIR` makes one.",
            );
        }
        let remedy = "Write postgres://user@host/database, or leave it out to keep a SQLite file in the data directory.";
        let database = self.parsed("database-url", remedy, parse_database_url);
        let smtp = self.smtp();
        let mail_from =
            self.parsed("mail-from", "Write one address, such as hello@example.org.", |v| {
                v.parse::<lettre::Address>().ok().map(|_| v.to_owned())
            });
        let remedy = "Write ranges such as 10.0.0.0/8, separated by commas.";
        let trusted_proxies =
            self.parsed("trusted-proxy", remedy, parse_ranges).unwrap_or_default();
        let log_format = self.parsed("log-format", "Write text or json.", |v| match v {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        let abuse_budgets = self.parsed("abuse-budgets", "Write on or off.", |v| match v {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        });
        let secret_file = self
            .values
            .get("secret-file")
            .map_or_else(|| (data.join("secret"), true), |file| (PathBuf::from(file), false));
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        Ok(Config {
            database: database.unwrap_or_else(|| Target::Sqlite(data.join("bellwether.sqlite"))),
            data,
            listen,
            public_url,
            site,
            smtp,
            mail_from,
            secret_file,
            metrics_listen,
            trusted_proxies,
            log_format: log_format.unwrap_or(LogFormat::Text),
            abuse_budgets: abuse_budgets.unwrap_or(true),
        })
    }
}

fn parse_public_url(text: &str) -> Option<String> {
    let url: http::Uri = text.parse().ok()?;
    let fits = matches!(url.scheme_str(), Some("http" | "https"))
        && url.host().is_some_and(|host| !host.is_empty())
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && !text.contains('@');
    fits.then(|| text.trim_end_matches('/').to_owned())
}

fn parse_database_url(text: &str) -> Option<Target> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Some(Target::Postgres(text.to_owned()));
    }
    let file = text.strip_prefix("sqlite://")?;
    (!file.is_empty()).then(|| Target::Sqlite(PathBuf::from(file)))
}

fn parse_smtp_url(text: &str) -> Option<SmtpUrl> {
    let url: http::Uri = text.parse().ok()?;
    let host = url.host()?;
    let plain = match url.scheme_str() {
        Some("smtps") => false,
        Some("smtp") => is_loopback_host(host),
        _ => return None,
    };
    let starttls = url.scheme_str() == Some("smtp") && !plain;
    let mut url = text.trim_end_matches('/').to_owned();
    if starttls {
        url.push_str("?tls=required");
    }
    Some(SmtpUrl { url, plain, authorities: None })
}

fn parse_ranges(text: &str) -> Option<Vec<IpNet>> {
    text.split(',')
        .map(|range| {
            let range = range.trim();
            range.parse().ok().or_else(|| range.parse().ok().map(|ip: std::net::IpAddr| ip.into()))
        })
        .collect()
}

/// Whether a URL's or a `Host` header's host (without port) is this machine itself.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The generated page `docs/operating/configuration.md`.
#[must_use]
pub fn documentation() -> String {
    let mut page = String::from(
        "# Configuration\n\nGenerated by `cargo xtask docs` from `crates/base/src/config.rs`; do not edit.\n\n\
         A flag wins over the environment, the environment over the file, the file over the default. All faults are \
         reported together when the program starts, and by `bellwether check-config`.\n\n\
         | flag | environment | key in `bellwether.toml` | default | what it does |\n|---|---|---|---|---|\n",
    );
    for key in KEYS {
        let Key { name, env, value, default, help } = key;
        let value = value.replace('|', "\\|");
        page.push_str(&format!(
            "| `--{name} {value}` | `{env}` | `{name}` | {default} | {help} |\n"
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &str = "-----BEGIN CERTIFICATE-----\n…";

    fn read(
        flags: &[(&str, &str)],
        env: &[(&str, &str)],
        file: &str,
    ) -> Result<Config, Vec<Fault>> {
        let flags = flags.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let env: BTreeMap<String, String> =
            env.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Config::read(&flags, &|key| env.get(key).cloned(), &|path| match path
            .file_name()
            .and_then(|name| name.to_str())
        {
            Some("bellwether.toml") => Ok(file.to_owned()),
            Some("ca.pem") => Ok(CA.to_owned()),
            _ => Ok("x".to_owned()),
        })
    }

    #[test]
    fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
        let file =
            "listen = \"127.0.0.1:1\"\nlog-format = \"json\"\nmail-from = \"file@example.org\"";
        let env =
            [("BELLWETHER_LISTEN", "127.0.0.1:2"), ("BELLWETHER_MAIL_FROM", "env@example.org")];
        let config = read(&[("listen", "127.0.0.1:3")], &env, file).unwrap();
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.mail_from.as_deref(), Some("env@example.org"));
        assert_eq!(config.log_format, LogFormat::Json);
        assert!(config.abuse_budgets);
    }

    #[test]
    fn all_faults_are_reported_together() {
        let flags = [
            ("listen", "here"),
            ("database-url", "mysql://u:hush@x"),
            ("smtp-url", "http://u:hush@x"),
            ("log-format", "xml"),
            ("mail-from", "a b"),
        ];
        let faults = read(&flags, &[], "colour = \"red\"").unwrap_err();
        let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            ["colour", "listen", "database-url", "smtp-url", "mail-from", "log-format"]
        );
        assert!(
            !faults.iter().any(|fault| fault.to_string().contains("hush")),
            "no password in a message"
        );
    }

    #[test]
    fn an_unspecified_address_needs_a_public_url() {
        let faults = read(&[("listen", "0.0.0.0:80")], &[], "").unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].to_string().starts_with("public-url: is required"), "{}", faults[0]);
        let flags = [("listen", "0.0.0.0:80"), ("public-url", "https://www.example.org/")];
        let config = read(&flags, &[], "").unwrap();
        assert_eq!(config.public_url.as_deref(), Some("https://www.example.org"));
    }

    #[test]
    fn plain_smtp_goes_to_this_machine_only() {
        let smtp = |url| read(&[("smtp-url", url)], &[], "").unwrap().smtp.unwrap();
        assert!(smtp("smtp://127.0.0.1:2525").plain);
        assert!(smtp("smtp://localhost").plain);
        assert_eq!(smtp("smtp://mail.example.org").url, "smtp://mail.example.org?tls=required");
        assert_eq!(smtp("smtps://u:p@mail.example.org").url, "smtps://u:p@mail.example.org");
    }

    #[test]
    fn authorities_of_ones_own_are_read_from_a_file() {
        let url = ("smtp-url", "smtps://mail.example.org");
        let config = read(&[url, ("smtp-ca-file", "ca.pem")], &[], "").unwrap();
        assert_eq!(config.smtp.unwrap().authorities.as_deref(), Some(CA));
        let faults = read(&[url, ("smtp-ca-file", "notes.txt")], &[], "").unwrap_err();
        assert!(faults[0].to_string().starts_with("smtp-ca-file: notes.txt holds no certificate"));
        let faults = read(&[("smtp-ca-file", "ca.pem")], &[], "").unwrap_err();
        assert!(faults[0].to_string().contains("smtp-url is not set"), "{}", faults[0]);
    }
}
