//! Every property in one program, for `cargo xtask test`, which fuzzes each for a moment and has no time to link twenty: which of them it is,
//! the environment says.
#![cfg_attr(fuzzing, no_main)]

use std::sync::LazyLock;

use longwire_fuzz::{PROPERTIES, Property};

static PROPERTY: LazyLock<Property> = LazyLock::new(|| {
    let name = std::env::var("PROPERTY").expect("PROPERTY names the property");
    let found = PROPERTIES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no property {name}")).1
});

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| PROPERTY(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    std::env::args_os().skip(1).try_for_each(|path| std::fs::read(path).map(|data| PROPERTY(&data)))
}
