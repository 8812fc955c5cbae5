//! The texts of one person go step by step, and others go on meanwhile.

use brevet_core::{Command, Reply, UserId};
use tokio::task::JoinSet;

use crate::house::{ADA, BOB, House, origin, request};

/// Requests of Bob's at once: fewer than one person may have pending.
const AT_ONCE: usize = 90;
const ROUNDS: usize = 12;

/// Bob asks and takes it back, over and over.
async fn much_of_bob(house: &House) {
    for _ in 0..ROUNDS {
        let mut asking = JoinSet::new();
        for _ in 0..AT_ONCE {
            let app = house.app.clone();
            asking.spawn(async move {
                let done = app.command(origin(BOB), Command::Submit(request(None)), None).await.unwrap();
                let Reply::Request(id) = done.reply else { panic!() };
                app.command(origin(BOB), Command::Cancel(id), None).await.unwrap();
            });
        }
        asking.join_all().await;
    }
}

async fn erasing(house: &House) -> Vec<UserId> {
    house.app.stored(brevet_store::Reader::erasing).await.unwrap()
}

/// Of how many entries of these the texts are there.
async fn reasons(house: &House) -> usize {
    let size = house.app.published().size;
    let everything = brevet_store::ExportFilter::default();
    let mut found = 0;
    let mut at = 0;
    while at < size {
        let stretch = house.app.stored({
            let everything = everything.clone();
            move |reader| reader.export(&everything, &(at..size))
        });
        let stretch = stretch.await.unwrap();
        found += stretch.entries.iter().filter(|entry| !entry.texts.is_empty()).count();
        at = stretch.next;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_between_the_steps_in_which_the_texts_of_one_person_go() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let others = reasons(&house).await;
    much_of_bob(&house).await;
    assert_eq!(reasons(&house).await, others + AT_ONCE * ROUNDS);
    house.by(ADA, Command::DisableUser(BOB)).await.unwrap();
    let erasure = {
        let app = house.app.clone();
        tokio::spawn(async move { app.erase_texts(origin(ADA), BOB, None).await })
    };
    // Ada's commands go through while the server still has some of what an entry says is gone.
    let (mut meanwhile, mut steps) = (0, 0);
    while !erasure.is_finished() {
        let Reply::Request(id) = house.by(ADA, Command::Submit(request(None))).await.unwrap().reply else {
            panic!()
        };
        house.by(ADA, Command::Cancel(id)).await.unwrap();
        meanwhile += usize::from(erasing(&house).await == [BOB]);
        steps += 1;
    }
    erasure.await.unwrap().unwrap();
    assert!(meanwhile > 3, "{meanwhile} of {steps} times");
    assert_eq!(erasing(&house).await, []);
    // Bob's name went with his reasons.
    assert_eq!(reasons(&house).await, others - 1 + steps);
}
