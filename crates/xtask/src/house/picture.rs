//! A picture of a machine, drawn with lines between names, traced: which name has an arrow to which.
//!
//! ```text
//!   A ───┬───► B        A line may have several beginnings and several heads: everyone at whom it begins has an arrow to
//!   C ───┘              everyone at whom it ends. A and C have one to B, here.
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::Fallible;

/// From, to.
pub(super) type Arrow = (String, String);

type Place = (usize, usize);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Left,
    Right,
    Up,
    Down,
}

use Way::{Down, Left, Right, Up};

impl Way {
    const fn back(self) -> Self {
        match self {
            Left => Right,
            Right => Left,
            Up => Down,
            Down => Up,
        }
    }

    const fn from(self, (row, column): Place) -> Place {
        match self {
            Left => (row, column.wrapping_sub(1)),
            Right => (row, column + 1),
            Up => (row.wrapping_sub(1), column),
            Down => (row + 1, column),
        }
    }
}

/// The ways that a piece of a line leads.
const fn ways(piece: char) -> &'static [Way] {
    match piece {
        '─' => &[Left, Right],
        '│' => &[Up, Down],
        '┌' => &[Right, Down],
        '┐' => &[Left, Down],
        '└' => &[Right, Up],
        '┘' => &[Left, Up],
        '├' => &[Up, Down, Right],
        '┤' => &[Up, Down, Left],
        '┬' => &[Left, Right, Down],
        '┴' => &[Left, Right, Up],
        '┼' => &[Left, Right, Up, Down],
        _ => match head(piece) {
            Some(Right) => &[Left],
            Some(Left) => &[Right],
            Some(Down) => &[Up],
            Some(Up) => &[Down],
            None => &[],
        },
    }
}

/// Where the head of an arrow points.
const fn head(piece: char) -> Option<Way> {
    match piece {
        '►' => Some(Right),
        '◄' => Some(Left),
        '▼' => Some(Down),
        '▲' => Some(Up),
        _ => None,
    }
}

/// A picture, and where the names stand in it.
struct Picture {
    pieces: BTreeMap<Place, char>,
    names: BTreeMap<Place, String>,
}

/// All arrows between these names.
pub(super) fn arrows(text: &str, names: &[&str]) -> Fallible<BTreeSet<Arrow>> {
    let picture = Picture::read(text, names);
    let (mut arrows, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for start in picture.pieces.keys() {
        if seen.contains(start) {
            continue;
        }
        let (from, to) = picture.trace(*start, &mut seen)?;
        if from.is_empty() || to.is_empty() {
            return Err(format!("a line in row {} has no beginning or no head", start.0 + 1).into());
        }
        arrows.extend(from.iter().flat_map(|from| to.iter().map(move |to| (from.clone(), to.clone()))));
    }
    Ok(arrows)
}

impl Picture {
    fn read(text: &str, names: &[&str]) -> Self {
        let mut picture = Self { pieces: BTreeMap::new(), names: BTreeMap::new() };
        for (row, line) in text.lines().enumerate() {
            let letters: Vec<char> = line.chars().collect();
            let mut column = 0;
            for word in letters.chunk_by(|a, b| a.is_alphanumeric() == b.is_alphanumeric()) {
                let text: String = word.iter().collect();
                for (at, letter) in word.iter().enumerate() {
                    let place = (row, column + at);
                    if names.contains(&text.as_str()) {
                        picture.names.insert(place, text.clone());
                    } else if !ways(*letter).is_empty() {
                        picture.pieces.insert(place, *letter);
                    }
                }
                column += word.len();
            }
        }
        picture
    }

    /// Follows a line everywhere: the names at which it begins, and those to which it leads.
    fn trace(&self, start: Place, seen: &mut BTreeSet<Place>) -> Fallible<(BTreeSet<String>, BTreeSet<String>)> {
        let (mut from, mut to) = (BTreeSet::new(), BTreeSet::new());
        let mut next = vec![start];
        while let Some(place) = next.pop() {
            if !seen.insert(place) {
                continue;
            }
            let piece = self.pieces[&place];
            if let Some(way) = head(piece) {
                to.insert(self.name(place, way)?);
            }
            for way in ways(piece) {
                let neighbour = way.from(place);
                if self.pieces.get(&neighbour).is_some_and(|other| ways(*other).contains(&way.back())) {
                    next.push(neighbour);
                } else {
                    from.insert(self.name(place, *way)?);
                }
            }
        }
        Ok((from, to))
    }

    /// The name at an end of a line: beside it, after a blank at most, or right above or below.
    fn name(&self, place: Place, way: Way) -> Fallible<String> {
        let (near, far) = (way.from(place), way.from(way.from(place)));
        let found = self.names.get(&near);
        let found = found.or_else(|| self.names.get(&far).filter(|_| matches!(way, Left | Right)));
        found
            .cloned()
            .ok_or_else(|| format!("row {}, column {}: a line leads nowhere", place.0 + 1, place.1 + 1).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traced(text: &str) -> String {
        match arrows(text, &["A", "B", "C", "D"]) {
            Ok(arrows) => arrows.iter().map(|(from, to)| format!("{from}{to} ")).collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lines_are_followed_from_their_beginnings_to_their_heads() {
        assert_eq!(traced("A ──► B ──► C\n"), "AB BC ");
        assert_eq!(traced("A ◄── B"), "BA ");
        assert_eq!(traced("A ───┬──► B\nC ───┘\n"), "AB CB ");
        assert_eq!(traced("A ─┼─► A\nB ─┤\n"), "row 1, column 4: a line leads nowhere");
        assert_eq!(traced("A ─┬─► A\nB ─┴─► C\n"), "AA AC BA BC ");
        assert_eq!(traced(" A ────┐\n ▲     ▼\n │     B\n C ──► D\n"), "AB CA CD ");
    }

    #[test]
    fn a_line_without_an_end_is_found() {
        assert_eq!(traced("A ──► X"), "row 1, column 5: a line leads nowhere");
        assert_eq!(traced("A ───  B"), "row 1, column 5: a line leads nowhere");
        assert_eq!(traced("A ─── B"), "a line in row 1 has no beginning or no head");
    }
}
