//! Certificates of authorities that nobody else trusts, made with openssl.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes an authority: `NAME.pem` and `NAME.key`.
pub(crate) fn authority(folder: &Path, name: &str) {
    let subject = format!("/CN=Brevet test {name}");
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.pem"),
            "-subj",
            &subject,
        ],
    );
}

/// Makes a certificate that an authority signed: `NAME.pem` and `NAME.key`.
pub(crate) fn certificate(folder: &Path, authority: &str, name: &str, extension: &str) {
    let (request, extensions) = (format!("{name}.csr"), format!("{name}.ext"));
    fs::write(folder.join(&extensions), extension).unwrap();
    openssl(
        folder,
        &[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &request,
            "-subj",
            &format!("/CN={name}"),
        ],
    );
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &format!("{authority}.pem"),
            "-CAkey",
            &format!("{authority}.key"),
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &extensions,
            "-out",
            &format!("{name}.pem"),
        ],
    );
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
