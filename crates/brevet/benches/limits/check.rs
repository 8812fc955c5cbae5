//! A check over HTTP (token, JSON, decision) beside the same server answering a constant.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum_server::accept::NoDelayAcceptor;

use super::Outcome;
use super::measure::{Sizes, clock, float, folder, median};
use super::server::{self, Connection};
use super::table::{Bar, Line, Unit};

type Failure = Box<dyn std::error::Error>;

const PATH: &str = "/api/v1/check";
const CONNECTIONS: usize = 64;
const CONSTANT: &str = r#"{"allowed":true,"basis":"authorization","authorization":"aut-1","until":null}"#;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let data = folder()?;
    let (ours, constant) = runtime.block_on(async {
        let served = server::serve(data.path(), r#"["/usr/bin/true"]"#).await?;
        let constant = answer_a_constant()?;
        let ours = connect(served.address, &served.token).await?;
        Ok::<_, Failure>((ours, connect(constant, &served.token).await?))
    })?;
    let (mut ours, mut constant) = (ours, constant);
    let mut rates = (Vec::new(), Vec::new());
    for _ in 0..sizes.rounds {
        rates.0.push(runtime.block_on(ask(&mut ours, sizes))?);
        rates.1.push(runtime.block_on(ask(&mut constant, sizes))?);
    }
    Line {
        what: format!("checks over HTTP, {CONNECTIONS} connections"),
        limit_is: "the same server answering a constant",
        unit: Unit::PerSecond,
        ours: median(rates.0),
        limit: median(rates.1),
        bar: Bar::AtLeast(0.6),
    }
    .print();
    Ok(())
}

fn answer_a_constant() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let answer = || async { ([(CONTENT_TYPE, "application/json")], CONSTANT) };
    let router = Router::new().route(PATH, post(answer)).into_make_service();
    let server = axum_server::from_tcp(listener)?.http1_only().acceptor(NoDelayAcceptor::new());
    tokio::spawn(server.serve(router));
    Ok(address)
}

async fn connect(address: SocketAddr, token: &str) -> Result<Vec<Connection>, Failure> {
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(address, PATH, token, "application/json").await?;
        connection.ask().await?;
        connections.push(connection);
    }
    Ok(connections)
}

/// Answers per second, every connection asking again as soon as it has its answer.
async fn ask(connections: &mut Vec<Connection>, sizes: &Sizes) -> Result<f64, Failure> {
    let (start, round) = (clock(), sizes.round);
    let asking = connections.drain(..).map(|mut connection| {
        tokio::spawn(async move {
            let mut count = 0;
            while start.elapsed() < round {
                connection.ask().await?;
                count += 1;
            }
            Ok::<_, std::io::Error>((connection, count))
        })
    });
    let mut count = 0;
    for asked in asking.collect::<Vec<_>>() {
        let (connection, more) = asked.await??;
        connections.push(connection);
        count += more;
    }
    Ok(float(count) / start.elapsed().as_secs_f64())
}
