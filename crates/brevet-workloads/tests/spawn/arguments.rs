//! What is given as an argument arrives as that argument.

use brevet_workloads::spawn::Launch;

use super::fixture::{probe, run};

fn check(arguments: &[Vec<u8>]) {
    let finished = run(probe("arguments", arguments));
    let mut received: Vec<_> = finished.stdout.split(|byte| *byte == 0).collect();
    assert_eq!(received.pop(), Some(&b""[..]), "every argument ends with a NUL");
    assert_eq!(received, arguments);
}

#[test]
fn metacharacters_of_every_shell_reach_the_program_as_they_are() {
    let corpus: &[&[u8]] = &[
        b"",
        b" ",
        b"a b\tc\nd\r\n",
        b"$HOME ${IFS} $(id) `id` $((1+1))",
        b"; id #",
        b"&& id || id & id | id",
        b"> /tmp/x < /dev/null >> x 2>&1 <<EOF",
        b"'single' \"double\" \\' \\\" \\\\ \\",
        b"* ? [a-z] {a,b} ~ ~root !! !$ ^a^b",
        b"-rf --help -- -oProxyCommand=id -",
        b"%s %n %00 %0a",
        b"=ls ,(x) @file (a) {a;}",
        b"\x1b]0;title\x07\x1b[31m",
        "\u{202e}reversed \u{feff} \u{200b} é e\u{301} 𝕏".as_bytes(),
        b"\xff\xfe\x80 not utf-8 \xc3",
        b"/dev/fd/3 /proc/self/environ ../../etc/passwd",
    ];
    check(&corpus.iter().map(|text| text.to_vec()).collect::<Vec<_>>());
}

#[test]
fn every_byte_but_nul_reaches_the_program_alone_and_between_others() {
    let alone = (1..=u8::MAX).map(|byte| vec![byte]);
    let between = (1..=u8::MAX).map(|byte| vec![b'a', byte, b'b']);
    check(&alone.chain(between).collect::<Vec<_>>());
}

#[test]
fn the_largest_argument_that_is_accepted_arrives() {
    let others = super::fixture::PROBE.len() + 1 + "arguments".len() + 1;
    check(&[vec![b'a'; Launch::ARGUMENTS_BYTES_MAX - others - 1]]);
}
