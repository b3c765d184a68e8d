//! What a guest asks for, as its request's path says it.

/// What a guest can ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Route {
    WebSocket,
    Pieces,
    Events,
    Page,
}

impl Route {
    /// Whether it needs an upgrade.
    pub(crate) const fn upgrades(self) -> bool {
        matches!(self, Self::WebSocket | Self::Pieces)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "ws",
            Self::Pieces => "pieces",
            Self::Events => "events",
            Self::Page => "page",
        }
    }
}

/// What a request's path says: `/route/guest/number/size`, or `/later-route/…`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asks {
    pub(super) route: Route,
    pub(super) guest: usize,
    pub(super) number: u32,
    pub(super) size: usize,
    /// The answer may come later.
    pub(super) later: bool,
    /// HEAD.
    pub(super) headless: bool,
}

impl Asks {
    pub(super) fn parse(method: &str, path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let name = parts.next()?;
        let (later, name) = name.strip_prefix("later-").map_or((false, name), |name| (true, name));
        let routes = [Route::WebSocket, Route::Pieces, Route::Events, Route::Page];
        let route = routes.into_iter().find(|route| route.name() == name)?;
        let mut number = || parts.next()?.parse().ok();
        let headless = method == "HEAD";
        Some(Self { route, guest: number()?, number: number()? as u32, size: number()?, later, headless })
    }
}
