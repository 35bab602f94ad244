//! Which columns of a table stand side by side. Numbers, bars and short names are never broken: columns that do not fit beside
//! each other follow below, under the first column once more.
use unicode_width::UnicodeWidthStr;

/// Blanks around a cell.
pub const PADDING: usize = 2;

/// Texts are given so many cells before they are broken into lines.
const TEXT: usize = 32;

/// How a table is laid out.
pub struct Layout {
    /// Cells of each column without its padding.
    pub widths: Vec<usize>,
    /// The columns of each block, from top to bottom.
    pub blocks: Vec<Vec<usize>>,
}

/// Lays out columns with these names, whose widest cells have these widths, in `room` cells of a terminal.
pub fn layout(names: &[&str], cells: &[usize], room: Option<usize>) -> Layout {
    let wide: Vec<usize> = names.iter().zip(cells).map(|(name, cells)| width(name).max(*cells)).collect();
    let all = |widths: &[usize]| widths.iter().map(|width| width + PADDING).sum::<usize>();
    let one = || vec![(0..names.len()).collect()];
    let Some(room) = room.filter(|room| all(&wide) > *room) else { return Layout { widths: wide, blocks: one() } };
    let longest = |name: &str| pieces(name).map(|piece| width(piece.trim_end())).max().unwrap_or(0);
    let mut widths: Vec<usize> = names.iter().zip(cells).map(|(name, cells)| longest(name).max(*cells)).collect();
    // What is left to a text when everything else has its place; at least what can be read, and never more than there is.
    let most = room.saturating_sub(PADDING).max(1);
    if all(&widths) > room {
        let texts: Vec<usize> = (0..widths.len()).filter(|column| widths[*column] > TEXT).collect();
        let rest: usize = all(&widths) - texts.iter().map(|column| widths[*column]).sum::<usize>();
        let each = room.saturating_sub(rest) / texts.len().max(1);
        texts.into_iter().for_each(|column| widths[column] = widths[column].min(each.max(TEXT)));
    }
    widths.iter_mut().for_each(|width| *width = (*width).min(most));
    if all(&widths) <= room || names.len() < 2 {
        return Layout { widths, blocks: one() };
    }
    // Beside a first column that fills the window there is no room for a second.
    widths[0] = widths[0].min(most / 2);
    let first = widths[0] + PADDING;
    let (mut blocks, mut block, mut taken) = (vec![], vec![0], first);
    for group in groups(names) {
        let needed: usize = group.iter().map(|column| widths[*column] + PADDING).sum();
        if taken + needed > room && block.len() > 1 {
            blocks.push(std::mem::replace(&mut block, vec![0]));
            taken = first;
        }
        for column in group {
            // A group that is wider than the window is broken like any other columns.
            if taken + widths[column] + PADDING > room && block.len() > 1 {
                blocks.push(std::mem::replace(&mut block, vec![0]));
                taken = first;
            }
            taken += widths[column] + PADDING;
            block.push(column);
        }
    }
    blocks.push(block);
    Layout { widths, blocks }
}

/// Columns that belong together: one without a name to the one before it, and those of one model (`credit last`, `value last`).
fn groups(names: &[&str]) -> Vec<Vec<usize>> {
    let of = |name: &str| name.split_once(' ').map(|(_, of)| of.to_owned());
    let mut groups: Vec<Vec<usize>> = vec![];
    for column in 1..names.len() {
        let joins = column > 1
            && (names[column].is_empty()
                || (of(names[column]).is_some() && of(names[column]) == of(names[column - 1])));
        match groups.last_mut().filter(|_| joins) {
            Some(group) => group.push(column),
            None => groups.push(vec![column]),
        }
    }
    groups
}

/// A name in lines of at most `room` cells, broken behind blanks and signs.
pub fn folded(name: &str, room: usize) -> String {
    let (mut lines, mut line) = (vec![], String::new());
    for piece in pieces(name) {
        if !line.is_empty() && width(&line) + width(piece.trim_end()) > room {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(piece);
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn pieces(name: &str) -> impl Iterator<Item = &str> {
    name.split_inclusive([' ', '_', ':', ','])
}

/// Cells that a text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_side_by_side() {
        let found = layout(&["channel", "sessions"], &[14, 6], Some(80));
        assert_eq!((found.widths, found.blocks), (vec![14, 8], vec![vec![0, 1]]));
    }

    #[test]
    fn names_are_folded_before_columns_are_parted() {
        let found = layout(&["channel", "credit position:first=0.4,last=0.4"], &[14, 6], Some(32));
        assert_eq!((found.widths, found.blocks), (vec![14, 10], vec![vec![0, 1]]));
        assert_eq!(folded("credit position:first=0.4,last=0.4", 10), "credit\nposition:\nfirst=0.4,\nlast=0.4");
    }

    #[test]
    fn columns_of_a_model_go_on_below_together() {
        let names = ["channel", "credit a", "value a", "credit b", "value b"];
        let found = layout(&names, &[14, 10, 10, 10, 10], Some(45));
        assert_eq!(found.blocks, [[0, 1, 2], [0, 3, 4]]);
    }

    #[test]
    fn a_long_text_is_broken_and_nothing_else() {
        let found = layout(&["page", "people"], &[300, 6], Some(60));
        assert_eq!((found.widths, found.blocks), (vec![50, 6], vec![vec![0, 1]]));
    }
}
