//! The routes are those of the golden file, each has a permission, and the document is the one checked in.

use std::path::{Path, PathBuf};

use brevet::http::{document, route_list};

/// Compares with a checked-in file; `BREVET_BLESS=1` writes it.
#[expect(clippy::disallowed_methods, reason = "how a golden file is told to change")]
pub(crate) fn golden(path: &str, now: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BREVET_BLESS").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(now.lines()).find(|(kept, now)| kept != now);
    assert!(kept == now, "{} is not current ({differs:?}); write it with BREVET_BLESS=1", path.display());
}

#[test]
fn the_routes_are_those_that_were_reviewed() {
    golden("tests/golden/routes.txt", &route_list());
}

#[test]
fn the_document_is_the_one_checked_in() {
    golden("../../docs/openapi.json", &document());
}

#[test]
fn few_routes_are_public_and_the_document_says_the_permission_of_each() {
    let document: serde_json::Value = serde_json::from_str(&document()).unwrap();
    let mut public = 0;
    let mut documented = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let permission = operation["x-permission"].as_str().unwrap();
            public += usize::from(permission == "public");
            assert_eq!(operation["security"].is_null(), permission == "public", "{method} {path}");
            for response in operation["responses"].as_object().unwrap().values() {
                assert!(!response["description"].as_str().unwrap().is_empty(), "{method} {path}");
            }
            documented.push(format!("{:6} {path:50} {permission}\n", method.to_uppercase()));
        }
    }
    documented.sort_by_key(|line| line[7..].to_owned());
    let (documented, listed) = (documented.concat(), route_list());
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&documented), sorted(&listed));
    assert!(public <= 8, "{public} public routes");
}

#[test]
fn every_reference_in_the_document_leads_somewhere_and_operations_have_names_of_their_own() {
    let text = document();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    for reference in text.lines().filter_map(|line| line.trim().strip_prefix("\"$ref\": \"#")) {
        let pointer = reference.trim_end_matches(',').trim_end_matches('"');
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let mut names: Vec<_> = text.lines().filter(|line| line.trim().starts_with("\"operationId\"")).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
