//! Writes the vectors into `corpus/`, a folder for each target, where cargo-fuzz looks for what to begin with.

use std::fs;
use std::path::Path;

use longwire_fuzz::{PROPERTIES, vectors};

fn main() -> std::io::Result<()> {
    for (name, _) in PROPERTIES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        fs::create_dir_all(&folder)?;
        let inputs = vectors::inputs(name);
        for (id, input) in &inputs {
            fs::write(folder.join(id), input)?;
        }
        println!("{name}: {} vectors", inputs.len());
    }
    Ok(())
}
