//! Lists as tables, single things as sheets: aligned, without lines, in colour where that helps.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};

use super::console::{View, safe};

/// What a cell means, which its colour shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// In order, in force.
    Good,
    /// Waits for somebody.
    Waiting,
    /// Wrong, or taken away.
    Bad,
    /// Over, or beside the point.
    Quiet,
    /// Nothing of these.
    Plain,
}

/// A text and its tone.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    text: String,
    tone: Tone,
}

/// A text as it is.
pub(crate) fn plain(text: impl Into<String>) -> Shown {
    Shown { text: text.into(), tone: Tone::Plain }
}

/// A text with a tone.
pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Shown {
    Shown { text: text.into(), tone }
}

/// Something that is shown as a row.
pub(crate) trait Row {
    /// The heads of the columns.
    const HEADS: &'static [&'static str];

    /// The cells, as many as heads.
    fn row(&self, view: &View) -> Vec<Shown>;
}

/// A table of these.
pub(crate) fn table<T: Row>(items: &[T], view: &View) -> String {
    let heads = T::HEADS.iter().map(|head| Cell::new(head).add_attribute(Attribute::Bold));
    let mut table = bare(view);
    table.set_header(heads);
    for item in items {
        table.add_row(item.row(view).iter().map(cell));
    }
    if let Some(width) = view.width {
        keep_short_columns(&mut table, usize::from(width));
    }
    laid_out(table)
}

/// The lines `name  value` of a single thing.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    lines: Vec<(&'static str, Shown)>,
}

impl Sheet {
    /// A line.
    pub(crate) fn line(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.lines.push((name, plain(value)));
        self
    }

    /// A line with a tone.
    pub(crate) fn toned(mut self, name: &'static str, value: impl Into<String>, tone: Tone) -> Self {
        self.lines.push((name, toned(value, tone)));
        self
    }

    /// A line with what it shows.
    pub(crate) fn shown(mut self, name: &'static str, value: Shown) -> Self {
        self.lines.push((name, value));
        self
    }

    /// A line, if there is anything to say.
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value.map(Into::into).filter(|value| !value.is_empty()) {
            Some(value) => self.line(name, value),
            None => self,
        }
    }

    /// All lines, aligned.
    pub(crate) fn text(&self, view: &View) -> String {
        let mut table = bare(view);
        for (name, value) in &self.lines {
            table.add_row([Cell::new(name).add_attribute(Attribute::Bold), cell(value)]);
        }
        laid_out(table)
    }
}

fn cell(shown: &Shown) -> Cell {
    let cell = Cell::new(safe_but_newlines(&shown.text));
    match shown.tone {
        Tone::Good => cell.fg(Color::Green),
        Tone::Waiting => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
        Tone::Quiet => cell.add_attribute(Attribute::Dim),
        Tone::Plain => cell,
    }
}

/// What stands in cells comes from people and files: nothing in it may forge a line or move the cursor. The
/// newlines that are left were put there by this program, between values that are safe already.
fn safe_but_newlines(text: &str) -> String {
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

fn bare(view: &View) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).style_text_only();
    match view.colour {
        true => table.enforce_styling(),
        false => table.force_no_tty(),
    };
    if let Some(width) = view.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

/// Columns of ids and words are not broken; what is long gives way, where that leaves it enough room to be read.
fn keep_short_columns(table: &mut Table, width: usize) {
    const SHORT_COLUMNS_MAX: u16 = 24;
    const READABLE_COLUMNS: usize = 12;

    let widths = table.column_max_content_widths();
    let room = |limit: u16| -> usize {
        let needed = |width: &u16| if *width <= limit { usize::from(*width) } else { READABLE_COLUMNS };
        widths.iter().map(needed).sum::<usize>() + 2 * widths.len()
    };
    let Some(limit) = (1..=SHORT_COLUMNS_MAX).rev().find(|limit| room(*limit) <= width) else { return };
    for (column, width) in table.column_iter_mut().zip(widths) {
        if width <= limit {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Flush left, with two blanks between columns and none at the end of a line.
fn laid_out(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
