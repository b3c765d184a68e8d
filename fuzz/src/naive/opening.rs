//! The opening handshake, read from a request by somebody who asks one question after the other: RFC 6455 §4.2.1. All that is wrong
//! with it is said.

use longwire_handshake::Refusal;

use super::extensions::{self, Extension};
use super::request::{Body, Request, is_token, list};

/// What the client would speak, the best first.
#[derive(Debug)]
pub struct Opening {
    pub key: String,
    pub protocols: Vec<String>,
    pub extensions: Vec<Extension>,
}

/// # Errors
/// All that is wrong.
pub fn read(request: &Request) -> Result<Opening, Vec<Refusal>> {
    let (keys, versions) = (request.values("sec-websocket-key"), request.values("sec-websocket-version"));
    let protocols = request.values("sec-websocket-protocol");
    let fields = request.values("sec-websocket-extensions");
    let offers: Vec<_> =
        fields.iter().map(|value| extensions::read(value).filter(|offers| !offers.is_empty())).collect();
    let is_list_of_tokens = |value: &String| !list(value).is_empty() && list(value).into_iter().all(is_token);
    let faults: Vec<Refusal> = [
        (request.method != "GET", Refusal::MethodNotAllowed),
        (request.is_http_1_0, Refusal::UpgradeInHttp10),
        (!request.lists("upgrade", "websocket"), Refusal::UpgradeMissing),
        (!request.lists("connection", "upgrade"), Refusal::ConnectionLacksUpgrade),
        (versions.len() > 1, Refusal::VersionRepeated),
        (versions.len() < 2 && versions != ["13"], Refusal::UpgradeRequired),
        (keys.len() > 1, Refusal::KeyRepeated),
        (keys.is_empty(), Refusal::KeyMissing),
        (keys.len() == 1 && !is_key(&keys[0]), Refusal::BadKey),
        (!protocols.iter().all(is_list_of_tokens), Refusal::BadProtocols),
        (offers.contains(&None), Refusal::BadExtensions),
        (!matches!(request.body, Body::None | Body::Length(0)), Refusal::UpgradeWithContent),
    ]
    .into_iter()
    .filter_map(|(is_wrong, fault)| is_wrong.then_some(fault))
    .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Opening {
        key: keys.concat(),
        protocols: protocols.iter().flat_map(|value| list(value)).map(str::to_owned).collect(),
        extensions: offers.into_iter().flatten().flatten().collect(),
    })
}

/// 16 bytes in Base64 are 22 letters and two signs for what is missing (RFC 4648 §4). What the last letter has to spare means
/// nothing.
fn is_key(key: &str) -> bool {
    key.strip_suffix("==").is_some_and(|letters| {
        letters.len() == 22 && letters.chars().all(|char| char.is_ascii_alphanumeric() || "+/".contains(char))
    })
}
