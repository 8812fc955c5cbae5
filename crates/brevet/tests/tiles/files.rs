//! The files of the ledger, in process: what there is, who may read it, what caches may keep.

use axum::http::Method;
use brevet::app::App;
use serde_json::json;

use crate::office::{Answer, Office};

/// Entries of a full file.
const WIDTH: u64 = 256;

pub(crate) async fn file(office: &Office, who: Option<&str>, path: &str) -> Answer {
    office.send(who, Method::GET, &format!("/ledger/{path}"), None).await
}

/// Waits until the published checkpoint covers all that is durable.
pub(crate) async fn published(app: &App) -> u64 {
    let waiting = async {
        loop {
            let (durable, standing) = (app.published().size, app.standing());
            if standing.checkpointed == durable {
                return durable;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), waiting)
        .await
        .expect("a checkpoint is published in time")
}

async fn grow(office: &Office, size: u64) {
    while office.size() < size {
        let name = format!("Group {}", office.size());
        office.post("ada", "/groups", json!({"name": name})).await.ok();
    }
    published(&office.app).await;
}

#[tokio::test]
async fn the_checkpoint_is_for_everybody_and_for_no_cache() {
    let office = Office::open().await;
    published(&office.app).await;
    let note = file(&office, None, "checkpoint").await;
    assert_eq!(
        (note.status.as_u16(), &note.headers["content-type"]),
        (200, &"text/plain; charset=utf-8".parse().unwrap())
    );
    assert_eq!(note.headers["cache-control"], "no-store");
    let note = String::from_utf8(note.body).unwrap();
    assert_eq!(note.lines().next(), Some(office.app.ledger_origin()));
}

#[tokio::test]
async fn tiles_are_for_everybody_and_for_ever() {
    let office = Office::open().await;
    grow(&office, WIDTH + 1).await;
    for (path, bytes) in
        [("tile/0/000", 8_192), ("tile/0/001.p/1", 32), ("tile/1/000.p/1", 32), ("tile/0/000.p/7", 224)]
    {
        let tile = file(&office, None, path).await;
        assert_eq!((tile.status.as_u16(), tile.body.len()), (200, bytes), "{path}");
        assert_eq!(tile.headers["content-type"], "application/octet-stream");
        assert_eq!(tile.headers["cache-control"], "public, max-age=31536000, immutable");
    }
    let (part, whole) =
        (file(&office, None, "tile/0/000.p/255").await, file(&office, None, "tile/0/000").await);
    assert_eq!(part.body, whole.body[..255 * 32]);
}

#[tokio::test]
async fn what_the_ledger_does_not_have_is_not_found_and_not_cached() {
    let office = Office::open().await;
    let size = published(&office.app).await;
    assert!(size < WIDTH);
    let beyond = format!("tile/0/000.p/{}", size + 1);
    for path in [
        beyond.as_str(),
        "tile/0/000",
        "tile/1/000.p/1",
        "tile/0/001.p/1",
        "tile/entries/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/0",
        "tile/0/%30%30%30.p/1",
        "tile/00/000.p/1",
        "tile/64/000.p/1",
        "tile/-1/000.p/1",
        "tile/0/x000/000.p/1",
        "tile/0/99999999999999999999.p/1",
        "tile/data/000.p/1",
        "tile",
        "checkpoint/",
        "Checkpoint",
        "\u{e4}",
    ] {
        let path: String =
            path.chars().map(|c| if c.is_ascii() { c.to_string() } else { "%C3%A4".to_owned() }).collect();
        let found = file(&office, Some("aude"), &path).await;
        assert_eq!(found.status.as_u16(), 404, "{path}");
        assert_eq!(found.headers["cache-control"], "no-store", "{path}");
    }
    for path in ["tile//000", "tile/0/../0/000.p/1", "tile/0/000%2ep/1", "tile/0%2f000"] {
        assert_eq!(file(&office, None, path).await.status.as_u16(), 400, "{path}");
    }
    let asked = file(&office, None, "checkpoint?size=1").await;
    assert_eq!(asked.status.as_u16(), 400);
    let posted = office.send(Some("aude"), Method::POST, "/ledger/checkpoint", Some(json!({}))).await;
    assert_eq!(posted.status.as_u16(), 405);
}

#[tokio::test]
async fn entries_are_for_auditors_and_following_them_is_one_entry() {
    let office = Office::open().await;
    published(&office.app).await;
    let bundle = "tile/entries/000.p/5";
    for (who, status) in [(None, 401), (Some("rita"), 403), (Some("ada"), 403), (Some("anna"), 403)] {
        assert_eq!(file(&office, who, bundle).await.status.as_u16(), status, "{who:?}");
    }
    let before = office.size();
    let first = file(&office, Some("aude"), bundle).await;
    assert_eq!((first.status.as_u16(), office.size()), (200, before + 1));
    assert_eq!(first.headers["cache-control"], "no-store");
    for width in 1..=5 {
        let part = file(&office, Some("aude"), &format!("tile/entries/000.p/{width}")).await;
        assert_eq!(part.body, first.body[..part.body.len()]);
    }
    assert_eq!(office.size(), before + 1, "one session, one hour, one entry");
    let read = office.get("aude", "/audit/entries?kind=ledger.read").await.ok();
    let queries: Vec<_> =
        read["items"].as_array().unwrap().iter().map(|item| item["details"]["query"].clone()).collect();
    assert!(queries.contains(&json!("entries from 0 on, as files, for an hour")), "{queries:?}");
    // Hashes are nobody's secret, and reading them is no reading of the audit.
    let before = office.size();
    file(&office, Some("aude"), "tile/0/000.p/5").await;
    assert_eq!(office.size(), before);
}

#[tokio::test]
async fn entries_hold_no_personal_text() {
    let office = Office::open().await;
    let size = published(&office.app).await;
    let bundle = file(&office, Some("aude"), &format!("tile/entries/000.p/{size}")).await.body;
    let holds = |text: &str| bundle.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("access-control.enabled") && holds("Approvers"));
    for text in ["rita", "olaf", "approvers@example.org"] {
        assert!(!holds(text), "{text}");
    }
}

#[tokio::test]
async fn of_archived_entries_the_hashes_stay() {
    let office = Office::open().await;
    grow(&office, WIDTH + 10).await;
    let leaves = file(&office, None, "tile/0/000").await.body;
    let database = rusqlite::Connection::open(office.folder.path().join("data/brevet.db")).unwrap();
    database.execute("UPDATE entry SET bytes = x'' WHERE seq < 100", []).unwrap();
    for bundle in ["tile/entries/000", "tile/entries/000.p/1", "tile/entries/000.p/101"] {
        let gone = file(&office, Some("aude"), bundle).await;
        assert_eq!(gone.problem(410), "archived", "{bundle}");
    }
    assert_eq!(file(&office, Some("aude"), "tile/entries/001.p/10").await.status.as_u16(), 200);
    assert_eq!(file(&office, None, "tile/0/000").await.body, leaves);
}
