//! What a hypervisor has beside its machines: pools, volumes and networks, as locations, images and networks.

use roadstead_api::{
    image::Image,
    location::Location,
    network::{Network, Subnet},
};
use roxmltree::Node;
use serde_json::json;

use super::{
    domain::{bytes, child, document, text},
    virsh::{Virsh, answers, marked},
};
use crate::error::{Error, ErrorKind, Result};

/// Kinds of pool whose volumes are files in a folder; only there can a volume stand on another.
const FOLDERS: [&str; 3] = ["dir", "fs", "netfs"];
/// Formats of disks that machines can be made from.
const FORMATS: [&str; 7] = ["raw", "qcow2", "qcow", "vmdk", "vdi", "vhdx", "qed"];
/// The most volumes whose particulars are asked for in one call.
const BATCH: usize = 100;

/// A pool.
#[derive(Debug, PartialEq)]
pub(super) struct Pool {
    pub(super) name: String,
    /// The folder, of pools that are one.
    pub(super) folder: Option<String>,
}

/// A volume.
#[derive(Debug, PartialEq)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) format: String,
    pub(super) bytes: u64,
}

/// A name as the value of an option, within a line of questions. virsh reads double quotes and backslashes there.
pub(super) fn option(name: &str, value: &str) -> Result<String> {
    if value.contains(['"', '\\', '\'']) || value.chars().any(char::is_control) {
        return Err(Error::new(ErrorKind::Invalid, format!("the {name} has a name with quotes in it")));
    }
    Ok(format!("\"--{name}={value}\""))
}

/// The pools that are running.
pub(super) async fn pools(virsh: &Virsh) -> Result<Vec<Pool>> {
    let ids = uuids(&virsh.run(&["pool-list", "--uuid"]).await?);
    let mut questions = vec![marked("begin")];
    for id in ids {
        questions.extend([marked("pool"), format!("pool-dumpxml --pool={id}")]);
    }
    let text = virsh.ask(&questions).await?;
    Ok(answers(&text).filter(|(name, _)| *name == "pool").filter_map(|(_, xml)| pool(xml)).collect())
}

/// The pool of this name.
pub(super) async fn pool_named(virsh: &Virsh, name: &str) -> Result<Pool> {
    let xml = virsh.run(&["pool-dumpxml", &format!("--pool={name}")]).await?;
    pool(&xml).ok_or_else(|| Error::new(ErrorKind::Malformed, "virsh tells of a pool without a name"))
}

/// The volume of this name.
pub(super) async fn volume_named(virsh: &Virsh, pool: &str, name: &str) -> Result<Volume> {
    let xml = virsh.run(&["vol-dumpxml", &format!("--pool={pool}"), &format!("--vol={name}")]).await?;
    volume(&xml).ok_or_else(|| Error::new(ErrorKind::Malformed, "virsh tells of a volume without a name"))
}

/// Every volume that is the disk of a machine to be: those of folders, in a format of disks, and none that
/// `taken` says is some machine's own.
pub(super) async fn images(virsh: &Virsh, taken: impl Fn(&str, &Volume) -> bool) -> Result<Vec<Image>> {
    let mut images = Vec::new();
    for pool in pools(virsh).await?.iter().filter(|pool| pool.folder.is_some()) {
        let listed = virsh.run(&["vol-list", &format!("--pool={}", pool.name)]).await?;
        let names: Vec<&str> = volume_names(&listed, pool.folder.as_deref().unwrap_or_default());
        for names in names.chunks(BATCH) {
            let mut questions = vec![marked("begin")];
            for name in names {
                // A name that cannot be asked for cannot be made a machine from.
                let (Ok(pool), Ok(volume)) = (option("pool", &pool.name), option("vol", name)) else {
                    continue;
                };
                questions.extend([marked("volume"), format!("vol-dumpxml {pool} {volume}")]);
            }
            let text = virsh.ask(&questions).await?;
            let volumes =
                answers(&text).filter(|(name, _)| *name == "volume").filter_map(|(_, xml)| volume(xml));
            images.extend(
                volumes.filter(|volume| !taken(&pool.name, volume)).filter_map(|v| image(&pool.name, v)),
            );
        }
    }
    Ok(images)
}

/// The names in a list of volumes, which has the name, blanks and the path in each line. Names may have blanks in them,
/// so the path is what is looked for.
fn volume_names<'a>(listed: &'a str, folder: &str) -> Vec<&'a str> {
    let separator = format!(" {}", folder.trim_end_matches('/'));
    let lines = listed.lines().filter_map(|line| Some(line.split_once(&separator)?.0.trim()));
    lines.filter(|name| !name.is_empty()).collect()
}

fn image(pool: &str, volume: Volume) -> Option<Image> {
    let helper = volume.name.ends_with(".console.log") || volume.name.ends_with(".seed.iso");
    if helper || !FORMATS.contains(&volume.format.as_str()) {
        return None;
    }
    let extra =
        json!({"pool": pool, "format": volume.format, "path": volume.path, "capacity_bytes": volume.bytes});
    let extra = extra.as_object().cloned().unwrap_or_default();
    Some(Image { id: format!("{pool}/{}", volume.name), name: volume.name, extra })
}

/// Places where a machine's disks can be.
pub(super) async fn locations(virsh: &Virsh) -> Result<Vec<Location>> {
    let folders = pools(virsh).await?.into_iter().filter(|pool| pool.folder.is_some());
    Ok(folders.map(|pool| Location { id: pool.name.clone(), name: pool.name, country: None }).collect())
}

/// Every network, running or not.
pub(super) async fn networks(virsh: &Virsh) -> Result<Vec<Network>> {
    let ids = uuids(&virsh.run(&["net-list", "--all", "--uuid"]).await?);
    let active = uuids(&virsh.run(&["net-list", "--uuid"]).await?);
    let mut questions = vec![marked("begin")];
    for id in &ids {
        questions.extend([marked(id), format!("net-dumpxml --network={id}")]);
    }
    let text = virsh.ask(&questions).await?;
    Ok(answers(&text).filter_map(|(id, xml)| network(xml, active.iter().any(|known| known == id))).collect())
}

/// The lines that are UUIDs.
pub(super) fn uuids(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| is_uuid(line)).map(str::to_owned).collect()
}

/// Whether a text is a UUID as libvirt writes it.
pub(super) fn is_uuid(text: &str) -> bool {
    let dash = |at: usize| [8, 13, 18, 23].contains(&at);
    let fits = |(at, byte): (usize, u8)| match dash(at) {
        true => byte == b'-',
        false => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn pool(xml: &str) -> Option<Pool> {
    let document = document(xml).ok()?;
    let root = document.root_element();
    let is_folder = FOLDERS.contains(&root.attribute("type")?);
    let folder = child(root, "target").and_then(|target| text(target, "path")).filter(|_| is_folder);
    Some(Pool { name: text(root, "name")?, folder })
}

fn volume(xml: &str) -> Option<Volume> {
    let document = document(xml).ok()?;
    let root = document.root_element();
    let target = child(root, "target")?;
    let format = child(target, "format").and_then(|format| format.attribute("type")).unwrap_or("raw");
    Some(Volume {
        name: text(root, "name")?,
        path: text(target, "path")?,
        format: format.to_owned(),
        bytes: child(root, "capacity").and_then(bytes).unwrap_or_default(),
    })
}

fn network(xml: &str, active: bool) -> Option<Network> {
    let document = document(xml).ok()?;
    let root = document.root_element();
    let name = text(root, "name")?;
    let ranges = root.children().filter(|node| node.tag_name().name() == "ip").filter_map(range);
    let subnets = ranges.map(|cidr| Subnet { id: cidr.clone(), name: cidr.clone(), cidr }).collect();
    let bridge = child(root, "bridge").and_then(|bridge| bridge.attribute("name"));
    let mode = child(root, "forward").map(|forward| forward.attribute("mode").unwrap_or("nat"));
    let extra = json!({"uuid": text(root, "uuid"), "active": active, "bridge": bridge, "forward": mode});
    let extra = extra.as_object().cloned().unwrap_or_default();
    Some(Network { id: name.clone(), name, subnets, extra })
}

/// The range of an `ip` element, by its prefix or its mask.
fn range(ip: Node<'_, '_>) -> Option<String> {
    let address: std::net::IpAddr = ip.attribute("address")?.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix: u32 = match (ip.attribute("prefix"), ip.attribute("netmask")) {
        (Some(prefix), _) => prefix.parse().ok().filter(|&prefix| prefix <= whole)?,
        (None, Some(mask)) => u32::from(mask.parse::<std::net::Ipv4Addr>().ok()?).leading_ones(),
        (None, None) => return None,
    };
    let network = match address {
        std::net::IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            std::net::IpAddr::V4((u32::from(v4) & mask).into())
        }
        std::net::IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            std::net::IpAddr::V6((u128::from(v6) & mask).into())
        }
    };
    Some(format!("{network}/{prefix}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{is_uuid, network, option, pool, uuids, volume, volume_names};
    use crate::libvirt::virsh::answers;

    #[test]
    fn pools_volumes_and_networks_are_read() {
        let folder =
            pool("<pool type='dir'><name>images</name><target><path>/v</path></target></pool>").unwrap();
        assert_eq!((folder.name.as_str(), folder.folder.as_deref()), ("images", Some("/v")));
        let disks = "<pool type='logical'><name>lvm</name><target><path>/dev/vg</path></target></pool>";
        assert_eq!(pool(disks).unwrap().folder, None);
        let disk = volume(
            "<volume><name>a</name><capacity unit='G'>2</capacity><target><path>/v/a</path>\
            <format type='qcow2'/></target></volume>",
        )
        .unwrap();
        assert_eq!((disk.format.as_str(), disk.bytes), ("qcow2", 2 << 30));
        let net = network(
            "<network><name>n</name><bridge name='b'/><ip address='10.1.2.3' netmask='255.255.0.0'/>\
            <ip family='ipv6' address='fd00::7' prefix='64'/><ip address='1.2.3.4' prefix='99'/></network>",
            true,
        )
        .unwrap();
        let ranges: Vec<&str> = net.subnets.iter().map(|subnet| subnet.cidr.as_str()).collect();
        assert_eq!(ranges, ["10.1.0.0/16", "fd00::/64"]);
        assert_eq!(volume_names(" a b.img   /v/a b.img\n c   /v/c\n junk\n", "/v/"), ["a b.img", "c"]);
    }

    #[test]
    fn names_stay_values_of_options() {
        assert_eq!(option("vol", "-a; undefine b").unwrap(), "\"--vol=-a; undefine b\"");
        for name in ["a\"b", "a\\", "it's", "a\nb"] {
            assert!(option("vol", name).is_err());
        }
        assert!(is_uuid("6695eb01-f6a4-8304-79aa-97f2502e193f"));
        for odd in
            ["", "6695eb01-f6a4-8304-79aa-97f2502e193F", "6695eb01xf6a4-8304-79aa-97f2502e193f", "--all"]
        {
            assert!(!is_uuid(odd), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fall_over(text in any::<String>(), folder in ".{0,10}") {
            for (name, answer) in answers(&format!("{text}<<<a>{text}<<<b")) {
                prop_assert!(!name.contains('>'));
                let _ = (pool(answer), volume(answer), network(answer, true));
            }
            let _ = volume_names(&text, &folder);
            prop_assert!(uuids(&text).iter().all(|id| is_uuid(id)));
        }

        #[test]
        fn no_range_makes_it_fall_over(address in any::<std::net::IpAddr>(), prefix in 0u32..200, mask in any::<u32>()) {
            let mask = std::net::Ipv4Addr::from(mask);
            let _ = network(&format!("<n><name>n</name><ip address='{address}' prefix='{prefix}'/></n>"), false).unwrap();
            let _ = network(&format!("<n><name>n</name><ip address='{address}' netmask='{mask}'/></n>"), false).unwrap();
        }
    }
}
