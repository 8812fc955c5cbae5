//! What will run, as far as a request says it: the definition's arguments with the bound values in their places.

use brevet_core::{ParameterName, Parameters, TaskSpec};
use brevet_wire as wire;

/// One string per argument. What is not bound stays a placeholder; a brace of the definition itself stays written twice.
pub(super) fn command(spec: &TaskSpec, bound: &Parameters) -> Vec<String> {
    let line = |argument: &String| pieces(argument, bound).into_iter().map(|piece| piece.text).collect();
    spec.command.iter().map(line).collect()
}

/// The same piece by piece, so that nobody takes a value for a placeholder or for a part of the definition.
pub(super) fn arguments(spec: &TaskSpec, bound: &Parameters) -> Vec<Vec<wire::Piece>> {
    let plain = |piece: wire::Piece| match piece.parameter {
        Some(_) => piece,
        None => wire::Piece { text: piece.text.replace("{{", "{").replace("}}", "}"), ..piece },
    };
    let argument = |argument: &String| pieces(argument, bound).into_iter().map(plain).collect();
    spec.command.iter().map(argument).collect()
}

/// A value is never read again: one that looks like a placeholder stays what it is.
fn pieces(argument: &str, bound: &Parameters) -> Vec<wire::Piece> {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        fixed.push_str(&rest[..at]);
        let (brace, after) = rest[at..].split_at(1);
        if after.starts_with(brace) {
            fixed.push_str(&rest[at..at + 2]);
            rest = &after[1..];
            continue;
        }
        let named = after.split_once('}').filter(|_| brace == "{");
        match named.and_then(|(name, tail)| Some((ParameterName::parse(name).ok()?, tail))) {
            Some((name, tail)) => {
                pieces.extend(fixed_piece(std::mem::take(&mut fixed)));
                pieces.push(placed(&name, bound));
                rest = tail;
            }
            None => {
                fixed.push_str(brace);
                rest = after;
            }
        }
    }
    fixed.push_str(rest);
    pieces.extend(fixed_piece(fixed));
    pieces
}

fn fixed_piece(text: String) -> Option<wire::Piece> {
    (!text.is_empty()).then_some(wire::Piece { text, parameter: None, is_free: false })
}

fn placed(name: &ParameterName, bound: &Parameters) -> wire::Piece {
    let value = bound.get(name);
    let text = value.map_or_else(|| format!("{{{name}}}"), ToString::to_string);
    wire::Piece { text, parameter: Some(name.to_string()), is_free: value.is_none() }
}

#[cfg(test)]
mod tests {
    use super::pieces;
    use brevet_core::{ParameterName, Parameters, Value};

    fn bound() -> Parameters {
        Parameters::from([
            (ParameterName::parse("unit").unwrap(), Value::Text("{host}".into())),
            (ParameterName::parse("level").unwrap(), Value::Integer(3)),
        ])
    }

    #[test]
    fn what_would_run_has_the_bound_values_and_the_placeholders_of_the_others() {
        for (argument, shown) in [
            ("{unit}", "{host}"),
            ("--level={level}:{host}", "--level=3:{host}"),
            ("{{unit}}", "{{unit}}"),
            ("{unit", "{unit"),
            ("}{level}", "}3"),
            ("plain", "plain"),
        ] {
            let told: String = pieces(argument, &bound()).into_iter().map(|piece| piece.text).collect();
            assert_eq!(told, shown);
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_told_from_one() {
        let told: Vec<_> = pieces("{unit}:{host}", &bound())
            .into_iter()
            .map(|piece| (piece.text, piece.parameter, piece.is_free))
            .collect();
        let piece = |text: &str, name: Option<&str>, free| (text.to_owned(), name.map(str::to_owned), free);
        assert_eq!(
            told,
            [
                piece("{host}", Some("unit"), false),
                piece(":", None, false),
                piece("{host}", Some("host"), true)
            ]
        );
    }
}
