//! Hashing that nobody can foresee.

use std::hash::{BuildHasher, DefaultHasher, Hasher};

/// Hashing that starts from the machine's entropy, so that nobody can choose colliding names, and an imaginary machine
/// repeats itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(pub(crate) u64, pub(crate) u64);

impl BuildHasher for Seed {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher.write_u64(self.1);
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_know_which_names_collide() {
        let hash = |seed: Seed| seed.hash_one("a name");
        assert_eq!(hash(Seed(1, 2)), hash(Seed(1, 2)), "but an imaginary machine repeats itself");
        assert!(hash(Seed(1, 2)) != hash(Seed(1, 3)) && hash(Seed(1, 2)) != hash(Seed(2, 2)));
    }
}
