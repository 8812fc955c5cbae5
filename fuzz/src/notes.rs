//! Notes and what is written in them: checkpoints, cosignatures, receipts, keys, policies, the witness protocol.

use std::sync::LazyLock;

use brevet_ledger::{
    AddCheckpoint, Checkpoint, CosigningKey, KeyName, Note, NoteSignature, Origin, Policy, SigningKey,
    TlogProof, VerifierKey, leaf_hash,
};

/// The keys that every target knows: of a ledger and a witness whose seeds everybody knows, and those of the
/// specifications' examples.
static KEYS: LazyLock<Vec<VerifierKey>> = LazyLock::new(|| {
    let spec = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let public = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
    let parse = |text: &str| text.parse().expect("a key that the tests of the crate read too");
    vec![ledger_key().verifier().clone(), witness_key().verifier().clone(), parse(spec), parse(public)]
});

/// The checkpoint of `crates/brevet-ledger/vectors/v1.txt`.
const CHECKPOINT: &str = "ledger.example/sample\n20\n2Tr1jcObQn9G5CI/k/DIB9Lf92GxnhxMD1B2qHe3sh8=\n\n\
    — ledger.example/sample 62YRMypzWB42pQomEZP1iheKTas4uR9900baStCbdAN0WII7lF7N84QSWM26edZEuO7WClH14FWKQ7IZ6e4f7u10dAg=\n";

fn name(text: &str) -> KeyName {
    KeyName::parse(text).expect("a name of letters and dots")
}

fn ledger_key() -> SigningKey {
    SigningKey::from_seed(name("ledger.example/sample"), &[7; 32])
}

fn witness_key() -> CosigningKey {
    CosigningKey::from_seed(name("witness.example/1"), &[8; 32])
}

fn sample() -> Note {
    CHECKPOINT.parse().expect("the checkpoint of the vectors")
}

/// A signed note.
pub fn note(bytes: &[u8]) -> bool {
    let Some(note) = crate::read_and_print::<Note>(bytes) else { return false };
    let signers = note.verify(&KEYS).map_or(0, |signers| signers.len());
    let cosigners = note.cosignatures(&KEYS).map_or(0, |cosigners| cosigners.len());
    assert!(signers >= cosigners || note.verify(&KEYS).is_err(), "who cosigned also signed");
    true
}

/// Signature lines by themselves, as a witness answers.
pub fn signature_lines(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(lines) = NoteSignature::parse_lines(text) else { return false };
    let printed: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(printed, text);
    if let Ok(note) = sample().with_signature_lines(text, &KEYS) {
        assert!(note.verify(&KEYS).is_ok(), "what was added holds");
        assert_eq!(note.to_string().parse(), Ok(note));
    }
    true
}

/// The text of a checkpoint.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let Some(checkpoint) = crate::read_and_print::<Checkpoint>(bytes) else { return false };
    let again = Checkpoint::new(checkpoint.origin().clone(), checkpoint.size(), checkpoint.root());
    assert!(checkpoint.to_string().starts_with(&again.to_string()));
    if let Ok(note) = checkpoint.sign(&ledger_key()) {
        let opened = Checkpoint::open(&note, checkpoint.origin(), &KEYS);
        assert_eq!(opened, Ok(checkpoint), "what is signed is opened");
    }
    true
}

/// A verifier key.
pub fn verifier_key(bytes: &[u8]) -> bool {
    crate::read_and_print::<VerifierKey>(bytes).is_some()
}

/// A private key file, of a ledger or a witness.
pub fn private_key(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let line = text.strip_suffix('\n').unwrap_or(text);
    match (SigningKey::parse(text), CosigningKey::parse(text)) {
        (Ok(key), Err(_)) => key.reveal_text(|revealed| assert_eq!(revealed, line)),
        (Err(_), Ok(key)) => key.reveal_text(|revealed| assert_eq!(revealed, line)),
        (Ok(_), Ok(_)) => panic!("a key of both types"),
        (Err(_), Err(_)) => return false,
    }
    true
}

/// The bytes of a cosignature by a known witness: nobody makes one that holds without the private key.
pub fn cosignature(bytes: &[u8]) -> bool {
    let key = witness_key();
    let verifier = std::slice::from_ref(key.verifier());
    let line = NoteSignature::new(key.verifier().name().clone(), key.verifier().id(), bytes.to_vec());
    let Ok(note) = sample().with_signature(line) else { return false };
    let Ok(cosigned) = note.cosignatures(verifier) else { return false };
    let genuine = key.cosign(&sample(), cosigned[0].unix_seconds);
    assert_eq!(genuine.bytes(), bytes, "only what the key made holds");
    true
}

/// A trust policy.
pub fn policy(bytes: &[u8]) -> bool {
    let Some(policy) = crate::read_and_print::<Policy>(bytes) else { return false };
    let names: Vec<&str> = policy.witnesses().iter().map(|witness| witness.name.as_str()).collect();
    assert!(policy.is_quorum(&names), "all together are enough");
    assert_eq!(
        policy.is_quorum(&[]),
        !policy.has_quorum(),
        "nobody is enough only where nobody is asked for"
    );
    if let Ok(met) = policy.check(&sample()) {
        assert!(!policy.has_quorum() && met.witnessed.is_empty(), "nobody cosigned the sample");
    }
    true
}

/// The body of an add-checkpoint request.
pub fn add_checkpoint(bytes: &[u8]) -> bool {
    let Ok(body) = AddCheckpoint::parse(bytes) else { return false };
    assert_eq!(body.to_string().as_bytes(), bytes);
    true
}

/// A receipt.
pub fn tlog_proof(bytes: &[u8]) -> bool {
    let Some(proof) = crate::read_and_print::<TlogProof>(bytes) else { return false };
    let origin = Origin::parse("ledger.example/sample").expect("an origin");
    assert!(
        proof.verify(leaf_hash(b"never an entry"), &origin, &KEYS).is_err(),
        "nothing proves what never was"
    );
    true
}
