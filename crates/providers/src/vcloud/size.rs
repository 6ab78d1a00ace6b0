//! Sizes, of which the API has none: a machine takes what it is given. So an id says what it is, processors and memory
//! in MiB, as `2x4096`; and one stands for whatever the template has.

use roadstead_api::size::Size;
use serde_json::Map;

use crate::error::{Error, Result};

/// The id of the size that machines have by themselves.
const TEMPLATE: &str = "template";

/// Sizes that are offered. Any other of the same form is taken, too.
const OFFERED: [(u32, u64); 6] = [(1, 1024), (1, 2048), (2, 4096), (4, 8192), (8, 16_384), (16, 32_768)];

const CPUS: std::ops::RangeInclusive<u32> = 1..=512;
const MEMORY_MIB: std::ops::RangeInclusive<u64> = 4..=16 * 1024 * 1024;

/// How large a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hardware {
    pub(super) cpus: u32,
    pub(super) memory_mib: u64,
}

impl Hardware {
    /// Reads a size's id.
    pub(super) fn parse(id: &str) -> Result<Self> {
        let wrong = || Error::invalid("size", "has to look like 2x4096: processors, and memory in MiB");
        let plain = id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'x');
        let (cpus, memory) = id.split_once('x').filter(|_| plain).ok_or_else(wrong)?;
        let cpus = cpus.parse().ok().filter(|cpus| CPUS.contains(cpus)).ok_or_else(wrong)?;
        let memory_mib = memory.parse().ok().filter(|mib| MEMORY_MIB.contains(mib)).ok_or_else(wrong)?;
        Ok(Self { cpus, memory_mib })
    }

    /// What an order of this size asks for, if it asks for anything.
    pub(super) fn of_order(id: &str) -> Result<Option<Self>> {
        if id == TEMPLATE { Ok(None) } else { Self::parse(id).map(Some) }
    }

    /// The size's id.
    pub(super) fn id(self) -> String {
        format!("{}x{}", self.cpus, self.memory_mib)
    }

    /// The size.
    pub(super) fn size(self) -> Size {
        Size {
            id: self.id(),
            name: format!("{} CPU, {} MiB", self.cpus, self.memory_mib),
            cpus: Some(self.cpus),
            memory_bytes: Some(self.memory_mib << 20),
            disk_bytes: None,
            price: None,
            extra: Map::new(),
        }
    }
}

/// The sizes that are offered: that of the template first.
pub(super) fn offered() -> Vec<Size> {
    let template = Size {
        id: TEMPLATE.into(),
        name: "As large as the template".into(),
        cpus: None,
        memory_bytes: None,
        disk_bytes: None,
        price: None,
        extra: Map::new(),
    };
    let others = OFFERED.map(|(cpus, memory_mib)| Hardware { cpus, memory_mib }.size());
    std::iter::once(template).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Hardware, TEMPLATE, offered};

    #[test]
    fn ids_say_what_they_are() {
        assert_eq!(Hardware::parse("2x4096").unwrap(), Hardware { cpus: 2, memory_mib: 4096 });
        assert!(offered().iter().skip(1).all(|size| Hardware::parse(&size.id).unwrap().id() == size.id));
        for odd in ["", TEMPLATE, "2", "x", "2x", "0x512", "+2x512", "2x+512", "2x1", "2x512x1", "600x512"] {
            assert_eq!(Hardware::parse(odd).unwrap_err().field(), Some("size"), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_id_makes_it_fall_over(text in any::<String>(), cpus in 1u32..512, memory_mib in 16u64..1_000_000) {
            let _ = Hardware::parse(&text);
            let hardware = Hardware { cpus, memory_mib };
            prop_assert_eq!(Hardware::parse(&hardware.id()).unwrap(), hardware);
        }
    }
}
