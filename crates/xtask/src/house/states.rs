//! docs/states.md draws the machines as they are: the arrows of each picture are those in the code, and no other.

use std::collections::BTreeSet;

use syn::parse::ParseStream;
use syn::visit::{self, Visit};
use syn::{Arm, Expr, ExprAssign, ExprMatch, ImplItemFn, ItemEnum, Macro, Member, Pat, Token};

use super::named_tests;
use super::picture::{self, Arrow};
use crate::Fallible;
use crate::markdown::{Page, tables};
use crate::repository::Repository;

const PAGE: &str = "docs/states.md";

/// What is in a picture beside states: where connections come from, and where they go.
const OUTSIDE: [&str; 3] = ["accept", "connect", "gone"];

/// A machine: what its states are called in the code, where they are, and where its transitions stand.
struct Machine {
    name: &'static str,
    file: &'static str,
    transitions: Transitions,
}

enum Transitions {
    /// A function that matches on a state and something else, and says the next state. Staying is no arrow.
    After { function: &'static str },
    /// A function that says of two states, with `matches!`, whether the first may become the second.
    Between { function: &'static str },
    /// The one assignment to a field, whatever was in it before.
    Assigned { field: &'static str },
}

const MACHINES: &[Machine] = &[
    Machine {
        name: "Awaits",
        file: "crates/frame/src/decoder.rs",
        transitions: Transitions::Assigned { field: "awaits" },
    },
    Machine {
        name: "State",
        file: "crates/frame/src/connection.rs",
        transitions: Transitions::After { function: "after" },
    },
    Machine {
        name: "Session",
        file: "crates/reactor/src/session/mod.rs",
        transitions: Transitions::Between { function: "may_become" },
    },
];

/// States change only there: a folder, the field that holds a state, and how often something may be assigned to it.
const ASSIGNMENTS: [(&str, &str, usize); 3] =
    [("crates/frame/src", "awaits", 1), ("crates/frame/src", "state", 3), ("crates/reactor/src", "session", 1)];

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    let text = repository.read(PAGE)?;
    let (page, tables) = (Page::parse(&text), tables(&text));
    let mut complaints = named_tests::complaints(repository, PAGE, &tables)?;
    for machine in MACHINES {
        let code = Code::read(&syn::parse_file(&repository.read(machine.file)?)?, machine)?;
        let Machine { name, .. } = machine;
        let Some(block) = page.blocks.iter().find(|block| block.language == format!("text {name}")) else {
            complaints.push(format!("{PAGE}: there is no picture of {name}"));
            continue;
        };
        let known: Vec<&str> = code.states.iter().map(String::as_str).chain(OUTSIDE).collect();
        let mut drawn = picture::arrows(&block.text, &known).map_err(|error| format!("{PAGE}: {name}: {error}"))?;
        drawn.retain(|(from, to)| ![from, to].iter().any(|end| OUTSIDE.contains(&end.as_str())));
        complaints.extend(differences(name, &drawn, &code.arrows));
        let rows = tables.iter().find(|table| table[0].first().is_some_and(|cell| cell.text == *name));
        let described: Vec<&String> =
            rows.iter().flat_map(|rows| rows.iter().skip(1)).map(|row| &row[0].text).collect();
        if described != code.states.iter().collect::<Vec<_>>() {
            complaints.push(format!("{PAGE}: the table of {name} has {described:?}, the code {:?}", code.states));
        }
    }
    for (folder, field, most) in ASSIGNMENTS {
        let found = assignments(repository, folder, field)?;
        if found != most {
            complaints.push(format!("{folder}: {field} is assigned to in {found} places, not {most}"));
        }
    }
    Ok(complaints)
}

fn differences(name: &str, drawn: &BTreeSet<Arrow>, code: &BTreeSet<Arrow>) -> Vec<String> {
    let say = |(from, to): &Arrow, what| format!("{PAGE}: {name}: {from} to {to} {what}");
    let invented = drawn.difference(code).map(|arrow| say(arrow, "is drawn, and not in the code"));
    invented.chain(code.difference(drawn).map(|arrow| say(arrow, "is not drawn"))).collect()
}

/// A machine's states and arrows, as the code has them.
#[derive(Default)]
struct Code {
    states: Vec<String>,
    arrows: BTreeSet<Arrow>,
}

impl Code {
    fn read(file: &syn::File, machine: &Machine) -> Fallible<Self> {
        let mut reader = Reader { machine, code: Self::default() };
        reader.visit_file(file);
        let code = reader.code;
        if code.states.is_empty() || code.arrows.is_empty() {
            return Err(format!("{}: no states or no transitions of {}", machine.file, machine.name).into());
        }
        Ok(code)
    }

    fn add(&mut self, from: &[String], to: &[String], staying: bool) {
        let arrows = from.iter().flat_map(|from| to.iter().map(move |to| (from.clone(), to.clone())));
        self.arrows.extend(arrows.filter(|(from, to)| staying || from != to));
    }

    /// The states that a pattern stands for.
    fn meant(&self, pattern: &Pat) -> Vec<String> {
        match pattern {
            Pat::Or(or) => or.cases.iter().flat_map(|case| self.meant(case)).collect(),
            Pat::Wild(_) => self.states.clone(),
            Pat::Path(path) => last(&path.path),
            Pat::TupleStruct(tuple) => last(&tuple.path),
            _ => Vec::new(),
        }
    }
}

/// Goes through a file: the states come before what is done with them.
struct Reader<'m> {
    machine: &'m Machine,
    code: Code,
}

impl Reader<'_> {
    fn arm(&mut self, arm: &Arm) {
        let Pat::Tuple(pair) = &arm.pat else { return };
        match self.machine.transitions {
            Transitions::After { .. } => {
                let from = self.code.meant(&pair.elems[0]);
                self.code.add(&from, &outcome(&arm.body), false);
            }
            Transitions::Assigned { .. } => {
                let from = self.code.states.clone();
                self.code.add(&from, &outcome(&arm.body), true);
            }
            Transitions::Between { .. } => {}
        }
    }

    /// One of the pairs between which there is an arrow.
    fn pair(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Or(or) => or.cases.iter().for_each(|case| self.pair(case)),
            Pat::Tuple(pair) => {
                let (from, to) = (self.code.meant(&pair.elems[0]), self.code.meant(&pair.elems[1]));
                self.code.add(&from, &to, true);
            }
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        if item.ident == self.machine.name {
            self.code.states = item.variants.iter().map(|variant| variant.ident.to_string()).collect();
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        let is_meant = match self.machine.transitions {
            Transitions::After { function: name } | Transitions::Between { function: name } => {
                function.sig.ident == name
            }
            Transitions::Assigned { .. } => false,
        };
        if is_meant {
            Arms(self).visit_impl_item_fn(function);
        } else {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_expr_assign(&mut self, assignment: &'ast ExprAssign) {
        if let Transitions::Assigned { field } = self.machine.transitions
            && is_field(&assignment.left, field)
        {
            Arms(self).visit_expr(&assignment.right);
        }
    }
}

/// Every arm of every match in what it is shown, and the pattern of every `matches!`.
struct Arms<'r, 'm>(&'r mut Reader<'m>);

impl<'ast> Visit<'ast> for Arms<'_, '_> {
    fn visit_expr_match(&mut self, found: &'ast ExprMatch) {
        found.arms.iter().for_each(|arm| self.0.arm(arm));
    }

    fn visit_macro(&mut self, found: &'ast Macro) {
        let pattern = found.parse_body_with(|body: ParseStream<'_>| {
            body.parse::<Expr>()?;
            body.parse::<Token![,]>()?;
            let pattern = Pat::parse_multi_with_leading_vert(body)?;
            body.parse::<Option<Token![,]>>()?;
            Ok(pattern)
        });
        if let Ok(pattern) = pattern {
            self.0.pair(&pattern);
        }
    }
}

/// The state that an arm comes to.
fn outcome(body: &Expr) -> Vec<String> {
    match body {
        Expr::Path(path) => last(&path.path),
        Expr::Struct(literal) => last(&literal.path),
        Expr::Block(block) => match block.block.stmts.last() {
            Some(syn::Stmt::Expr(value, None)) => outcome(value),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn is_field(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Field(field) if matches!(&field.member, Member::Named(member) if member == name))
}

fn last(path: &syn::Path) -> Vec<String> {
    path.segments.last().map(|segment| segment.ident.to_string()).into_iter().collect()
}

/// In how many places something is assigned to a field of this name.
fn assignments(repository: &Repository, folder: &str, field: &str) -> Fallible<usize> {
    struct Assignments<'f>(&'f str, usize);

    impl<'ast> Visit<'ast> for Assignments<'_> {
        fn visit_expr_assign(&mut self, assignment: &'ast ExprAssign) {
            self.1 += usize::from(is_field(&assignment.left, self.0));
            visit::visit_expr_assign(self, assignment);
        }
    }

    let mut assignments = Assignments(field, 0);
    for file in repository.files(folder, "rs")? {
        assignments.visit_file(&syn::parse_file(&repository.read(file)?)?);
    }
    Ok(assignments.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(transitions: Transitions, text: &str) -> Vec<String> {
        let machine = Machine { name: "State", file: "here", transitions };
        let code = Code::read(&syn::parse_file(text).expect("Rust"), &machine).expect("a machine");
        code.arrows.iter().map(|(from, to)| format!("{from}{to}")).collect()
    }

    #[test]
    fn transitions_are_read_where_they_stand() {
        let after = "enum State { A, B, C } impl State { fn after(self, x: X) -> Self { match (self, x) {
            (Self::A, X::One) => Self::B, (Self::A | Self::B, X::Two) => Self::C, (Self::C, _) => Self::C } } }";
        assert_eq!(arrows(Transitions::After { function: "after" }, after), ["AB", "AC", "BC"]);
        let between = "enum State { A(u8), B, C } impl State { fn may(&self, next: &Self) -> bool {
            matches!((self, next), (Self::A(_), Self::A(_) | Self::B) | (_, Self::C)) } }";
        let found = arrows(Transitions::Between { function: "may" }, between);
        assert_eq!(found, ["AA", "AB", "AC", "BC", "CC"]);
        let assigned = "enum State { A, B { x: u8 } } impl M { fn f(&mut self) { self.state = match (self.left, fin) {
            (0, true) => { self.room = 1; State::A } (1.., _) => State::B { x } }; } }";
        assert_eq!(arrows(Transitions::Assigned { field: "state" }, assigned), ["AA", "AB", "BA", "BB"]);
    }

    #[test]
    fn an_arrow_too_many_or_too_few_is_found() {
        let arrow = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let (drawn, code) = ([arrow("A", "B"), arrow("B", "C")].into(), [arrow("A", "B"), arrow("A", "C")].into());
        assert_eq!(differences("X", &drawn, &code).len(), 2);
        assert!(differences("X", &code, &code).is_empty());
    }
}
