//! Two servers under load while something breaks, and what must be so afterwards.

use std::collections::BTreeSet;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::books::{Books, Sent};
pub(crate) use crate::load::TASKS;
use crate::load::{Known, PEOPLE, Worker};
use crate::pair::Pair;
use crate::support::dice::Dice;
use crate::support::http::Connection;

/// What was sent, and what was answered; `None` where nobody knows.
pub(crate) type Log = Vec<(Sent, Option<(u16, Value)>)>;

/// The books of a pair of servers.
pub(crate) struct Siege {
    known: Arc<Mutex<Known>>,
    books: Books,
    dice: Dice,
    rounds: u64,
}

/// People at work on one server.
pub(crate) struct Besiegers {
    workers: Vec<JoinHandle<Log>>,
    wires: Vec<TcpStream>,
}

impl Besiegers {
    /// They stop; answers what they did.
    pub(crate) fn stop(self) -> Log {
        for wire in &self.wires {
            drop(wire.shutdown(Shutdown::Both));
        }
        self.workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    }
}

impl Siege {
    pub(crate) fn begin(pair: &Pair) -> Self {
        let mut ada = pair.stage.person("ada").connect(&pair.stage.server);
        let known = Mutex::new(Known::default());
        for task in ["Linux/Append", "Linux/Linger"] {
            let policy = json!({"task": task, "approval_type": "manual"});
            let policy = ada.post("/api/v1/policies", &policy).unwrap().ok();
            known.lock().unwrap().policies.push(policy["id"].as_str().unwrap().to_owned());
        }
        let seed = u64::from(std::process::id());
        println!("seed {seed}");
        Self { known: Arc::new(known), books: Books::default(), dice: Dice::new(seed), rounds: 0 }
    }

    /// Everybody works on one of both servers, until that is gone or they are stopped.
    pub(crate) fn besiege(&mut self, pair: &Pair, number: usize) -> Besiegers {
        self.rounds += 1;
        let (mut workers, mut wires) = (Vec::new(), Vec::new());
        for who in PEOPLE {
            let connection = pair.stage.person(who).connect(pair.server(number));
            wires.push(connection.closer());
            let (known, dice) = (Arc::clone(&self.known), Dice::new(self.dice.next()));
            let name = format!("{who}-{number}-{}", self.rounds);
            let worker = Worker { who, dice, known, name };
            workers.push(std::thread::spawn(move || worker.work(connection)));
        }
        Besiegers { workers, wires }
    }

    /// What was acknowledged is there, what nobody knows is settled once, and nothing happened twice.
    pub(crate) fn check(&mut self, pair: &Pair, number: usize, logs: &[Log]) {
        let connect = |who: &str| pair.stage.person(who).connect(pair.server(number));
        let mut seer = connect("ada");
        let executions = all_executions(&mut seer);
        self.books.take_runs(&executions, &BTreeSet::new());
        for (sent, answer) in logs.iter().flatten() {
            match answer {
                Some((200..300, answered)) => self.books.check_acknowledged(sent, answered, &mut seer),
                Some((503, _)) | None => {}
                Some((500.., answered)) => panic!("{sent:?} broke a server: {answered}"),
                Some(_) => {}
            }
        }
        // Afterwards: a connection that nobody uses for ten seconds is closed.
        let is_unknown = |answer: &Option<(u16, Value)>| matches!(answer, None | Some((503, _)));
        for (sent, _) in logs.iter().flatten().filter(|(_, answer)| is_unknown(answer)) {
            self.books.check_repeated(sent, None, &mut connect(sent.who));
        }
        self.books.take_runs(&all_executions(&mut connect("ada")), &BTreeSet::new());
        println!("{:?}", self.books.checks);
    }

    /// Each effect once, and by a run that is on record.
    pub(crate) fn check_lines(&mut self, pair: &Pair) {
        let lines = std::fs::read_to_string(pair.stage.place.site("lines")).unwrap_or_default();
        self.books.check_lines(&lines);
    }
}

fn all_executions(seer: &mut Connection) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = seer.get(&format!("/api/v1/executions?limit=200{cursor}")).unwrap().ok();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}
