//! Mail leaves over SMTP, once; what cannot be delivered ends in a state that says why.

use base::clock::{DAY_MS, MINUTE_MS};
use base::mail::{NewMessage, Row, deliver_due};

use crate::app::TestApp;
use crate::keeping_control::ada;
use crate::smtp::{MailServer, Mood};

/// Queues one mail to Ada.
async fn queue(app: &TestApp) -> String {
    let contact = ada(app).await;
    let now_ms = app.house.clock.now_ms();
    let id = app.house.chance.id(now_ms);
    let message = NewMessage {
        id: &id,
        kind: "preferences",
        contact_id: Some(&contact.id),
        to_address: &contact.address,
        params: serde_json::json!({}),
    };
    let mut tx = app.house.db.begin().await.unwrap();
    base::mail::queue(&mut tx, &message, now_ms).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn only_message(app: &TestApp) -> Row {
    let mut reader = app.house.db.reader().await.unwrap();
    let mut rows = base::mail::by_state(&mut reader, "").await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[tokio::test]
async fn a_mail_is_handed_over_once_with_the_headers_of_the_standards() {
    let app = TestApp::start().await;
    let server = MailServer::start().await;
    let id = queue(&app).await;
    assert_eq!(deliver_due(&app.house, &server.transport()).await.unwrap(), 1);
    assert_eq!(deliver_due(&app.house, &server.transport()).await.unwrap(), 0);
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    let mail = &taken[0];
    for header in [
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe: <http://127.0.0.1:8080/u/",
        "Content-Type: multipart/alternative",
        "To: ada@example.org",
        "MIME-Version: 1.0",
    ] {
        assert!(mail.contains(header), "{header} in {mail}");
    }
    assert!(mail.contains(&format!("Message-ID: <{id}@")));
    assert_eq!(mail.matches("\nDate: ").count() + usize::from(mail.starts_with("Date: ")), 1);
    assert!(!mail.contains("<img"));
    assert!(mail.lines().all(|line| line.len() <= 998));
    assert_eq!(only_message(&app).await.state, "sent");
}

#[tokio::test]
async fn a_refused_address_ends_in_failed_with_the_servers_words() {
    let app = TestApp::start().await;
    let server = MailServer::start().await;
    server.set(Mood::Refuses);
    queue(&app).await;
    deliver_due(&app.house, &server.transport()).await.unwrap();
    let message = only_message(&app).await;
    assert_eq!(message.state, "failed");
    assert!(message.last_error.unwrap().contains("5.1.1"), "the reason is kept");
    app.house.clock.advance(DAY_MS);
    assert_eq!(deliver_due(&app.house, &server.transport()).await.unwrap(), 0, "no retry of a 550");
}

#[tokio::test]
async fn a_mail_put_off_is_tried_again_later_and_given_up_after_four_days() {
    let app = TestApp::start().await;
    let server = MailServer::start().await;
    server.set(Mood::PutsOff);
    queue(&app).await;
    deliver_due(&app.house, &server.transport()).await.unwrap();
    assert_eq!(only_message(&app).await.state, "queued");
    assert_eq!(deliver_due(&app.house, &server.transport()).await.unwrap(), 0, "not at once");
    app.house.clock.advance(5 * MINUTE_MS);
    assert_eq!(deliver_due(&app.house, &server.transport()).await.unwrap(), 1);
    for _ in 0..20 {
        app.house.clock.advance(DAY_MS);
        deliver_due(&app.house, &server.transport()).await.unwrap();
    }
    let message = only_message(&app).await;
    assert_eq!(message.state, "failed");
    assert!(message.n_attempts < 8);
    let mut tx = app.house.db.begin().await.unwrap();
    let now_ms = app.house.clock.now_ms();
    assert!(base::mail::retry(&mut tx, &message.id, now_ms).await.unwrap(), "an operator may");
    tx.commit().await.unwrap();
    server.set(Mood::Takes);
    deliver_due(&app.house, &server.transport()).await.unwrap();
    assert_eq!(only_message(&app).await.state, "sent");
}

#[tokio::test]
async fn a_server_that_hangs_up_or_is_down_loses_nothing_and_the_message_id_stays() {
    let app = TestApp::start().await;
    let server = MailServer::start().await;
    server.set(Mood::HangsUp);
    let id = queue(&app).await;
    deliver_due(&app.house, &server.transport()).await.unwrap();
    assert_eq!(only_message(&app).await.state, "queued");
    server.set(Mood::Takes);
    app.house.clock.advance(5 * MINUTE_MS);
    deliver_due(&app.house, &server.transport()).await.unwrap();
    assert_eq!(only_message(&app).await.state, "sent");
    let taken = server.taken();
    assert!(taken.iter().all(|mail| mail.contains(&format!("Message-ID: <{id}@"))));
}
