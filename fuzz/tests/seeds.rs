//! The kept seeds, out of the known answers of the formats and the specifications' examples.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{CosigningKey, KeyName, Note, append_to_bundle};

/// A target by its name.
type Target = (&'static str, fn(&[u8]) -> bool);

const TARGETS: &[Target] = &[
    ("add_checkpoint", brevet_fuzz::add_checkpoint),
    ("entry_bundle", brevet_fuzz::entry_bundle),
    ("checkpoint", brevet_fuzz::checkpoint),
    ("core_names", brevet_fuzz::core_names),
    ("cosignature", brevet_fuzz::cosignature),
    ("entry", brevet_fuzz::entry),
    ("entry_body", brevet_fuzz::entry_body),
    ("evidence_bundle", brevet_fuzz::evidence_bundle),
    ("export_file", brevet_fuzz::export_file),
    ("fetched_tiles", brevet_fuzz::fetched_tiles),
    ("note", brevet_fuzz::note),
    ("policy", brevet_fuzz::policy),
    ("private_key", brevet_fuzz::private_key),
    ("proofs", brevet_fuzz::proofs),
    ("right_edge", brevet_fuzz::right_edge),
    ("signature_lines", brevet_fuzz::signature_lines),
    ("tile_path", brevet_fuzz::tile_path),
    ("tlog_proof", brevet_fuzz::tlog_proof),
    ("verifier", brevet_fuzz::verifier),
    ("verifier_key", brevet_fuzz::verifier_key),
];

const LEDGER: &str = include_str!("../../crates/brevet-ledger/vectors/v1.txt");
const ENTRIES: &str = include_str!("../../crates/brevet-store/vectors/entries-v1.txt");
/// The example of C2SP tlog-cosignature.
const SPEC_COSIGNED: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";
/// The example of C2SP signed-note.
const SPEC_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const SPEC_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
/// The proof of the example of C2SP tlog-witness.
const SPEC_PROOF: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=
";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// Every seed: its target, its name and its bytes.
fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut seeds: Vec<(&'static str, String, Vec<u8>)> = Vec::new();
    let mut add = |target, name: &str, bytes: &[u8]| seeds.push((target, name.to_owned(), bytes.to_vec()));
    let checkpoint: Note = block("checkpoint ").parse().expect("the checkpoint of the vectors");
    let witness = CosigningKey::from_seed(KeyName::parse("witness.example/1").expect("a name"), &[8; 32]);
    let line = witness.cosign(&checkpoint, 1_767_225_600);
    let cosigned = checkpoint.clone().with_signature(line.clone()).expect("one more").to_string();

    add("note", "specification", SPEC_NOTE.as_bytes());
    add("note", "specification-cosigned", SPEC_COSIGNED.as_bytes());
    add("note", "cosigned", cosigned.as_bytes());
    add("signature_lines", "one", format!("{line}\n").as_bytes());
    add("signature_lines", "two", format!("{line}\n{}\n", checkpoint.signatures()[0]).as_bytes());
    add("checkpoint", "sample", checkpoint.text().as_bytes());
    add("checkpoint", "extended", format!("{}an extension\n", checkpoint.text()).as_bytes());
    add("cosignature", "genuine", line.bytes());
    add("verifier_key", "specification", SPEC_VKEY.as_bytes());
    add("verifier_key", "witness", witness.verifier().to_string().as_bytes());
    witness.reveal_text(|text| add("private_key", "witness", text.as_bytes()));
    add("private_key", "ledger", format!("{}\n", value("signing-key ")).as_bytes());
    add("policy", "groups", policy().as_bytes());
    add(
        "policy",
        "none",
        format!("# nobody\nlog {SPEC_VKEY} https://log.example\n\tquorum  none").as_bytes(),
    );
    add("add_checkpoint", "specification", format!("{SPEC_PROOF}\n{SPEC_COSIGNED}").as_bytes());
    add("add_checkpoint", "first", format!("old 0\n\n{checkpoint}").as_bytes());
    let proof = block("tlog-proof ");
    add("tlog_proof", "sample", proof.as_bytes());
    add("tlog_proof", "extra", proof.replacen("\nindex", "\nextra aGludA==\nindex", 1).as_bytes());
    for (name, path) in
        [("full", "tile/0/x001/x234/067"), ("partial", "tile/entries/273.p/112"), ("high", "tile/63/000")]
    {
        add("tile_path", name, path.as_bytes());
    }
    add("right_edge", "sample", &hex(value("edge ")));
    add("right_edge", "empty", &[0; 8]);
    let bundled: Vec<Vec<u8>> = values(LEDGER, "entry ").take(3).map(hex).collect();
    let mut bundle = vec![u8::try_from(bundled.len() - 1).expect("few")];
    bundled.iter().for_each(|entry| append_to_bundle(entry, &mut bundle).expect("short"));
    add("entry_bundle", "three", &bundle);
    add("verifier", "three", &bundle[1..]);
    let export = export(&bundled);
    add("export_file", "three", export.as_bytes());
    add("export_file", "later", export.replacen("\"first\":0", "\"first\":4096", 1).as_bytes());
    for (name, numbers) in [("first", [0_u64, 1, 1]), ("many", [1_234_567, 70_000, 10_000_000])] {
        let bytes = numbers.map(u64::to_be_bytes).concat();
        add("fetched_tiles", name, &bytes);
        add("proofs", name, &[bytes, vec![9; 32 * 20]].concat());
    }
    for (name, text) in [("span", "1h30m"), ("task", "Linux\\Restart-Service")] {
        add("core_names", name, text.as_bytes());
    }
    // Which request, and the entries.
    let mut all = vec![9];
    for line in ENTRIES.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (_, kind, entry) = (words.next(), words.next().expect("a kind"), words.next().map(hex));
        let entry = entry.expect("the bytes of an entry");
        let body = brevet_ledger::EntryRef::decode(&entry).expect("an entry").body.to_vec();
        append_to_bundle(&entry, &mut all).expect("an entry fits");
        add("entry", kind, &entry);
        add("entry_body", kind, &body);
    }
    add("evidence_bundle", "all-kinds", &all);
    seeds
}

/// An export of some entries, and the checkpoint of the vectors.
fn export(entries: &[Vec<u8>]) -> String {
    let key = value("verifier-key ");
    let size = entries.len();
    let mut lines = format!(
        "{{\"brevet\":\"ledger\",\"version\":1,\"origin\":\"ledger.example/sample\",\"keys\":[\"{key}\"],\"first\":0,\"size\":{size}}}\n"
    );
    for (index, entry) in entries.iter().enumerate() {
        let bytes = STANDARD.encode(entry);
        let text = |slot: usize| {
            let (salt, text) = (beside("salt", index, slot)?, beside("text", index, slot)?);
            Some(format!("{{\"slot\":{slot},\"salt\":\"{salt}\",\"text\":\"{text}\"}}"))
        };
        let texts: Vec<String> = (0..).map_while(text).collect();
        let texts = texts.join(",");
        lines += &format!(
            "{{\"index\":{index},\"kind\":\"request.submitted\",\"bytes\":\"{bytes}\",\"texts\":[{texts}]}}\n"
        );
    }
    let checkpoint = block("checkpoint ").replace('\n', "\\n");
    lines + &format!("{{\"checkpoint\":\"{checkpoint}\"}}\n")
}

/// The salt or text of a slot.
fn beside(name: &str, index: usize, slot: usize) -> Option<&'static str> {
    LEDGER.lines().find_map(|line| line.strip_prefix(&format!("{name} {index}.{slot} ")))
}

/// The example of C2SP tlog-policy, with keys.
fn policy() -> String {
    let witness = |number: u8| {
        let key =
            CosigningKey::from_seed(KeyName::parse(&format!("w{number}")).expect("a name"), &[number; 32]);
        format!("witness w{number} {} https://w{number}.example\n", key.verifier())
    };
    let witnesses: String = (1..=6).map(witness).collect();
    format!(
        "log {SPEC_VKEY}\n{witnesses}group X 2 w1 w2 w3\ngroup Y any w4 w5 w6\ngroup X-and-Y all X Y\nquorum X-and-Y\n"
    )
}

/// What stands on the lines that begin with the name and a place.
fn values<'t>(text: &'t str, name: &'static str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| line.strip_prefix(name)?.split_once(' ').map(|(_, value)| value))
}

fn value(name: &'static str) -> &'static str {
    values(LEDGER, name).next().expect("it is in the vectors")
}

/// What stands behind bars below the line that begins with the name.
fn block(name: &str) -> String {
    let lines = LEDGER.lines().skip_while(|line| !line.starts_with(name)).skip(1);
    lines.map_while(|line| line.strip_prefix('|')).flat_map(|line| [line, "\n"]).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// The same check that `scripts/fuzz` makes of the files, here without libFuzzer.
#[test]
fn every_target_reads_its_seeds() {
    for (name, target) in TARGETS {
        let files: Vec<_> = fs::read_dir(folder().join(name)).expect("a folder of seeds").collect();
        assert!(!files.is_empty(), "{name} has no seeds");
        for file in files {
            let path = file.expect("a file").path();
            assert!(target(&fs::read(&path).expect("its bytes")), "{}", path.display());
        }
    }
}

/// `cargo test --manifest-path fuzz/Cargo.toml write_the_seeds -- --ignored`, after a format got something new.
#[test]
#[ignore = "writes the files that the fuzz targets begin with"]
fn write_the_seeds() {
    for (target, name, bytes) in seeds() {
        let folder = folder().join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name), bytes).expect("a file");
    }
}
