//! Words of texts: runs of letters and digits of any script, in lower case.
//!
//! Marks and characters that cannot be seen belong to no word and end none, so that neither an accent written
//! apart nor a hidden character hides a word. Nothing else is folded: `é` is not `e`.

/// A word, in bytes of UTF-8; what is longer is known by its beginning.
pub(super) const WORD_BYTES_MAX: usize = 64;
/// Words of one search.
const WORDS_PER_SEARCH_MAX: usize = 16;

/// Why words cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWords {
    /// Neither a letter nor a digit.
    #[error("give at least one word: letters or digits, for example 'migration' or 'migr*'")]
    None,
    /// More than one search takes.
    #[error("at most {WORDS_PER_SEARCH_MAX} words can be searched for at once")]
    Many,
}

/// Words to be found, all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<Word>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Whether words that only begin so are meant too.
    pub(crate) prefix: bool,
}

impl Words {
    /// Reads what somebody searches for. A word with `*` right behind it stands for all that begin so.
    pub fn parse(text: &str) -> Result<Self, BadWords> {
        let mut words: Vec<Word> = Vec::new();
        let mut parts = text.split('*').peekable();
        while let Some(part) = parts.next() {
            let starred = parts.peek().is_some() && part.chars().next_back().is_some_and(is_part);
            let before = words.len();
            each(part, |word| words.push(Word { text: word.to_owned(), prefix: false }));
            if let Some(last) = words[before..].last_mut().filter(|_| starred) {
                last.prefix = true;
            }
        }
        words.sort_unstable_by(|one, other| (&one.text, one.prefix).cmp(&(&other.text, other.prefix)));
        words.dedup();
        match words.len() {
            0 => Err(BadWords::None),
            1..=WORDS_PER_SEARCH_MAX => Ok(Self(words)),
            _ => Err(BadWords::Many),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Word> {
        self.0.iter()
    }
}

/// As they are searched for: in lower case, in alphabetical order, each once.
impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, Word { text, prefix }) in self.0.iter().enumerate() {
            let (space, star) = (if place > 0 { " " } else { "" }, if *prefix { "*" } else { "" });
            write!(f, "{space}{text}{star}")?;
        }
        Ok(())
    }
}

/// Hands over each word of a text, in order, as often as it is there.
pub(super) fn each(text: &str, mut take: impl FnMut(&str)) {
    let mut word = String::new();
    for c in text.chars() {
        if is_unseen(c) {
            continue;
        }
        if c.is_alphanumeric() {
            for lower in c.to_lowercase().filter(|c| !is_unseen(*c)) {
                if word.len() + lower.len_utf8() <= WORD_BYTES_MAX {
                    word.push(lower);
                }
            }
        } else if !word.is_empty() {
            take(&word);
            word.clear();
        }
    }
    if !word.is_empty() {
        take(&word);
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || is_unseen(c)
}

/// Combining marks, and characters of no width.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e01ef}')
}
