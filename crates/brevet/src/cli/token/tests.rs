use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use brevet_wire::{SecretText, Time};

use super::{Kept, TokenFile, Tokens};

fn tokens() -> Tokens {
    let kept =
        Kept { user: "maria".into(), token: SecretText::new("t0k".into()), expires_at: Time::from_micros(0) };
    Tokens { current: Some("http://a".into()), servers: [("http://a".into(), kept)].into() }
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_saved_is_loaded_and_only_its_owner_can_read_it() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("config/brevet");
    let file = TokenFile::in_folder(&folder);
    assert!(file.load().unwrap().servers.is_empty(), "no file is nobody");
    file.save(&tokens()).unwrap();
    file.save(&tokens()).unwrap();
    assert_eq!((mode(&folder), mode(file.path())), (0o700, 0o600));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    let loaded = file.load().unwrap();
    assert_eq!(loaded.current.as_deref(), Some("http://a"));
    loaded.servers["http://a"].token.reveal(|token| assert_eq!(token, "t0k"));
}

#[test]
fn a_file_or_folder_that_others_can_reach_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("brevet");
    let file = TokenFile::in_folder(&folder);
    file.save(&tokens()).unwrap();
    for wide in [0o640, 0o604, 0o620, 0o644, 0o666] {
        fs::set_permissions(file.path(), Permissions::from_mode(wide)).unwrap();
        let sentence = file.load().unwrap_err().to_string();
        assert!(sentence.contains(&format!("{wide:04o}")) && sentence.contains("chmod 600"), "{sentence}");
    }
    fs::set_permissions(file.path(), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    assert!(file.load().unwrap_err().to_string().contains("chmod 700"));
    assert!(file.save(&tokens()).is_err());
}

#[test]
fn a_link_is_not_followed_and_damage_is_said() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("brevet");
    let file = TokenFile::in_folder(&folder);
    file.save(&tokens()).unwrap();
    fs::write(file.path(), "{").unwrap();
    assert!(file.load().unwrap_err().to_string().contains("damaged"));
    let elsewhere = folder.join("elsewhere");
    fs::rename(file.path(), &elsewhere).unwrap();
    symlink(&elsewhere, file.path()).unwrap();
    assert!(file.load().is_err());
}
