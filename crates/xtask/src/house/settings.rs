//! What the code says of its limits: their names and defaults, and which flag of the program sets which.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprAssign, ExprField, ExprStruct, Lit, Member};

use crate::Fallible;
use crate::repository::Repository;

/// A default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// Bytes, or how many.
    Number(u64),
    Milliseconds(u64),
    Off,
}

impl Value {
    /// As a page says it: `64 KiB`, `10 s`, `1,024 commands`, `off`.
    pub(super) fn said(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
        let number: u64 = number.replace(',', "").parse().ok()?;
        Some(match unit {
            "KiB" => Self::Number(number << 10),
            "MiB" => Self::Number(number << 20),
            "ms" => Self::Milliseconds(number),
            "s" => Self::Milliseconds(number * 1_000),
            _ => Self::Number(number),
        })
    }

    /// As the code says it.
    fn of(expression: &Expr) -> Option<Self> {
        match expression {
            Expr::Call(call) => match (last(&call.func)?.as_str(), call.args.first()?) {
                ("Some", value) => Self::of(value),
                ("seconds" | "from_secs", value) => Some(Self::Milliseconds(number(value)? * 1_000)),
                ("from_millis", value) => Some(Self::Milliseconds(number(value)?)),
                _ => None,
            },
            Expr::Path(_) if last(expression)? == "None" => Some(Self::Off),
            _ => number(expression).map(Self::Number),
        }
    }
}

fn number(expression: &Expr) -> Option<u64> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        Expr::Binary(binary) => match (&binary.op, number(&binary.left)?, number(&binary.right)?) {
            (BinOp::Shl(_), left, right) => left.checked_shl(u32::try_from(right).ok()?),
            (BinOp::Mul(_), left, right) => left.checked_mul(right),
            _ => None,
        },
        _ => None,
    }
}

/// The last name of a path.
fn last(expression: &Expr) -> Option<String> {
    let Expr::Path(path) = expression else { return None };
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

/// Every limit's default; those of another crate are named behind the field that holds them.
pub(super) fn defaults(repository: &Repository) -> Fallible<BTreeMap<String, Value>> {
    let mut defaults = BTreeMap::new();
    for (name, value) in fields_of_self(repository, "reactor")? {
        if let Some(elsewhere) = elsewhere(&value) {
            for (inner, value) in fields_of_self(repository, &elsewhere)? {
                let value = Value::of(&value).ok_or(format!("what is the default of {name}.{inner}?"))?;
                defaults.insert(format!("{name}.{inner}"), value);
            }
        } else {
            let value = Value::of(&value).ok_or(format!("what is the default of {name}?"))?;
            defaults.insert(name, value);
        }
    }
    Ok(defaults)
}

/// The crate whose limits these are, if it says `that_crate::Limits::default()`.
fn elsewhere(expression: &Expr) -> Option<String> {
    let Expr::Call(call) = expression else { return None };
    let Expr::Path(path) = &*call.func else { return None };
    let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    match &names[..] {
        [krate, limits, default] if limits == "Limits" && default == "default" => Some(krate.clone()),
        _ => None,
    }
}

/// The fields of the one `Self { … }` in a crate's limits.rs.
fn fields_of_self(repository: &Repository, krate: &str) -> Fallible<Vec<(String, Expr)>> {
    struct Fields(Vec<(String, Expr)>);

    impl<'ast> Visit<'ast> for Fields {
        fn visit_expr_struct(&mut self, literal: &'ast ExprStruct) {
            if literal.path.is_ident("Self") {
                self.0.extend(literal.fields.iter().map(|field| (name(&field.member), field.expr.clone())));
            }
        }
    }

    let path = format!("crates/{krate}/src/limits.rs");
    let mut fields = Fields(Vec::new());
    fields.visit_file(&syn::parse_file(&repository.read(&path)?)?);
    if fields.0.is_empty() { Err(format!("{path} has no defaults").into()) } else { Ok(fields.0) }
}

/// The flag that sets a limit, for those that have one: read where the program makes limits of its options.
pub(super) fn flags(repository: &Repository) -> Fallible<BTreeMap<String, String>> {
    let mut settings = Settings::default();
    settings.visit_file(&syn::parse_file(&repository.read("crates/longwire/src/options.rs")?)?);
    Ok(settings.flags)
}

/// Finds `Limits { field: … self.option … }` and `limits.field = … self.option …`.
#[derive(Default)]
struct Settings {
    flags: BTreeMap<String, String>,
}

impl<'ast> Visit<'ast> for Settings {
    fn visit_expr_struct(&mut self, literal: &'ast ExprStruct) {
        if literal.path.is_ident("Limits") {
            let settings = literal.fields.iter().map(|field| (name(&field.member), option(&field.expr)));
            self.flags.extend(settings.filter_map(|(field, option)| Some((field, option?))));
        }
        visit::visit_expr_struct(self, literal);
    }

    fn visit_expr_assign(&mut self, assignment: &'ast ExprAssign) {
        if let Some(field) = path_below(&assignment.left, "limits") {
            self.flags.extend(option(&assignment.right).map(|option| (field, option)));
        }
    }
}

/// The flag whose option is used in an expression.
fn option(expression: &Expr) -> Option<String> {
    struct Used(Option<String>);

    impl<'ast> Visit<'ast> for Used {
        fn visit_expr_field(&mut self, field: &'ast ExprField) {
            if matches!(&*field.base, Expr::Path(path) if path.path.is_ident("self")) {
                self.0 = Some(format!("--{}", name(&field.member).replace('_', "-")));
            }
        }
    }

    let mut found = Used(None);
    found.visit_expr(expression);
    found.0
}

/// `a.b` for `root.a.b`.
fn path_below(expression: &Expr, root: &str) -> Option<String> {
    let Expr::Field(field) = expression else { return None };
    match &*field.base {
        Expr::Path(path) if path.path.is_ident(root) => Some(name(&field.member)),
        base => Some(format!("{}.{}", path_below(base, root)?, name(&field.member))),
    }
}

fn name(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_read_from_pages_and_from_code() {
        for (said, code) in [
            ("16 KiB", "16 << 10"),
            ("1,024 commands", "1_024"),
            ("10 s", "seconds(10)"),
            ("1500 ms", "Duration::from_millis(1_500)"),
            ("off", "None"),
            ("3 s", "Some(Duration::from_secs(3))"),
        ] {
            let code = Value::of(&syn::parse_str(code).expect("an expression"));
            assert_eq!((Value::said(said), code.is_some()), (code, true), "{said}");
        }
    }

    #[test]
    fn flags_are_found_where_they_set_a_limit() {
        let text = "fn f() { let mut limits = Limits { a: self.some_option, b: size(\"--b\", self.other)?, c: 3, \
                    ..Limits::default() }; limits.d.e = self.third; }";
        let mut settings = Settings::default();
        settings.visit_file(&syn::parse_file(text).expect("a file"));
        let found: Vec<String> = settings.flags.into_iter().map(|(field, flag)| format!("{field} {flag}")).collect();
        assert_eq!(found, ["a --some-option", "b --other", "d.e --third"]);
    }
}
