//! Key files (skeleton).

/// What deriving a key from a password costs: scrypt's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    /// The binary logarithm of scrypt's N.
    pub log_n: u8,
    /// scrypt's r. Memory is 128 * r * N bytes.
    pub r: u32,
    /// scrypt's p.
    pub p: u32,
}

impl KdfCost {
    /// For passwords people choose: 32 MiB, about 0.1 seconds.
    pub const PASSWORD: Self = Self { log_n: 15, r: 8, p: 1 };
    /// For random keys of 256 bits, where stretching adds nothing: 1 MiB, a few milliseconds.
    pub const RANDOM_KEY: Self = Self { log_n: 10, r: 8, p: 1 };
}

impl Default for KdfCost {
    fn default() -> Self {
        Self::PASSWORD
    }
}
