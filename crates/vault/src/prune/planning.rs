//! What to do with each pack.

use std::collections::HashMap;

use super::{PackUse, PruneOptions, PrunePlan, Survey};
use crate::id::Id;
use crate::pack::{BlobKind, PACK_SIZE};

/// Packs below this size, in bytes, are worth merging, once there are so many of a kind: every backup
/// leaves a small one, and stores do not love small files.
const SMALL: u64 = PACK_SIZE as u64 / 8;
const MANY: usize = 16;

impl Survey {
    /// The plan that these facts come to.
    pub(super) fn plan(&self, options: &PruneOptions) -> PrunePlan {
        let mut packs: Vec<PackUse> = self.uses().into_values().collect();
        packs.sort_by_key(|pack| pack.pack);
        let (drop, used): (Vec<_>, Vec<_>) = packs.into_iter().partition(|pack| pack.used == 0);
        let (mut repack, mut keep) = wasteful(used, options.max_waste);
        for small in small(&keep, &self.kinds()) {
            keep.retain(|pack| !small.contains(pack));
            repack.extend(small);
        }
        let mut unreadable: Vec<_> = self.unreadable.iter().map(|(pack, size)| (*pack, *size)).collect();
        unreadable.sort();
        PrunePlan { keep, repack, drop, unreadable, junk_snapshots: self.usage.junk.clone() }
    }

    /// What each pack holds; data, where it holds both.
    fn kinds(&self) -> HashMap<Id, BlobKind> {
        let mut kinds = HashMap::new();
        for location in self.blobs.index.iter() {
            let kind = kinds.entry(location.pack).or_insert(location.blob.kind);
            *kind = (*kind).min(location.blob.kind);
        }
        kinds
    }
}

/// The packs to rewrite, the most wasteful first, until what is left is within `max_waste`; and the rest.
fn wasteful(mut packs: Vec<PackUse>, max_waste: f64) -> (Vec<PackUse>, Vec<PackUse>) {
    let share = |pack: &PackUse| pack.waste() as f64 / pack.size.max(1) as f64;
    packs.sort_by(|a, b| share(b).total_cmp(&share(a)).then(a.pack.cmp(&b.pack)));
    let used: u64 = packs.iter().map(|pack| pack.used).sum();
    let allowed = used as f64 * max_waste.max(0.0);
    let mut waste: u64 = packs.iter().map(waste_beyond_header).sum();
    let mut count = 0;
    while waste as f64 > allowed && count < packs.len() {
        waste -= waste_beyond_header(&packs[count]);
        count += 1;
    }
    let keep = packs.split_off(count);
    (packs, keep)
}

/// Waste without what every pack takes that holds anything at all.
fn waste_beyond_header(pack: &PackUse) -> u64 {
    pack.waste().saturating_sub(crate::pack::header_size(std::iter::empty()))
}

/// Small packs that are worth merging, by kind.
fn small(packs: &[PackUse], kinds: &HashMap<Id, BlobKind>) -> Vec<Vec<PackUse>> {
    let of = |kind| {
        let fits = |pack: &&PackUse| pack.size < SMALL && kinds.get(&pack.pack) == Some(&kind);
        packs.iter().filter(fits).copied().collect::<Vec<_>>()
    };
    [BlobKind::Data, BlobKind::Tree].map(of).into_iter().filter(|packs| packs.len() >= MANY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(n: u8, size: u64, used: u64) -> PackUse {
        PackUse { pack: Id([n; 32]), size, used }
    }

    #[test]
    fn the_worst_packs_are_rewritten_until_little_waste_is_left() {
        let packs = [pack(1, 1000, 900), pack(2, 1000, 100), pack(3, 1000, 964), pack(4, 1000, 500)];
        let ids = |packs: &[PackUse]| packs.iter().map(|pack| pack.pack.0[0]).collect::<Vec<_>>();
        for (max_waste, expected) in [(1.0, vec![]), (0.3, vec![2]), (0.1, vec![2, 4]), (0.0, vec![2, 4, 1])]
        {
            let (repack, keep) = wasteful(packs.to_vec(), max_waste);
            assert_eq!(ids(&repack), expected, "{max_waste}");
            assert_eq!(repack.len() + keep.len(), packs.len());
        }
    }

    #[test]
    fn small_packs_are_merged_when_there_are_many_of_a_kind() {
        let packs: Vec<_> = (0..20).map(|n| pack(n, 1000, 1000)).collect();
        let kinds = |data: u8| -> HashMap<Id, BlobKind> {
            let kind = |n| if n < data { BlobKind::Data } else { BlobKind::Tree };
            (0..20).map(|n| (Id([n; 32]), kind(n))).collect()
        };
        assert_eq!(small(&packs, &kinds(10)).len(), 0);
        assert_eq!(small(&packs, &kinds(18)).iter().map(Vec::len).collect::<Vec<_>>(), [18]);
        let large: Vec<_> = (0..20).map(|n| pack(n, SMALL, SMALL)).collect();
        assert_eq!(small(&large, &kinds(20)).len(), 0);
    }
}
