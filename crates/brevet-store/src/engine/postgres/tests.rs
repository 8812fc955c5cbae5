#[path = "../../../tests/engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;

use std::time::Duration;

use brevet_store::DatabasePlace;
use cluster::Cluster;

use super::{Account, Fault, Purpose, Session};
use crate::engine::{Begin, Connection, Error, NONE, Value, params};

/// A table with a row for each number, and who may append holding the head.
const TABLES: &str = "CREATE TABLE head (one BIGINT PRIMARY KEY, size BIGINT NOT NULL);
    INSERT INTO head (one, size) VALUES (1, 7);
    CREATE TABLE number (number BIGINT PRIMARY KEY, even BIGINT NOT NULL CHECK (even % 2 = 0));";

fn address(place: &DatabasePlace) -> &str {
    let DatabasePlace::Postgres { address, .. } = place else { panic!("{place:?}") };
    address
}

fn connect(address: &str) -> Result<Connection, Fault> {
    Session::connect(&Account::parse(address, None)?, Purpose::Write).map(Connection::Postgres)
}

fn numbers(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM number", NONE, |row| row.get(0)).unwrap()
}

fn insert(connection: &Connection, number: i64, even: i64) -> Result<(), Error> {
    connection.execute_later("INSERT INTO number (number, even) VALUES (?1, ?2)", params![number, even])
}

#[test]
fn sessions_keep_their_bounds() {
    let cluster = Cluster::start();
    let place = cluster.database("bounds");
    let connection = connect(address(&place)).unwrap();
    connection.execute_batch(TABLES).unwrap();
    what_is_sent_ahead_is_committed_whole(&connection);
    one_failure_among_what_is_sent_ahead_undoes_everything(&connection);
    a_failure_that_nobody_asked_about_undoes_everything(&connection);
    rows_that_go_together_are_there_whole_or_not_at_all(&connection);
    a_session_that_was_ended_has_certainly_not_committed(address(&place));
    a_server_that_stops_in_a_transaction_holds_the_head_for_a_few_seconds(address(&place));
    the_first_host_that_takes_writes_is_used(&cluster);
}

fn what_is_sent_ahead_is_committed_whole(connection: &Connection) {
    let transaction = connection.begin(Begin::Write).unwrap();
    for number in 0..1_000 {
        insert(&transaction, number, number * 2).unwrap();
        if number == 500 {
            assert_eq!(numbers(&transaction), 501, "whoever asks sees what was sent before");
        }
    }
    transaction.commit().unwrap();
    assert_eq!(numbers(connection), 1_000);
}

fn one_failure_among_what_is_sent_ahead_undoes_everything(connection: &Connection) {
    for (odd, asked) in [(2_000, false), (2_099, false), (2_000, true), (2_050, true)] {
        let transaction = connection.begin(Begin::Write).unwrap();
        let sent =
            (2_000..2_100).try_for_each(|number| insert(&transaction, number, i64::from(number == odd)));
        let read = sent.and_then(|()| match asked {
            true => transaction.query_row("SELECT count(*) FROM number", NONE, |row| row.get::<_, i64>(0)),
            false => Ok(0),
        });
        let error = read.map_or_else(Err, |_| transaction.commit()).unwrap_err();
        assert!(!error.is_lost() && !error.is_uncertain(), "{error}");
        assert!(error.to_string().contains("number_even_check"), "{error}");
        assert_eq!(numbers(connection), 1_000, "nothing of it is there");
    }
}

fn a_failure_that_nobody_asked_about_undoes_everything(connection: &Connection) {
    let transaction = connection.begin(Begin::Write).unwrap();
    insert(&transaction, 3_000, 0).unwrap();
    transaction.execute("INSERT INTO number (number, even) VALUES (?1, ?2)", params![3_001, 1]).unwrap_err();
    let error = transaction.commit().unwrap_err();
    assert!(matches!(error, Error::Postgres(Fault::Aborted)), "{error}");
    assert_eq!(numbers(connection), 1_000, "nothing of it is there");
}

fn together(connection: &Connection, number: i64, even: i64) -> Result<(), Error> {
    connection
        .execute_together("INSERT INTO number (number, even) VALUES (?1, ?2)", params![number, even])
        .and_then(|()| {
            let values = params![number, even + 2];
            connection.execute_together("UPDATE number SET even = ?2 WHERE number = ?1", values)
        })
}

fn rows_that_go_together_are_there_whole_or_not_at_all(connection: &Connection) {
    for count in [1, 2, 47, 48, 49, 500] {
        let transaction = connection.begin(Begin::Write).unwrap();
        (6_000..6_000 + count).for_each(|number| together(&transaction, number, 0).unwrap());
        let read = "SELECT count(*) FROM number WHERE number >= 6000 AND even = 2";
        let seen: i64 = transaction.query_row(read, NONE, |row| row.get(0)).unwrap();
        assert_eq!(seen, count, "whoever asks sees them");
        drop(transaction);
        assert_eq!(numbers(connection), 1_000, "rolled back, they are gone");
    }
    let transaction = connection.begin(Begin::Write).unwrap();
    together(&transaction, 6_000, 0).unwrap();
    drop(transaction);
    assert_eq!(numbers(connection), 1_000, "what waited is forgotten with its transaction");
    // The first statement waits, and the one behind it begins the transaction.
    let transaction = connection.begin(Begin::Write).unwrap();
    together(&transaction, 6_000, 0).unwrap();
    insert(&transaction, 6_001, 0).unwrap();
    drop(transaction);
    assert_eq!(numbers(connection), 1_000, "nothing is written before it begins");
    for bad in [6_000, 6_047, 6_099] {
        let transaction = connection.begin(Begin::Write).unwrap();
        let sent =
            (6_000..6_100).try_for_each(|number| together(&transaction, number, i64::from(number == bad)));
        let error = sent.map_or_else(Err, |()| transaction.commit()).unwrap_err();
        assert!(!error.is_lost() && !error.is_uncertain(), "{error}");
        assert!(error.to_string().contains("number_even_check"), "{error}");
        assert_eq!(numbers(connection), 1_000, "nothing of it is there");
    }
    let questions: Vec<_> = (0..600).map(|number| vec![Value::Integer(number)]).collect();
    let mut found = Vec::new();
    let sql = "SELECT even FROM number WHERE number = ?1";
    let each = connection.prepare_cached(sql).unwrap().query_each(&questions, |place, row| {
        found.push((place, row.get::<_, i64>(0)?));
        Ok(())
    });
    each.unwrap();
    let expected: Vec<(usize, i64)> = (0..600).zip((0..).step_by(2)).collect();
    assert_eq!(found, expected);
}

fn a_session_that_was_ended_has_certainly_not_committed(address: &str) {
    let (victim, other) = (connect(address).unwrap(), connect(address).unwrap());
    let id: i64 = victim.query_row("SELECT pg_backend_pid()::bigint", NONE, |row| row.get(0)).unwrap();
    let transaction = victim.begin(Begin::Write).unwrap();
    insert(&transaction, 4_000, 0).unwrap();
    assert_eq!(numbers(&transaction), 1_001);
    other.execute_batch(&format!("SELECT pg_terminate_backend({id}, 10000)")).unwrap();
    let error = transaction.commit().unwrap_err();
    assert!(error.is_lost() && !error.is_uncertain(), "{error}");
    assert!(error.to_string().contains("administrator"), "{error}");
    assert!(victim.execute_batch("SELECT 1").unwrap_err().is_lost(), "and it stays lost");
    assert_eq!(numbers(&other), 1_000);
}

fn a_server_that_stops_in_a_transaction_holds_the_head_for_a_few_seconds(address: &str) {
    let (stopped, other) = (connect(address).unwrap(), connect(address).unwrap());
    let first = stopped.begin(Begin::Write).unwrap();
    assert_eq!(first.lock_head().unwrap(), 7);
    insert(&first, 5_000, 0).unwrap();
    // It does not go on. The other one waits for as long as PostgreSQL waits for the first, and no longer.
    let second = other.begin(Begin::Write).unwrap();
    assert_eq!(second.lock_head().unwrap(), 7);
    second.commit().unwrap();
    let error = first.commit().unwrap_err();
    assert!(error.is_lost() && !error.is_uncertain(), "{error}");
    assert_eq!(numbers(&other), 1_000);
}

fn the_first_host_that_takes_writes_is_used(cluster: &Cluster) {
    let replica = Cluster::start();
    let (place, other) = (cluster.database("hosts"), replica.database("hosts"));
    let read_only = "ALTER DATABASE hosts SET default_transaction_read_only = on";
    connect(address(&other)).unwrap().execute_batch(read_only).unwrap();
    let host = |address: &str| {
        let (_, host) = address.split_once('@').unwrap();
        host.split_once('/').unwrap().0.to_owned()
    };
    let (here, there) = (host(address(&place)), host(address(&other)));
    let found = connect(&format!("postgresql://postgres@%2Fnowhere,{there},{here}/hosts")).unwrap();
    found.execute_batch(TABLES).unwrap();
    let error = connect(&format!("postgresql://postgres@%2Fnowhere,{there}/hosts")).unwrap_err();
    assert!(error.is_lost(), "{error}");
    let said = error.to_string();
    assert!(said.contains("/nowhere/.s.PGSQL.5432") && said.contains("does not allow writes"), "{said}");
}

#[test]
fn each_host_of_an_address_is_looked_at() {
    for (address, wanted) in [
        ("postgresql://brevet@localhost,db.example.org/brevet", "not encrypted"),
        ("postgresql://brevet@localhost/brevet?hostaddr=192.0.2.1", "hostaddr"),
        ("postgresql://brevet@localhost/brevet?target_session_attrs=read-only", "cannot be written"),
        ("postgresql://brevet@localhost:1,localhost:2,localhost/brevet", ""),
        ("postgresql://brevet@localhost,%2Frun,db.example.org/brevet?sslmode=verify-full", ""),
        ("postgresql://brevet@localhost,%2Frun,db.example.org/brevet?connect_timeout=3&sslmode=require", ""),
        ("postgresql://brevet@db.example.org/brevet?sslmode=disable", "not encrypted"),
        ("postgresql://brevet@db.example.org/brevet?sslmode=prefer", "nothing in between"),
        ("postgresql://brevet@db.example.org/brevet?ssl%6Dode=require", "not encrypted"),
        ("postgresql://brevet@db.example.org/brevet?sslmode=require&sslmode=disable", "nothing in between"),
        ("postgresql://brevet@db.example.org/brevet?sslmode", "invalid connection string"),
        ("postgresql:///brevet?sslmode=require", "names no host"),
        ("host=db.example.org sslmode=require", "none of PostgreSQL"),
        ("postgresql://brevet@localhost,127.0.0.1,%2Frun/brevet?port=1,2", "each host has a port"),
    ] {
        match Account::parse(address, None) {
            Ok(account) => assert!(wanted.is_empty() && account.hosts().len() == 3, "{address}"),
            Err(fault) => {
                let said = fault.to_string();
                assert!(!wanted.is_empty() && said.contains(wanted), "{address}: {said}");
            }
        }
    }
}

#[test]
fn a_host_that_accepts_and_says_nothing_is_passed_over() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("postgresql://brevet@127.0.0.1:{}/brevet", silent.local_addr().unwrap().port());
    let fault = connect(&address).unwrap_err();
    assert!(fault.to_string().contains("no answer within"), "{fault}");
    assert!(super::account::CONNECT_TIMEOUT <= Duration::from_secs(5));
}
