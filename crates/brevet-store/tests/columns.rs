//! What is verified is what a server reads: columns by their names, wherever they are in a row. What is verified is a file.

#![expect(clippy::unwrap_used, reason = "the sample organization is set up with them")]

#[path = "engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "engines/engine.rs"]
#[expect(unused_macros, reason = "what is verified is a file")]
#[expect(dead_code, reason = "other tests use the rest")]
mod engine;
#[path = "search/ledger.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod ledger;
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use brevet_ledger::Finding;
use brevet_store::{Discrepancy, verify_folder};
use engine::Engine;
use ledger::{Dice, Ledger};
use rusqlite::Connection;

const OTHER_BYTES: &str = "ALTER TABLE entry RENAME COLUMN bytes TO before;
    ALTER TABLE entry ADD COLUMN bytes BLOB NOT NULL DEFAULT x'';
    UPDATE entry SET bytes = before;
    UPDATE entry SET bytes = (SELECT before FROM entry WHERE seq = 4) WHERE seq = 5;";
const OTHER_LEAF: &str = "ALTER TABLE entry RENAME COLUMN leaf TO before;
    ALTER TABLE entry ADD COLUMN leaf BLOB NOT NULL DEFAULT x'';
    UPDATE entry SET leaf = before;
    UPDATE entry SET leaf = zeroblob(32) WHERE seq = 5;";
const OTHER_TEXT: &str = "ALTER TABLE entry_text RENAME COLUMN value TO before;
    ALTER TABLE entry_text ADD COLUMN value TEXT NOT NULL DEFAULT '';
    UPDATE entry_text SET value = before;
    UPDATE entry_text SET value = 'mallory' WHERE (seq, slot) = (SELECT seq, slot FROM entry_text ORDER BY seq DESC LIMIT 1);";

#[test]
fn columns_that_were_put_in_place_of_others_are_those_that_are_verified() {
    for sql in [OTHER_BYTES, OTHER_LEAF, OTHER_TEXT] {
        let home = Engine::Folder.home();
        let ledger = Ledger::written(&home, &mut Dice(14), 20, 10);
        let path = ledger.store.folder().path().to_owned();
        drop(ledger);
        verify_folder(&path, None, &[], &|_, _| ()).unwrap();
        Connection::open(path.join("brevet.db")).unwrap().execute_batch(sql).unwrap();
        let found = verify_folder(&path, None, &[], &|_, _| ());
        let is_found = matches!(
            found,
            Err(Discrepancy::Ledger(
                Finding::Changed { .. } | Finding::Reordered { .. } | Finding::TextDiffers { .. }
            ))
        );
        assert!(is_found, "{sql}: {found:?}");
    }
}
