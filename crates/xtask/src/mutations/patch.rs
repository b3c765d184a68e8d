//! A mistake as it is written down, and how it gets into the sources: beside what is right, to be chosen while the program runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::Fallible;

/// One mistake.
#[derive(Debug)]
pub(super) struct Mutation {
    pub(super) name: String,
    places: Vec<Place>,
}

/// One place that it changes.
#[derive(Debug)]
struct Place {
    file: PathBuf,
    /// Lines that are there, in front of those that change.
    before: String,
    right: String,
    wrong: String,
    /// Lines behind them.
    after: String,
}

impl Mutation {
    /// Reads a patch. Each place begins with `--- ` and a file's name.
    pub(super) fn parse(name: &str, text: &str) -> Fallible<Self> {
        let mut places: Vec<Place> = Vec::new();
        for line in text.lines() {
            if let Some(file) = line.strip_prefix("--- ") {
                let [before, right, wrong, after] = [const { String::new() }; 4];
                places.push(Place { file: file.into(), before, right, wrong, after });
                continue;
            }
            let Some(place) = places.last_mut() else { continue };
            // An empty line stands between two places.
            let Some((mark, rest)) = line.split_at_checked(1) else { continue };
            let part = match mark {
                "-" if place.after.is_empty() => &mut place.right,
                "+" if place.after.is_empty() => &mut place.wrong,
                " " if place.right.is_empty() && place.wrong.is_empty() => &mut place.before,
                " " => &mut place.after,
                _ => return Err(format!("{name}: what is {line:?}?").into()),
            };
            part.push_str(rest);
            part.push('\n');
        }
        if text.starts_with("--- ") || places.is_empty() || places.iter().any(|place| place.right == place.wrong) {
            return Err(format!("{name} does not say what is wrong, or changes nothing").into());
        }
        Ok(Self { name: name.into(), places })
    }
}

/// Of one file: from where to where the lines stand that change, and the mistakes that change them.
type Choices<'m> = BTreeMap<(usize, usize), Vec<(usize, &'m Place)>>;

/// The changed files: every mistake is in them, under its number.
pub(super) fn apply(
    mutations: &[Mutation],
    read: impl Fn(&PathBuf) -> Fallible<String>,
) -> Fallible<BTreeMap<PathBuf, String>> {
    // By place, so that several mistakes may be made of the same lines.
    let mut files: BTreeMap<PathBuf, Choices<'_>> = BTreeMap::new();
    let mut sources = BTreeMap::new();
    for (number, mutation) in mutations.iter().enumerate() {
        for place in &mutation.places {
            if !sources.contains_key(&place.file) {
                sources.insert(place.file.clone(), read(&place.file)?);
            }
            let source = &sources[&place.file];
            let whole = format!("{}{}{}", place.before, place.right, place.after);
            let mut found = source.match_indices(&whole);
            let (Some((at, _)), None) = (found.next(), found.next()) else {
                let file = place.file.display();
                return Err(format!(
                    "{}: its place in {file} is not there any more, or not the only one",
                    mutation.name
                )
                .into());
            };
            let start = at + place.before.len();
            let span = (start, start + place.right.len());
            files.entry(place.file.clone()).or_default().entry(span).or_default().push((number, place));
        }
    }
    for (file, spans) in files {
        let source = sources.get_mut(&file).ok_or("a file that was read")?;
        let mut last = usize::MAX;
        for ((start, end), choices) in spans.into_iter().rev() {
            if end > last {
                return Err(format!("{}: two mistakes overlap", file.display()).into());
            }
            last = start;
            let chosen = choose(&choices).ok_or_else(|| {
                let lines = &source[start..end];
                format!("{}: a mistake must keep what is assigned or matched in\n{lines}", file.display())
            })?;
            source.replace_range(start..end, &chosen);
        }
    }
    Ok(sources)
}

/// The right lines, or the wrong ones of the mistake that was chosen.
fn choose(choices: &[(usize, &Place)]) -> Option<String> {
    let right = &choices.first()?.1.right;
    let wrong = || choices.iter().map(|(number, place)| (*number, place.wrong.as_str()));
    for form in [Form::LET, Form::ARM, Form::IF] {
        if let Some((head, value, tail)) = form.split(right) {
            let mut text = value.to_owned();
            for (number, wrong) in wrong() {
                let (_, wrong, _) = form.split(wrong).filter(|(other, ..)| *other == head)?;
                text = format!("(if crate::mutant({number}) {{ {wrong} }} else {{ {text} }})");
            }
            return Some(format!("{head}{text}{tail}"));
        }
    }
    let mut text = right.clone();
    for (number, wrong) in wrong() {
        text = format!("if crate::mutant({number}) {{\n{wrong}}} else {{\n{text}}}\n");
    }
    Some(text)
}

/// Lines that are no whole statement or expression: only a value in them can be chosen.
struct Form {
    begins: &'static str,
    head: &'static str,
    tail: &'static str,
}

impl Form {
    const LET: Self = Self { begins: "let ", head: " = ", tail: ";\n" };
    const ARM: Self = Self { begins: "", head: " => ", tail: ",\n" };
    const IF: Self = Self { begins: "if ", head: "if ", tail: " {\n" };

    /// What stands before the value, the value, and what stands behind it.
    fn split<'t>(&self, lines: &'t str) -> Option<(&'t str, &'t str, &'static str)> {
        let rest = lines.strip_suffix(self.tail)?;
        rest.trim_start().starts_with(self.begins).then_some(())?;
        let value = rest.find(self.head)? + self.head.len();
        Some((&rest[..value], &rest[value..], self.tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(source: &str, patches: &[&str]) -> Fallible<String> {
        let mutations = patches.iter().map(|patch| Mutation::parse("it", patch)).collect::<Fallible<Vec<_>>>()?;
        Ok(apply(&mutations, |_| Ok(source.to_owned()))?[&PathBuf::from("a.rs")].clone())
    }

    #[test]
    fn a_mistake_stands_beside_what_is_right() {
        let source = "fn a() {\n    one();\n    two();\n}\n";
        assert_eq!(
            applied(source, &["No two.\n\n--- a.rs\n     one();\n-    two();\n"]).expect("it is there"),
            "fn a() {\n    one();\nif crate::mutant(0) {\n} else {\n    two();\n}\n}\n"
        );
        assert_eq!(
            applied(source, &["x\n--- a.rs\n-    two();\n+    three();\n", "y\n--- a.rs\n-    two();\n+    four();\n"])
                .expect("they are there"),
            "fn a() {\n    one();\nif crate::mutant(1) {\n    four();\n} else {\nif crate::mutant(0) {\n    three();\n} else {\n    \
             two();\n}\n}\n}\n"
        );
        assert!(applied(source, &["x\n--- a.rs\n-    gone();\n"]).is_err());
    }

    #[test]
    fn only_the_value_of_an_assignment_an_arm_or_a_condition_is_chosen() {
        for (right, wrong, chosen) in [
            ("let a = b;", "let a = c;", "let a = (if crate::mutant(0) { c } else { b });"),
            ("A => b,", "A => c,", "A => (if crate::mutant(0) { c } else { b }),"),
            ("if b {", "if c {", "if (if crate::mutant(0) { c } else { b }) {"),
        ] {
            let patch = format!("x\n--- a.rs\n-{right}\n+{wrong}\n");
            assert_eq!(applied(&format!("{right}\n"), &[&patch]).expect("it is there"), format!("{chosen}\n"));
        }
        assert!(applied("let a = b;\n", &["x\n--- a.rs\n-let a = b;\n+let d = b;\n"]).is_err());
    }
}
