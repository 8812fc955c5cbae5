//! Every entry arrives at a real syslog receiver over TLS, whoever is killed in between.

use std::net::TcpListener;

use serde_json::Value;

use crate::between::{Ended, Ends, between, impatient};
use crate::receiver::Receiver;
use crate::support::certificates::authority;
use crate::support::patience::{timed, until};
use crate::support::place::Place;
use crate::support::server::refused;
use crate::support::stage::{Stage, TASKS};
use crate::{assert_complete, play, size};

fn settings(receiver: &Receiver, more: &str) -> String {
    settings_by(receiver.port, receiver, more)
}

/// The same where another port leads to the receiver.
fn settings_by(port: u16, receiver: &Receiver, more: &str) -> String {
    let ca = receiver.file("ca.pem");
    let ca = ca.display();
    format!("[[sink]]\nname = 'siem'\nkind = 'syslog'\naddress = '127.0.0.1:{port}'\nca = '{ca}'\n{more}\n")
}

fn stage(settings: &str) -> Stage {
    let place = Place::new();
    place.settings(settings);
    Stage::set_in(place, TASKS)
}

fn wait_for(receiver: &Receiver, size: u64) {
    let what = format!("{size} entries arrive");
    until(&what, || receiver.indices().iter().max().is_some_and(|last| last + 1 >= size));
}

#[test]
fn every_entry_arrives_in_order_and_as_it_is_in_the_ledger() {
    let receiver = Receiver::start();
    let stage = stage(&settings(&receiver, ""));
    play(&stage);
    let size = size(&stage);
    wait_for(&receiver, size);
    assert_complete(&receiver.indices(), size);
    until("health says so", || {
        let sink = stage.asks("ada", "audit status")["sinks"][0].clone();
        sink["problem"].is_null() && sink["sent"].as_u64() >= Some(size)
    });
    let entries = stage.entries();
    for message in receiver.received() {
        let Some(entry) = entries.get(usize::try_from(message.index()).unwrap()) else { continue };
        for field in ["index", "time", "kind", "details", "bytes", "texts", "leaf_hash"] {
            assert_eq!(message.body[field], entry[field], "{field} of {entry}");
        }
        assert_eq!(message.kind, entry["kind"].as_str().unwrap());
        let hash = format!("leafHash=\"{}\"", entry["leaf_hash"].as_str().unwrap());
        assert!(message.structured.contains(&hash), "{}", message.structured);
    }
    let of_kind = |kind: &str| receiver.received().into_iter().find(|message| message.kind == kind).unwrap();
    assert_eq!(of_kind("request.submitted").priority, 13 * 8 + 6);
    assert_eq!(of_kind("execution.refused").priority, 13 * 8 + 4);
    assert!(of_kind("execution.finished").structured.contains("request=\"req-1\""));
}

#[test]
fn other_formats_arrive_too_and_no_texts_where_none_are_wanted() {
    let receiver = Receiver::start();
    let stage =
        stage(&settings(&receiver, "format = 'ocsf'\ntexts = false\nfacility = 'local3'\napp_name = 'pam'"));
    play(&stage);
    let size = size(&stage);
    wait_for(&receiver, size);
    assert_complete(&receiver.indices(), size);
    for message in receiver.received() {
        let text = message.body.to_string();
        assert_eq!(message.body["metadata"]["version"], "1.8.0");
        assert_eq!(message.body["metadata"]["sequence"], message.index());
        assert!(
            !text.contains("alice") && !text.contains("Because") && !text.contains("127.0.0.1"),
            "{text}"
        );
    }
}

/// What it holds when it is killed is what its kernel took and it never read: the sender cannot know.
#[test]
fn nothing_is_lost_when_the_receiver_is_killed() {
    let mut receiver = Receiver::start();
    let stage = stage(&settings(&receiver, ""));
    stage.policy("Linux/Say", "");
    // One that is back before it was missed looks like one that cuts connections short; a fourth time the sink would not stay
    // connected, and a frozen one ends no connection.
    for _ in 0..3 {
        ask_and_cancel(&stage, 3);
        // Connected, that is.
        wait_for(&receiver, size(&stage));
        receiver.freeze();
        ask_and_cancel(&stage, 3);
        let size = size(&stage);
        until("all is sent", || {
            let sink = stage.asks("ada", "audit status")["sinks"][0].clone();
            sink["sent"].as_u64() >= Some(size)
        });
        receiver.kill();
        ask_and_cancel(&stage, 1);
        receiver.begin();
    }
    let size = size(&stage);
    wait_for(&receiver, size);
    assert_complete(&receiver.indices(), size);
}

fn ask_and_cancel(stage: &Stage, times: u32) {
    for _ in 0..times {
        let request = stage.request("carol", "--task Linux/Say");
        stage.types("carol", &format!("request cancel {request}"), 0);
    }
}

#[test]
fn nothing_is_lost_when_the_server_is_killed() {
    let mut receiver = Receiver::start();
    let mut stage = stage(&settings(&receiver, ""));
    stage.policy("Linux/Say", "");
    for round in 0..4 {
        ask_and_cancel(&stage, 3);
        // Both at once, every second time, with something on its way.
        if round % 2 == 1 {
            wait_for(&receiver, size(&stage));
            receiver.freeze();
            ask_and_cancel(&stage, 2);
            receiver.kill();
        }
        stage.crash_and_start_again();
        if round % 2 == 1 {
            receiver.begin();
        }
    }
    let size = size(&stage);
    wait_for(&receiver, size);
    assert_complete(&receiver.indices(), size);
}

#[test]
fn the_end_of_the_server_arrives_before_it_ends() {
    let receiver = Receiver::start();
    let stage = stage(&settings(&receiver, ""));
    let (_place, _people) = stage.stop();
    until("the end arrives", || receiver.received().last().is_some_and(|last| last.kind == "server.stopped"));
}

#[test]
fn a_receiver_that_wants_to_know_the_sender_is_shown_its_certificate() {
    let receiver = Receiver::start_demanding_certificates();
    let (certificate, key) = (receiver.file("client.pem"), receiver.file("client.key"));
    let client = format!("certificate = '{}'\nkey = '{}'", certificate.display(), key.display());
    let stage = stage(&settings(&receiver, &client));
    wait_for(&receiver, size(&stage));
}

#[test]
fn a_receiver_of_another_authority_or_name_gets_nothing_and_work_goes_on() {
    let receiver = Receiver::start();
    authority(receiver.file("").as_path(), "other");
    let wrong_authority = settings(&receiver, "").replace("ca.pem", "other.pem");
    let wrong_name = settings(&receiver, "server_name = 'siem.example.org'");
    for (settings, says) in [(wrong_authority, "UnknownIssuer"), (wrong_name, "not valid for name")] {
        let stage = stage(&settings);
        play(&stage);
        until("the trouble is told", || stage.server.errors().contains(says));
        assert!(stage.server.errors().contains("siem"), "{}", stage.server.errors());
        let sinks = |who: &str| stage.asks(who, "audit status")["sinks"].clone();
        assert!(
            sinks("otto")[0]["problem"].as_str().is_some_and(|why| why.contains(says)),
            "{}",
            sinks("otto")
        );
        assert_eq!(sinks("bob").as_array().map(Vec::len), Some(0), "not for everybody");
        assert!(receiver.received().is_empty(), "something was sent to a stranger");
    }
}

#[test]
fn a_receiver_that_never_answers_slows_nobody_down() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver = Receiver::start();
    let port = silent.local_addr().unwrap().port();
    let text = settings(&receiver, "").replace(&format!(":{}'", receiver.port), &format!(":{port}'"));
    let stage = stage(&text);
    let (took, ()) = timed(|| play(&stage));
    assert!(took.as_secs() < 20, "{took:?}");
    let ledger = stage.person("otto").connect(&stage.server).get("/api/v1/audit/checkpoint").unwrap().ok();
    assert!(ledger["size"].as_u64().unwrap() > 10, "{ledger}");
}

#[test]
fn a_sink_whose_files_are_wrong_stops_the_start() {
    let receiver = Receiver::start();
    let place = Place::new();
    for (from, to, says) in [("ca.pem", "none.pem", "none.pem"), ("ca.pem", "rsyslog.conf", "no certificate")]
    {
        place.settings(&settings(&receiver, "").replace(from, to));
        let typed = refused(&place);
        assert!(typed.code == 1 && typed.stderr.contains(says), "{typed:?}");
    }
    let key = receiver.file("server.key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let client =
        format!("certificate = '{}'\nkey = '{}'", receiver.file("server.pem").display(), key.display());
    place.settings(&settings(&receiver, &client));
    let typed = refused(&place);
    assert!(typed.code == 1 && typed.stderr.contains("chmod 600"), "{typed:?}");
}

/// Only a reader of the settings file can say where entries go.
#[test]
fn no_route_sets_a_sink() {
    let stage = stage("");
    let document: Value =
        stage.person("ada").connect(&stage.server).get("/api/v1/openapi.json").unwrap().ok();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let writes = methods.as_object().unwrap().keys().any(|method| method != "get");
        assert!(!(writes && path.contains("sink")), "{path}");
    }
}

/// Before which index everything counts as delivered.
fn position(stage: &Stage) -> u64 {
    let mut otto = stage.person("otto").connect(&stage.server);
    let ledger = otto.get("/api/v1/ledger").unwrap().ok();
    ledger["sinks"][0]["position"].as_u64().unwrap()
}

/// How often one entry may arrive where connections are cut short: until the sink knows that they are.
const ARRIVALS_MAX: usize = 8;

/// Plays, waits until everything counts as delivered, and looks at what arrived: all of it, none of it over and over.
fn comes_to_an_end(stage: &Stage, ended: &Ended, indices: impl Fn() -> Vec<u64>) {
    play(stage);
    for _ in 0..2 {
        ask_and_cancel(stage, 3);
        let size = size(stage);
        until("everything counts as delivered", || position(stage) >= size);
        let arrived = indices();
        assert_complete(&arrived, size);
        let most = (0..size).map(|index| arrived.iter().filter(|one| **one == index).count()).max();
        assert!(most <= Some(ARRIVALS_MAX), "one entry arrived {most:?} times");
    }
    assert!(ended.load(std::sync::atomic::Ordering::SeqCst) > 0, "no connection was quiet for too long");
}

#[test]
fn where_quiet_connections_are_cut_everything_arrives_and_the_repetition_ends() {
    for ends in [Ends::Plainly, Ends::ByReset] {
        let receiver = Receiver::start();
        let (port, ended) = between(receiver.port, ends);
        let stage = stage(&settings_by(port, &receiver, ""));
        comes_to_an_end(&stage, &ended, || receiver.indices());
    }
}

#[test]
fn a_receiver_that_ends_quiet_connections_in_order_gets_everything_once_and_no_more() {
    let receiver = Receiver::start();
    let (port, ended, received) = impatient(receiver.folder());
    let stage = stage(&settings_by(port, &receiver, ""));
    comes_to_an_end(&stage, &ended, || {
        let text = String::from_utf8_lossy(&received.lock().unwrap()).into_owned();
        let after = text.split("[brevet@32473 index=\"").skip(1);
        after.map(|rest| rest.split_once('"').unwrap().0.parse().unwrap()).collect()
    });
    let text = String::from_utf8_lossy(&received.lock().unwrap()).into_owned();
    assert_eq!(text.matches("[brevet@32473 index=\"0\"").count(), 1, "nothing was sent twice");
}
