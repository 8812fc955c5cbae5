use crate::testing::{ORIGIN, key};
use crate::{
    Checkpoint, CosigningKey, Error, Hash, KeyName, KeyType, Note, NoteSignature, Origin, VerifierKey,
};

/// The example of C2SP tlog-cosignature.
const SPEC_NOTE: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

/// What that page says is signed.
const SPEC_MESSAGE: &str = "cosignature/v1
time 1679315147
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
";

/// A witness's seed (as a plain note key) and its verifier key, out of the tests of transparency-dev/tessera
/// (`append_lifecycle_test.go`, Apache-2.0).
const TESSERA_SEED: &str = "Vq3ou1kOLb/aTkJLoMwbMULJQNr8EQVGbpyZxMEZMyT";
const TESSERA_VKEY: &str = "Wit1+4dd489c8+BDd/u4KCwMnyfkbOqopYZJIGSuMxMnjGav6Pjb9W8Y3c";

/// The verifier key of a public witness, out of the tests of transparency-dev/formats (`note_cosigv1_test.go`,
/// BSD-3-Clause).
const REMORA_VKEY: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

fn witness(number: u8) -> CosigningKey {
    CosigningKey::from_seed(KeyName::parse(&format!("witness.example/{number}")).unwrap(), &[number; 32])
}

fn checkpoint() -> Note {
    let origin = Origin::parse(ORIGIN).unwrap();
    Checkpoint::new(origin, 5, Hash::from_bytes([9; 32])).sign(&key(ORIGIN)).unwrap()
}

fn cosigned(times: &[(u8, u64)]) -> Note {
    times.iter().fold(checkpoint(), |note, (number, time)| {
        let signature = witness(*number).cosign(&note, *time);
        note.with_signature(signature).unwrap()
    })
}

fn keys(numbers: &[u8]) -> Vec<VerifierKey> {
    numbers.iter().map(|number| witness(*number).verifier().clone()).collect()
}

/// Who cosigned, and when.
fn times(note: &Note, keys: &[VerifierKey]) -> Result<Vec<(String, u64)>, Error> {
    let cosigned = note.cosignatures(keys)?;
    Ok(cosigned.iter().map(|cosigned| (cosigned.key.name().to_string(), cosigned.unix_seconds)).collect())
}

#[test]
fn the_message_is_that_of_the_specification() {
    let note: Note = SPEC_NOTE.parse().unwrap();
    assert_eq!(super::message(1_679_315_147, note.text()), SPEC_MESSAGE);
}

#[test]
fn the_example_of_the_specification_has_the_form_that_is_written_here() {
    let note: Note = SPEC_NOTE.parse().unwrap();
    assert_eq!(note.to_string(), SPEC_NOTE);
    let theirs = &note.signatures()[1];
    let ours = witness(1).cosign(&note, 1_679_315_147);
    assert_eq!((theirs.name().as_str(), theirs.key_id()), ("witness.example.com/w1", 0x8d66_cf3f));
    assert_eq!(theirs.bytes().len(), ours.bytes().len());
    assert_eq!(theirs.bytes()[..8], ours.bytes()[..8], "the time, big-endian");
}

#[test]
fn keys_of_other_programs_are_read_and_made_alike() {
    for text in [TESSERA_VKEY, REMORA_VKEY] {
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!((key.key_type(), key.to_string()), (KeyType::Cosignature, text.to_owned()));
    }
    // Type 1 and the seed, as in a plain private key.
    let typed = crate::base64::decode(&format!("A{TESSERA_SEED}")).unwrap();
    let seed = typed[1..].try_into().unwrap();
    let key = CosigningKey::from_seed(KeyName::parse("Wit1").unwrap(), seed);
    assert_eq!(key.verifier().to_string(), TESSERA_VKEY);
}

#[test]
fn a_cosignature_says_who_and_when() {
    let note: Note = cosigned(&[(1, 1_700_000_000), (2, 0)]).to_string().parse().unwrap();
    let expected = vec![("witness.example/1".to_owned(), 1_700_000_000), ("witness.example/2".to_owned(), 0)];
    assert_eq!(times(&note, &keys(&[1, 2])), Ok(expected.clone()));
    assert_eq!(times(&note, &keys(&[1, 3])), Ok(expected[..1].to_vec()), "who is unknown is ignored");
    assert_eq!(times(&note, &[]), Ok(vec![]));
}

#[test]
fn of_two_cosignatures_by_one_witness_the_later_counts() {
    let note = cosigned(&[(1, 20), (1, 30), (1, 10)]);
    assert_eq!(times(&note, &keys(&[1])), Ok(vec![("witness.example/1".to_owned(), 30)]));
}

#[test]
fn a_cosignature_with_any_bit_changed_does_not_hold() {
    let good = witness(1).cosign(&checkpoint(), 1_700_000_000);
    let wrong = Err(Error::NoteSignatureWrong { name: "witness.example/1".to_owned() });
    for bit in 0..good.bytes().len() * 8 {
        let mut bytes = good.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let changed = NoteSignature::new(good.name().clone(), good.key_id(), bytes);
        let note = checkpoint().with_signature(changed).unwrap();
        assert_eq!(times(&note, &keys(&[1])), wrong, "bit {bit}");
    }
    for len in [0, 7, 8, 71] {
        let cut = NoteSignature::new(good.name().clone(), good.key_id(), good.bytes()[..len].to_vec());
        assert_eq!(times(&checkpoint().with_signature(cut).unwrap(), &keys(&[1])), wrong, "{len} bytes");
    }
}

#[test]
fn a_cosignature_is_over_the_whole_text_and_no_other() {
    let cosignature = witness(1).cosign(&checkpoint(), 7);
    let text = format!("{}an extension\n", checkpoint().text());
    let extended = Note::sign(&text, &key(ORIGIN)).unwrap();
    let wrong = Err(Error::NoteSignatureWrong { name: "witness.example/1".to_owned() });
    assert_eq!(times(&extended.with_signature(cosignature).unwrap(), &keys(&[1])), wrong);
}

#[test]
fn a_time_beyond_the_largest_is_neither_made_nor_believed() {
    let note = cosigned(&[(1, u64::MAX)]);
    let largest = 9_223_372_036_854_775_807;
    assert_eq!(times(&note, &keys(&[1])), Ok(vec![("witness.example/1".to_owned(), largest)]));
    let key =
        crate::key::KeyPair::from_seed(witness(1).verifier().name().clone(), KeyType::Cosignature, &[1; 32]);
    let time = largest + 1;
    let message = format!("cosignature/v1\ntime {time}\n{}", checkpoint().text());
    let beyond = key.sign_as_note(message.as_bytes(), &time.to_be_bytes());
    assert!(times(&checkpoint().with_signature(beyond).unwrap(), &keys(&[1])).is_err());
}

#[test]
fn signatures_of_one_type_are_none_of_the_other() {
    // One seed and name in both types: the ids differ, so neither is taken for the other.
    let name = || KeyName::parse("both").unwrap();
    let (log, cosigner) =
        (crate::SigningKey::from_seed(name(), &[1; 32]), CosigningKey::from_seed(name(), &[1; 32]));
    assert_ne!(log.verifier().id(), cosigner.verifier().id());
    assert!(log.verifier().is_same_key_as(cosigner.verifier()));
    let note = Note::sign(checkpoint().text(), &log).unwrap();
    assert_eq!(times(&note, &[cosigner.verifier().clone()]), Ok(vec![]));
    assert_eq!(times(&note, &[log.verifier().clone()]), Ok(vec![]), "a ledger's own key is no witness");
    // With the id of the other type forged, they do not hold.
    let forged = NoteSignature::new(name(), cosigner.verifier().id(), note.signatures()[0].bytes().to_vec());
    let note = Note::with_text(note.text(), forged).unwrap();
    assert!(times(&note, &[cosigner.verifier().clone()]).is_err());
    let cosignature = cosigner.cosign(&checkpoint(), 7);
    let forged = NoteSignature::new(name(), log.verifier().id(), cosignature.bytes().to_vec());
    let note = Note::with_text(checkpoint().text(), forged).unwrap();
    assert!(note.verify(&[log.verifier().clone()]).is_err());
}

#[test]
fn post_quantum_cosignatures_are_ignored_and_their_keys_refused() {
    let line = NoteSignature::new(KeyName::parse("witness.example/pq").unwrap(), 6, vec![6; 8 + 2420]);
    let note: Note = cosigned(&[(1, 7)]).with_signature(line).unwrap().to_string().parse().unwrap();
    assert_eq!(times(&note, &keys(&[1])), Ok(vec![("witness.example/1".to_owned(), 7)]));
    let key = crate::base64::encode(&[6; 1 + 1312]);
    let refused = Error::KeyTypeUnknown { name: "witness.example/pq".to_owned(), kind: 6 };
    assert_eq!(format!("witness.example/pq+00000006+{key}").parse::<VerifierKey>(), Err(refused.clone()));
    assert!(refused.to_string().contains("type 0x06"), "{refused}");
}

#[test]
fn what_a_witness_answers_is_put_under_the_note() {
    let known = keys(&[1, 2]);
    let answer = |signers: &[(u8, u64)]| {
        let lines = signers.iter().map(|(number, time)| witness(*number).cosign(&checkpoint(), *time));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let note =
        cosigned(&[(1, 10)]).with_signature_lines(&answer(&[(3, 1), (1, 20), (2, 5)]), &known).unwrap();
    assert_eq!(note.signatures().len(), 3, "the older gave way, and the unknown is not there");
    let expected = vec![("witness.example/1".to_owned(), 20), ("witness.example/2".to_owned(), 5)];
    assert_eq!(times(&note, &known), Ok(expected));
    assert_eq!(note.verify(&[key(ORIGIN).verifier().clone()]).map(|signers| signers.len()), Ok(1));

    let refused = |lines: &str| checkpoint().with_signature_lines(lines, &known).unwrap_err();
    assert_eq!(refused(&answer(&[(3, 1)])), Error::NoteUnsigned);
    assert_eq!(refused(""), Error::SignatureLines);
    assert_eq!(refused("\n"), Error::SignatureLines);
    assert_eq!(refused(answer(&[(1, 1)]).trim_end()), Error::SignatureLines);
    assert_eq!(refused("12\n"), Error::SignatureLines);
    let other = Note::sign("another\ntext\n", &key("k")).unwrap();
    let wrong = Error::NoteSignatureWrong { name: "witness.example/1".to_owned() };
    assert_eq!(refused(&format!("{}\n", witness(1).cosign(&other, 1))), wrong);
}

#[test]
fn a_witness_reads_its_own_private_key_only() {
    let text = witness(1).reveal_text(str::to_owned);
    assert!(text.starts_with("PRIVATE+KEY+witness.example/1+"), "{text}");
    assert_eq!(CosigningKey::parse(&format!("{text}\n")).unwrap().verifier(), witness(1).verifier());
    let ledger = key(ORIGIN).reveal_text(str::to_owned);
    assert_eq!(CosigningKey::parse(&ledger).map(|_| ()), Err(Error::CosigningKeyText));
    assert_eq!(crate::SigningKey::parse(&text).map(|_| ()), Err(Error::SigningKeyText));
    assert!(!format!("{:?}", witness(1)).contains("AQEBAQEB"));
}

/// A checkpoint of a public log with the cosignatures of public witnesses, as Certificate Transparency serves it.
const PUBLIC_NOTE: &str = "arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
";
const PUBLIC_LOG_VKEY: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";

#[test]
fn a_checkpoint_of_a_public_log_and_its_witness_verifies() {
    let note: Note = PUBLIC_NOTE.parse().unwrap();
    assert_eq!(note.to_string(), PUBLIC_NOTE);
    let witnesses = [REMORA_VKEY.parse().unwrap()];
    assert_eq!(times(&note, &witnesses), Ok(vec![("remora.n621.de".to_owned(), 1_779_573_024)]));
    let text = format!("log {PUBLIC_LOG_VKEY}\nwitness remora {REMORA_VKEY}\nquorum remora\n");
    let met = crate::Policy::parse(&text).unwrap().check(&note).unwrap();
    assert_eq!((met.checkpoint.size(), met.quorum_at), (1_432_088_532, Some(1_779_573_024)));
}
