//! Polynomials over GF(2) as bit patterns, as far as the chunker needs them: remainders, and irreducible
//! ones of degree 53 found at random.
//!
//! Irreducibility is told by Ben-Or's test: `p` of degree `n` is irreducible if and only if for every `i`
//! up to `n / 2` the greatest common divisor of `p` and `x^(2^i) - x` is 1.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::Result;
use crate::random;

/// A polynomial; bit `i` is the coefficient of `x^i`. In JSON: hexadecimal digits without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Polynomial(pub(crate) u64);

/// The degree restic demands.
pub(crate) const DEGREE: u32 = 53;

impl Polynomial {
    /// A random irreducible polynomial of degree 53. One in 53 odd ones is, so this ends soon.
    pub(crate) fn random() -> Result<Self> {
        loop {
            let bits = u64::from_le_bytes(random::array()?);
            let candidate = Self((bits & ((1 << DEGREE) - 1)) | (1 << DEGREE) | 1);
            if candidate.is_irreducible() {
                return Ok(candidate);
            }
        }
    }

    /// The degree; `None` for zero.
    pub(crate) fn degree(self) -> Option<u32> {
        self.0.checked_ilog2()
    }

    /// The remainder of the division by `divisor`, which must not be zero.
    pub(crate) fn modulo(self, divisor: Self) -> Self {
        let mut rest = self.0;
        let Some(degree) = divisor.degree() else { return self };
        while let Some(top) = rest.checked_ilog2().filter(|top| *top >= degree) {
            rest ^= divisor.0 << (top - degree);
        }
        Self(rest)
    }

    pub(crate) fn is_irreducible(self) -> bool {
        let Some(degree) = self.degree().filter(|degree| *degree > 0) else { return false };
        let mut power = Self(2);
        for _ in 0..degree / 2 {
            power = power.square_modulo(self);
            if gcd(self.0, power.0 ^ 2) != 1 {
                return false;
            }
        }
        true
    }

    fn square_modulo(self, modulus: Self) -> Self {
        let mut product = 0;
        let mut shifted = self.modulo(modulus);
        let mut bits = self.0;
        while bits != 0 {
            if bits & 1 == 1 {
                product ^= shifted.0;
            }
            bits >>= 1;
            shifted = Self(shifted.0 << 1).modulo(modulus);
        }
        Self(product)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (Polynomial(a), Polynomial(b));
    while b.0 != 0 {
        (a, b) = (b, a.modulo(b));
    }
    a.0
}

impl Serialize for Polynomial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Polynomial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_small_irreducibles() {
        let irreducible: Vec<u64> = (2..32).filter(|p| Polynomial(*p).is_irreducible()).collect();
        assert_eq!(irreducible, [2, 3, 7, 11, 13, 19, 25, 31]);
    }

    #[test]
    fn accepts_restics_example() {
        assert!(Polynomial(0x25b468838dcb75).is_irreducible());
        assert_eq!(Polynomial(0x25b468838dcb75).degree(), Some(DEGREE));
        assert!(
            !Polynomial(0x25b468838dcb77).is_irreducible() || !Polynomial(0x25b468838dcb74).is_irreducible()
        );
    }

    #[test]
    fn random_ones_are_irreducible_and_differ() {
        let (a, b) = (Polynomial::random().unwrap(), Polynomial::random().unwrap());
        assert!(a.is_irreducible() && a != b && a.degree() == Some(DEGREE));
    }
}
