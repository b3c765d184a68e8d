//! `/`: the demo page and its parts, embedded in the program.

use longwire_reactor::{FieldValue, Reply};

/// The page loads nothing from elsewhere and runs nothing inline.
const POLICY: FieldValue = FieldValue::literal(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The part that lies at a path.
pub(crate) fn find(path: &str) -> Option<Reply> {
    let (kind, body): (_, &'static [u8]) = match path {
        "/" => ("text/html; charset=utf-8", include_bytes!("../page/index.html")),
        "/page.css" => ("text/css; charset=utf-8", include_bytes!("../page/page.css")),
        "/page.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/page.js")),
        "/icon.svg" => ("image/svg+xml", include_bytes!("../page/icon.svg")),
        _ => return None,
    };
    let reply = Reply::page(kind, body)
        .field("Cache-Control", FieldValue::literal("no-cache"))
        .field("Content-Security-Policy", POLICY)
        .field("Referrer-Policy", FieldValue::literal("no-referrer"))
        .field("X-Content-Type-Options", FieldValue::literal("nosniff"));
    Some(reply)
}
