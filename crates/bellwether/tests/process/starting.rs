//! Starting, and every reason not to.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use base::db::{Conn, Db, Queries as _};

use crate::commands::list_until;
use crate::program::{PROGRAM, Server, add_flags, program, refused, run, text};
use crate::scratch::Scratch;
use crate::smtp::MailServer;

/// What, where, what to do.
fn assert_three_lines(said: &str) {
    let lines: Vec<&str> = said.lines().collect();
    let heads: Vec<_> = lines.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(heads, ["bellwether", "  where", "  to do"], "{said}");
}

#[tokio::test]
async fn it_says_where_it_listens_and_answers_there() {
    let scratch = Scratch::new().await;
    let server = Server::start(&scratch, &[]);
    assert_eq!(server.get("/").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.get("/healthz").body.trim(), "ok");
    let mode = std::fs::metadata(scratch.data().join("secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.stop();
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let scratch = Scratch::new().await;
    let server = Server::start(&scratch, &[]);
    let said = refused(&scratch, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("another Bellwether is using"), "{said}");
    assert_three_lines(&said);
    server.stop();
    Server::start(&scratch, &[]).stop();
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused_wherever_its_data_directory_is() {
    let (scratch, elsewhere) = (Scratch::new().await, Scratch::new().await);
    if scratch.url().is_some() {
        // Several nodes may share a PostgreSQL database.
        return;
    }
    let server = Server::start(&scratch, &[]);
    let file = format!("sqlite://{}", scratch.data().join("bellwether.sqlite").display());
    let said = refused(&elsewhere, &["serve", "--listen", "127.0.0.1:0", "--database-url", &file]);
    assert!(said.contains("another Bellwether is using"), "{said}");
    assert_three_lines(&said);
    server.stop();
}

#[tokio::test]
async fn records_of_a_newer_version_are_refused_and_left_alone() {
    let scratch = Scratch::new().await;
    Server::start(&scratch, &[]).stop();
    let db = Db::open(&scratch.target()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let newer = "UPDATE _sqlx_migrations SET version = 9000 WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    match tx.conn() {
        Conn::Sqlite(conn) => sqlx::query(newer).execute(conn).await.map(|_| ()).unwrap(),
        Conn::Postgres(conn) => sqlx::query(newer).execute(conn).await.map(|_| ()).unwrap(),
    }
    tx.commit().await.unwrap();
    db.close().await;
    let said = refused(&scratch, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("newer version of Bellwether (schema 9000"), "{said}");
    assert!(refused(&scratch, &["list", "contacts"]).contains("newer version"));
}

#[tokio::test]
async fn every_fault_of_the_configuration_is_told_at_once() {
    let scratch = Scratch::new().await;
    let said = refused(&scratch, &["--listen", "here", "--log-format", "xml"]);
    assert_eq!(said.lines().filter(|line| line.starts_with("bellwether: ")).count(), 2, "{said}");
    assert!(said.contains("  where: listen\n") && said.contains("  where: log-format\n"), "{said}");
    assert!(said.contains("  to do: Write text or json."), "{said}");
    assert_eq!(run(&scratch, &["check-config"]).status.code(), Some(0));
}

#[tokio::test]
async fn a_certificate_that_is_none_is_told_before_and_at_the_start() {
    let scratch = Scratch::new().await;
    let file = scratch.data().join("ca.pem");
    let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let mail = ["--smtp-url", "smtps://mail.example.org", "--smtp-ca-file", &file];
    for command in [["check-config"].as_slice(), &["serve", "--listen", "127.0.0.1:0"]] {
        let said = refused(&scratch, &[command, &mail].concat());
        assert!(said.contains("where: smtp-ca-file"), "{said}");
        assert_three_lines(&said);
    }
}

#[tokio::test]
async fn without_a_mail_server_only_this_machine_is_served() {
    let scratch = Scratch::new().await;
    let flags = ["serve", "--listen", "127.0.0.1:0", "--public-url", "https://www.example.org"];
    let said = refused(&scratch, &flags);
    assert!(said.contains("where: smtp-url"), "{said}");
    assert_three_lines(&said);
}

#[tokio::test]
async fn every_address_of_the_machine_needs_a_public_url() {
    let scratch = Scratch::new().await;
    for address in ["0.0.0.0:0", "[::]:0"] {
        let said = refused(&scratch, &["serve", "--listen", address]);
        assert!(said.contains("  where: public-url\n"), "{said}");
        assert!(said.contains("is required when listening on") && said.contains("https://"));
        assert_three_lines(&said);
    }
}

#[tokio::test]
async fn serving_without_budgets_is_warned_of() {
    let scratch = Scratch::new().await;
    let server = Server::start(&scratch, &[]);
    server.wait_for_log("abuse-budgets is off");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_a_file_works_and_one_in_a_wrong_url_is_not_repeated() {
    let scratch = Scratch::new().await;
    let mail_server = MailServer::start().await;
    let file = scratch.data().join("smtp-url");
    std::fs::write(&file, format!("{}\n", mail_server.url)).unwrap();
    let mut command = program(&scratch);
    let server = Server::spawn(command.env("BELLWETHER_SMTP_URL_FILE", &file)).unwrap();
    server.sign_up("ada@example.org");
    assert_eq!(server.get("/mailbox").status, 404, "there is a real mail server");
    list_until(&scratch, "sent", 1);
    assert_eq!(mail_server.taken().len(), 1);
    server.stop();
    let wrong = [
        "check-config",
        "--database-url",
        "mysql://ada:geheim@h/d",
        "--smtp-url",
        "imap://ada:geheim@h",
    ];
    let said = refused(&scratch, &wrong);
    assert!(said.contains("where: database-url") && said.contains("where: smtp-url"), "{said}");
    assert!(!said.contains("geheim"), "{said}");
}

#[tokio::test]
async fn a_database_out_of_reach_is_worth_another_try() {
    let scratch = Scratch::new().await;
    let url = ["--database-url", "postgres://nobody@127.0.0.1:1/none"];
    let output = run(&scratch, &[&["serve", "--listen", "127.0.0.1:0"], url.as_slice()].concat());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("connecting to PostgreSQL"), "{said}");
}

#[tokio::test]
async fn it_says_its_version() {
    let scratch = Scratch::new().await;
    let version = format!("bellwether {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&program(&scratch).arg("--version").output().unwrap().stdout), version);
}

#[tokio::test]
async fn a_port_in_use_is_told_in_words() {
    let scratch = Scratch::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&scratch, &["serve", "--listen", &address]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "another moment the port may be free");
    assert!(said.contains("where: listen") && said.contains("Name a free port"), "{said}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_told_in_words() {
    let scratch = Scratch::new().await;
    let data = scratch.data();
    let readable = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(data, readable).unwrap();
    let mut command = as_nobody(scratch.data().parent().unwrap());
    add_flags(&mut command, &scratch);
    let output = command.args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot be written (Permission denied"), "{said}");
    assert_three_lines(&said);
}

/// The program as somebody for whom permissions count: root is let through everywhere.
fn as_nobody(folder: &std::path::Path) -> Command {
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        return Command::new(PROGRAM);
    }
    // Nobody may not be able to reach the build folder, so the program goes where they can.
    let copy = folder.join(format!("bellwether-{}", std::process::id()));
    if std::fs::hard_link(PROGRAM, &copy).is_err() {
        std::fs::copy(PROGRAM, &copy).unwrap();
    }
    let mut command = Command::new("setpriv");
    let _ = folder;
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(copy);
    command
}

#[tokio::test]
async fn lost_key_with_records_there_is_refused_rather_than_replaced() {
    let scratch = Scratch::new().await;
    if scratch.url().is_some() {
        // Where nodes share a database the key comes from elsewhere, and a new data directory is no sign of loss.
        return;
    }
    Server::start(&scratch, &[]).stop();
    std::fs::remove_file(scratch.data().join("secret")).unwrap();
    let said = refused(&scratch, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("where: secret-file"), "{said}");
}

#[tokio::test]
async fn help_shows_every_key_wherever_it_is_asked_for() {
    let scratch = Scratch::new().await;
    for words in [vec!["--help"], vec!["serve", "--help"], vec!["list", "contacts", "--help"]] {
        let output = program(&scratch).args(&words).output().unwrap();
        let help = text(&output.stdout);
        for key in base::config::KEYS {
            assert!(help.contains(&format!("--{} <{}>", key.name, key.value)), "{words:?}: {help}");
            assert!(help.contains(key.env), "{words:?}: {}", key.env);
        }
    }
    let help = text(&program(&scratch).arg("--help").output().unwrap().stdout);
    for command in
        ["serve", "check-config", "list", "messages", "backup", "restore", "init", "instrument"]
    {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
    }
}
