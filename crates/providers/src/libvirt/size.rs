//! Sizes, of which libvirt has none: a machine takes what it is given. So an id is what it says: processors, memory in
//! MiB and, where it is wanted, the disk in GiB, as `2x4096` or `2x4096x40`.

use roadstead_api::size::Size;
use serde_json::Map;

use crate::error::{Error, Result};

/// Sizes that are offered. Any other of the same form is taken, too.
const OFFERED: [(u32, u64); 7] =
    [(1, 512), (1, 1024), (1, 2048), (2, 4096), (4, 8192), (8, 16_384), (16, 32_768)];

const MAX_CPUS: u32 = 512;
const MEMORY_MIB: std::ops::RangeInclusive<u64> = 16..=16 * 1024 * 1024;
const MAX_DISK_GIB: u64 = 64 * 1024;

/// How large a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) cpus: u32,
    pub(super) memory_mib: u64,
    pub(super) disk_bytes: Option<u64>,
}

impl Shape {
    /// Reads a size's id.
    pub(super) fn parse(id: &str) -> Result<Self> {
        let wrong =
            || Error::invalid("size", "has to look like 2x4096 or 2x4096x40: processors, MiB, GiB of disk");
        let mut parts = id.split('x');
        let number = |part: Option<&str>| part.filter(|p| p.len() < 10).and_then(|p| p.parse::<u64>().ok());
        let cpus = number(parts.next()).and_then(|cpus| u32::try_from(cpus).ok()).ok_or_else(wrong)?;
        let memory_mib = number(parts.next()).ok_or_else(wrong)?;
        let disk_gib = match parts.next() {
            None => None,
            part => Some(number(part).filter(|gib| (1..=MAX_DISK_GIB).contains(gib)).ok_or_else(wrong)?),
        };
        if parts.next().is_some() || !(1..=MAX_CPUS).contains(&cpus) || !MEMORY_MIB.contains(&memory_mib) {
            return Err(wrong());
        }
        Ok(Self { cpus, memory_mib, disk_bytes: disk_gib.map(|gib| gib << 30) })
    }
}

/// The sizes that are offered.
pub(super) fn offered() -> Vec<Size> {
    let shape = |(cpus, memory_mib)| Shape { cpus, memory_mib, disk_bytes: None };
    OFFERED.map(shape).map(|shape| size(format!("{}x{}", shape.cpus, shape.memory_mib), shape)).into()
}

/// The size with this id.
pub(super) fn named(id: &str) -> Result<Size> {
    Ok(size(id.to_owned(), Shape::parse(id)?))
}

fn size(id: String, shape: Shape) -> Size {
    let Shape { cpus, memory_mib, disk_bytes } = shape;
    Size {
        id,
        name: format!("{cpus} CPU, {memory_mib} MiB"),
        cpus: Some(cpus),
        memory_bytes: Some(memory_mib << 20),
        disk_bytes,
        price: None,
        extra: Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Shape, named, offered};

    #[test]
    fn ids_say_what_they_are() {
        let shape = Shape::parse("2x4096x40").unwrap();
        assert_eq!((shape.cpus, shape.memory_mib, shape.disk_bytes), (2, 4096, Some(40 << 30)));
        assert!(offered().iter().all(|size| named(&size.id).unwrap() == *size));
        for odd in
            ["", "2", "x", "2x", "0x512", "2x8", "2x512x", "2x512x0", "2x512x1x1", "-1x512", "2x99999999999"]
        {
            assert_eq!(Shape::parse(odd).unwrap_err().field(), Some("size"), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_id_makes_it_fall_over(text in any::<String>(), cpus in 1u32..512, memory in 16u64..1_000_000) {
            let _ = Shape::parse(&text);
            let shape = Shape::parse(&format!("{cpus}x{memory}")).unwrap();
            prop_assert_eq!((shape.cpus, shape.memory_mib), (cpus, memory));
        }
    }
}
