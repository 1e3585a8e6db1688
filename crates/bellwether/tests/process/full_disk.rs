//! A disk that takes no more: nobody is told that something was kept when it was not, and when there is room again it goes on.

use std::process::Command;
use std::time::Duration;

use crate::program::{PROGRAM, Server, add_flags, said};
use crate::scratch::Scratch;

/// No file may grow beyond this: the schema and a few sign-ups fit.
const FILE_BYTES_MAX: u32 = 700_000;
/// More sign-ups than fit.
const SIGN_UPS_MAX: usize = 2_000;

#[tokio::test]
async fn a_full_disk_refuses_in_words_loses_nothing_and_recovers() {
    let scratch = Scratch::new().await;
    if scratch.url().is_some() {
        // The disk is then PostgreSQL's.
        return;
    }
    let server = Server::spawn(&mut with_small_disk(&scratch)).unwrap();
    let mut acknowledged = Vec::new();
    let refused = (0..SIGN_UPS_MAX).find_map(|n| {
        let email = format!("full{n}@example.org");
        let answer = server.sign_up(&email);
        if answer.status == 303 {
            acknowledged.push(email);
            return None;
        }
        Some((email, answer))
    });
    let (refused, answer) = refused.expect("the disk was full at some time");
    assert!(!acknowledged.is_empty());
    assert!([500, 503].contains(&answer.status), "{answer:?}");
    assert!(answer.body.contains("Reference") || answer.body.contains("reference"), "{answer:?}");
    assert_eq!(server.get("/").status, 200, "reading goes on");
    assert_eq!(server.get("/readyz").status, 503, "it is not ready for new work");

    let pid = server.pid().to_string();
    let room = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(room.unwrap().success());
    assert_eq!(server.sign_up(&refused).status, 303, "with room again it goes on");
    while server.get("/readyz").status != 200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    acknowledged.push(refused);
    server.stop();
    let contacts = said(&scratch, &["list", "contacts", "--csv"]);
    let missing: Vec<&String> =
        acknowledged.iter().filter(|email| !contacts.contains(email.as_str())).collect();
    assert!(missing.is_empty(), "acknowledged and not there: {missing:?}");
    assert_eq!(contacts.lines().count(), acknowledged.len() + 1, "and nobody else is");
}

/// The program under a limit on the size of files. The signal that comes with it is ignored, as a full disk sends none.
fn with_small_disk(scratch: &Scratch) -> Command {
    let mut command = Command::new("sh");
    let limit = format!("trap '' XFSZ; exec prlimit --fsize={FILE_BYTES_MAX}:unlimited \"$@\"");
    command.args(["-c", &limit, "sh", PROGRAM]);
    add_flags(&mut command, scratch);
    command
}
