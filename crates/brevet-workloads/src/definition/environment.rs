//! The variables of a task: fixed values, and no name that changes which code a program loads or starts.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::limit::{VARIABLES_BYTES_MAX, VARIABLES_MAX};
use super::problem::Report;
use super::section::{Section, named};

/// Names that begin like this load or start code, or are Brevet's own.
const REFUSED_BEGINNINGS: [&str; 17] = [
    "BASH_FUNC_",
    "BREVET_",
    "DYLD_",
    "GIT_",
    "GLIBC_",
    "LD_",
    "LESS",
    "MALLOC_",
    "NODE_",
    "PERL",
    "PYTHON",
    "RUBY",
    "SSH_",
    "TERMCAP",
    "TERMINFO",
    "TERMPATH",
    "_RLD",
];

/// The same, whole: those of the shells, the C library, the terminal libraries and the common interpreters.
const REFUSED: [&str; 40] = [
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "CDPATH",
    "CLASSPATH",
    "EDITOR",
    "ENV",
    "FPATH",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLOBIGNORE",
    "HOSTALIASES",
    "IFS",
    "INPUTRC",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LOCALDOMAIN",
    "LOCPATH",
    "LUA_INIT",
    "LUA_PATH",
    "MANPAGER",
    "NIS_PATH",
    "NLSPATH",
    "NULLCMD",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "PAGER",
    "PATH_LOCALE",
    "PHPRC",
    "PROMPT_COMMAND",
    "PS4",
    "READNULLCMD",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "SHELLOPTS",
    "SYSTEMD_PAGER",
    "TMPPREFIX",
    "VISUAL",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];

/// Reads `environment = { NAME = "value" }`.
pub(super) fn read(section: &Section<'_>, report: &mut Report) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let Some(table) = section.table("environment", "the environment", report) else { return variables };
    for (name, value) in table.entries() {
        let DeValue::String(text) = value.get_ref() else {
            let sentence =
                format!("the variable {} must be a string, not {}", name.value, named(value.get_ref()));
            report.add(name.at, sentence, "write it in quotation marks");
            continue;
        };
        if let Err((sentence, hint)) = check(name.value, text) {
            report.add(name.at, sentence, hint);
        }
        variables.insert(name.value.to_owned(), text.clone().into_owned());
    }
    let bytes: usize = variables.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if variables.len() > VARIABLES_MAX || bytes > VARIABLES_BYTES_MAX {
        let sentence = "the environment is too large";
        let hint = format!("at most {VARIABLES_MAX} variables and {VARIABLES_BYTES_MAX} bytes: use a file");
        report.add(table.at, sentence, hint);
    }
    variables
}

fn check(name: &str, value: &str) -> Result<(), (String, &'static str)> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(letter) || name.starts_with(|c: char| c.is_ascii_digit()) {
        let sentence = format!("'{name}' cannot be the name of a variable");
        return Err((sentence, "a name is letters, digits and _, and begins with no digit"));
    }
    if REFUSED.contains(&name) || REFUSED_BEGINNINGS.iter().any(|begin| name.starts_with(begin)) {
        let sentence = format!("the variable {name} is not given to tasks: it can change what code runs");
        return Err((sentence, "use an option or a configuration file of the program"));
    }
    if value.contains('\0') {
        return Err((format!("the variable {name} holds the character NUL"), "remove it"));
    }
    if value.starts_with("()") {
        let sentence = format!("the variable {name} reads like a shell function");
        return Err((sentence, "write another value"));
    }
    match name {
        "PATH" if !value.split(':').all(|folder| folder.starts_with('/')) => {
            let sentence = "each folder of PATH must begin with /".to_owned();
            Err((sentence, "a relative or empty one is the working directory"))
        }
        "TZ" if value.starts_with([':', '/']) || value.contains("..") => {
            Err(("TZ must not name a file".to_owned(), "write a zone such as \"Europe/Paris\" or \"UTC\""))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_that_change_what_runs_are_refused() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "GCONV_PATH",
            "BASH_ENV",
            "ENV",
            "IFS",
            "PYTHONPATH",
            "PERL5LIB",
            "PERLLIB",
            "RUBYOPT",
            "NODE_OPTIONS",
            "GIT_SSH_COMMAND",
            "SSH_ASKPASS",
            "PAGER",
            "EDITOR",
            "LESSOPEN",
            "LESS",
            "BREVET_EXECUTION",
            "BASH_FUNC_x%%",
            "1A",
            "",
            "A=B",
            "A B",
        ] {
            assert!(check(name, "x").is_err(), "{name}");
        }
        for name in ["LANG", "LC_ALL", "HOME", "PGHOST", "_", "a1", "ENVIRONMENT", "ALD_X", "TERM"] {
            assert!(check(name, "x").is_ok(), "{name}");
        }
    }

    #[test]
    fn values_that_reach_further_than_they_say_are_refused() {
        for (name, value) in [
            ("PATH", ""),
            ("PATH", "/usr/bin:"),
            ("PATH", "/usr/bin:bin"),
            ("TZ", ":/etc/x"),
            ("TZ", "/etc/x"),
            ("TZ", "../x"),
            ("A", "() { :; }"),
            ("A", "a\0b"),
        ] {
            assert!(check(name, value).is_err(), "{name}={value}");
        }
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("TZ", "Europe/Paris"), ("A", "$(x); {y}")] {
            assert!(check(name, value).is_ok(), "{name}={value}");
        }
    }
}
