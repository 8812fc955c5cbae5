use super::*;

fn exit(status: ExitStatus) -> Exit {
    Exit {
        status,
        user_time: Duration::from_micros(17),
        system_time: Duration::from_secs(3),
        resident_bytes_max: 1 << 40,
    }
}

#[test]
fn every_report_reads_as_it_was_written_and_no_other_bytes_do() {
    let failures = Step::ALL.map(|step| Report::NotStarted(Failure { step, errno: 13 }));
    let others = [
        Report::Started { pid: u32::MAX },
        Report::Ended(exit(ExitStatus::Code(255))),
        Report::Ended(exit(ExitStatus::Signal(9))),
    ];
    for report in failures.into_iter().chain(others) {
        let bytes = report.encode();
        assert!(bytes.len() <= REPORT_BYTES_MAX);
        assert_eq!(Report::decode(&bytes), Ok(report));
        assert_eq!(Report::decode(&bytes[..bytes.len() - 1]), Err(BadMessage));
        assert_eq!(Report::decode(&[&bytes[..], &[0]].concat()), Err(BadMessage));
    }
}

#[test]
fn every_order_reads_as_it_was_written_and_no_other_bytes_do() {
    for order in [Order::Terminate, Order::Kill] {
        assert_eq!(Order::decode(&order.encode()), Ok(order));
    }
    for bytes in [&b""[..], b"X", b"TT", b"TK"] {
        assert_eq!(Order::decode(bytes), Err(BadMessage));
    }
}
