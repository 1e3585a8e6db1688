//! What the tests need beyond cargo, and how it is got: apt as root on Debian, npm inside the project's own folder.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use crate::run::{find, output, run, say};
use crate::{browser, postgres};

/// Debian asks this file whether a package may start its daemon.
const POLICY_FILE: &str = "/usr/sbin/policy-rc.d";
/// Says no to every daemon.
const POLICY: &str = "#!/bin/sh\nexit 101\n";

/// One thing that some tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A PostgreSQL server's programs.
    Postgres,
    /// What shows a program's system calls.
    Strace,
    /// The browser.
    Chromium,
    /// What the HTML checker runs on.
    Java,
    /// What loads the browser tests' packages.
    Npm,
    /// What the browser tests run on.
    Node,
    /// The packages of the browser tests.
    NodePackages,
}

/// In the order of installation.
const ALL: [Need; 7] = [
    Need::Postgres,
    Need::Strace,
    Need::Chromium,
    Need::Java,
    Need::Npm,
    Need::Node,
    Need::NodePackages,
];

impl Need {
    /// What it is called, and for which tests it is needed.
    pub fn words(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL (the tests on it)",
            Self::Strace => "strace, allowed to trace (the tests of durability)",
            Self::Chromium => "Chromium (the browser tests)",
            Self::Java => "Java (the HTML checker of the browser tests)",
            Self::Npm => "npm (the browser tests)",
            Self::Node => "Node 20 or newer (the browser tests)",
            Self::NodePackages => "the packages of tests/browser (the browser tests)",
        }
    }

    /// How a person would get it.
    pub fn remedy(self) -> String {
        match self.npm_folder() {
            Some(folder) => format!("npm ci --prefix {folder}"),
            None => format!("apt-get install {}", self.debian_packages().join(" ")),
        }
    }

    /// Whether only the browser tests need it.
    pub fn is_for_browser(self) -> bool {
        !matches!(self, Self::Postgres | Self::Strace)
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Strace => &["strace"],
            Self::Chromium => &["chromium"],
            Self::Java => &["default-jre-headless"],
            Self::Npm => &["nodejs", "npm"],
            Self::Node | Self::NodePackages => &[],
        }
    }

    /// The project's own folder into which npm gets it, where npm does.
    fn npm_folder(self) -> Option<&'static str> {
        match self {
            Self::Node => Some(browser::NODE_FOLDER),
            Self::NodePackages => Some(browser::FOLDER),
            _ => None,
        }
    }

    fn is_met(self) -> bool {
        match self {
            Self::Postgres => postgres::programs().is_some(),
            Self::Strace => {
                output(Command::new("strace").args(["-o", "/dev/null", "true"])).is_some()
            }
            Self::Chromium => browser::chromium().is_some(),
            Self::Java => output(Command::new("java").arg("-version")).is_some(),
            Self::Npm => find("npm").is_some(),
            Self::Node => browser::node().is_some(),
            Self::NodePackages => are_node_packages_current(),
        }
    }
}

/// Whatever is lacking after trying to get it; nothing is installed unless `may_install`.
pub fn lacking(may_install: bool) -> Vec<Need> {
    let unmet = || ALL.into_iter().filter(|need| !need.is_met()).collect::<Vec<_>>();
    let lacks = unmet();
    for need in &lacks {
        say(&format!("lacking: {}", need.words()));
    }
    if lacks.is_empty() || !may_install {
        return lacks;
    }
    let packages: Vec<&str> =
        lacks.iter().flat_map(|need| need.debian_packages()).copied().collect();
    let mut outcomes = vec![if packages.is_empty() { Ok(()) } else { install_debian(&packages) }];
    // Debian's Node, just installed, may already do.
    outcomes.extend(unmet().into_iter().filter_map(Need::npm_folder).map(install_by_npm));
    for what in outcomes.into_iter().filter_map(Result::err) {
        say(&format!("not installed: {what}"));
    }
    unmet()
}

/// Whether this process is the administrator.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

fn install_debian(packages: &[&str]) -> Result<(), String> {
    if !Path::new("/etc/debian_version").is_file() {
        return Err(format!("this is not Debian: install {} yourself", packages.join(", ")));
    }
    if !is_root() {
        let all = packages.join(" ");
        return Err(format!("only root may: run `apt-get install {all}` as root"));
    }
    let _policy = NoDaemons::set()?;
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        run(command.args(["-q", "-y"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages].concat())
}

fn install_by_npm(folder: &str) -> Result<(), String> {
    if find("npm").is_none() {
        return Err(format!("{folder}: {} is not there", Need::Npm.words()));
    }
    run(Command::new("npm").args(["ci", "--prefix", folder, "--no-audit", "--no-fund"]))
}

/// Whether the installed packages are those of the lock file: npm keeps a copy of it beside them.
fn are_node_packages_current() -> bool {
    let versions = |file: &str| {
        let text = fs::read_to_string(format!("{}/{file}", browser::FOLDER)).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with("\"integrity\""));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let wanted = versions("package-lock.json");
    !wanted.is_empty() && wanted == versions("node_modules/.package-lock.json")
}

/// While it lives, no package starts a daemon; a policy that was there before stays as it was.
struct NoDaemons {
    is_ours: bool,
}

impl NoDaemons {
    fn set() -> Result<Self, String> {
        let made =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(POLICY_FILE);
        let mut file = match made {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return Ok(Self { is_ours: false });
            }
            Err(e) => return Err(format!("{POLICY_FILE}: {e}")),
        };
        let set = file.write_all(POLICY.as_bytes());
        let set = set.and_then(|()| file.set_permissions(fs::Permissions::from_mode(0o755)));
        set.map_err(|e| format!("{POLICY_FILE}: {e}"))?;
        Ok(Self { is_ours: true })
    }
}

impl Drop for NoDaemons {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(POLICY_FILE);
        }
    }
}
