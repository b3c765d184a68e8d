//! Event streams that somebody has asked for: events in JSON, each checked when it comes.

use std::time::Duration;

use longwire_reactor::{Event, Id, Line};
use serde::Deserialize;

/// One event to be sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    id: Option<String>,
    name: Option<String>,
    /// In milliseconds.
    retry: Option<u64>,
    data: Option<String>,
}

impl Entry {
    /// The event, if there is such a one.
    pub(crate) fn event(&self) -> Result<Event<'_>, String> {
        let id = self.id.as_deref().map(Id::new).transpose().map_err(|fault| fault.to_string())?;
        let name = self.name.as_deref().map(Line::new).transpose().map_err(|fault| fault.to_string())?;
        Ok(Event { id, name, retry: self.retry.map(Duration::from_millis), data: self.data.as_deref() })
    }
}

/// Reads a list of events; refuses it all if one of them cannot be.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Entry>, String> {
    let entries: Vec<Entry> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    entries.iter().try_for_each(|entry| entry.event().map(drop))?;
    Ok(entries)
}
