//! Making a machine from an order: a disk that stands on the image, a seed for cloud-init, a domain, and its start.
//!
//! Invariants: a machine's UUID comes from the order's token and its name, so an order that is sent again makes nothing
//! twice; of an order that fails, what it made is taken away again, and nothing else.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    domain::Mark,
    inventory::{Pool, pool_named, volume_named},
    iso9660,
    size::Shape,
    virsh::Virsh,
    xml::{NewDomain, overlay},
};
use crate::{
    capability::Limits,
    error::{Error, ErrorKind, Result},
    machine::MachineOrder,
};

/// How long names may be, and how many machines one order may make.
pub(super) const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 63, machines_per_order: 50 };

/// How long what cloud-init reads may be, in bytes.
const MAX_USER_DATA_BYTES: usize = 256 * 1024;

/// What all machines of an order have in common.
pub(super) struct Plan<'a> {
    order: &'a MachineOrder,
    shape: Shape,
    pool: Pool,
    folder: String,
    base: String,
    base_format: String,
    disk_bytes: u64,
    kvm: bool,
    architecture: String,
    networks: Vec<String>,
}

/// Checks an order before any call.
pub(super) fn check(order: &MachineOrder) -> Result<(Shape, (&str, &str))> {
    order.check(&LIMITS)?;
    check_name(&order.name)?;
    if !order.container.is_empty() {
        return Err(Error::invalid("command", "and the like are for containers; give cloud_init"));
    }
    if order.user_data.as_ref().is_some_and(|text| text.len() > MAX_USER_DATA_BYTES) {
        return Err(Error::invalid("cloud_init", format!("is longer than {MAX_USER_DATA_BYTES} bytes")));
    }
    let image = order.image.split_once('/').filter(|(pool, volume)| plain(pool) && plain(volume));
    let image =
        image.ok_or_else(|| Error::invalid("image", "has to look like POOL/VOLUME, as the list shows it"))?;
    for (field, names) in [("location", order.location.as_slice()), ("networks", order.networks.as_slice())] {
        if !names.iter().all(|name| plain(name)) {
            return Err(Error::invalid(field, "has a name that libvirt cannot have"));
        }
    }
    Ok((Shape::parse(&order.size)?, image))
}

/// Checks a machine's name. It becomes the names of files, too.
pub(super) fn check_name(name: &str) -> Result<()> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !begins || name.len() > LIMITS.name_chars || !name.chars().all(fits) {
        return Err(Error::invalid("name", "takes letters, digits, dots, dashes and underscores"));
    }
    Ok(())
}

/// Whether a text can be the name of something of libvirt's.
fn plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.chars().any(|c| c.is_control() || "'\"\\!".contains(c))
}

impl<'a> Plan<'a> {
    /// Looks up what the order names.
    pub(super) async fn of(virsh: &Virsh, order: &'a MachineOrder, emulate: bool) -> Result<Self> {
        let (shape, (pool, volume)) = check(order)?;
        order.progress.tell(|| format!("looking at the image {}", order.image));
        let image =
            volume_named(virsh, pool, volume).await.map_err(|error| missing("image", &order.image, error))?;
        let pool = order.location.as_deref().unwrap_or(pool);
        let pool = pool_named(virsh, pool).await.map_err(|error| missing("location", pool, error))?;
        let Some(folder) = pool.folder.clone() else {
            return Err(Error::invalid(
                "location",
                "is no pool of files; disks cannot stand on an image there",
            ));
        };
        let (kvm, architecture) = capabilities(virsh, emulate).await?;
        let networks = match order.networks.as_slice() {
            [] => default_network(virsh).await?.into_iter().collect(),
            given => given.to_vec(),
        };
        let disk_bytes = image.bytes.max(shape.disk_bytes.unwrap_or(0));
        let (base, base_format) = (image.path, image.format);
        Ok(Self { order, shape, pool, folder, base, base_format, disk_bytes, kvm, architecture, networks })
    }

    /// Makes and starts one machine, and returns its id.
    pub(super) async fn make(&self, virsh: &Virsh, name: &str) -> Result<String> {
        let uuid = uuid_of(&self.order.token, name);
        let domain = format!("--domain={uuid}");
        match virsh.run(&["domstate", &domain]).await {
            Ok(state) => {
                // This order made it before, and may have been cut off there.
                if state.trim() == "shut off" {
                    virsh.run(&["start", &domain]).await?;
                }
                return Ok(uuid);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let (disk, seed) = (format!("{name}.qcow2"), format!("{name}.seed.iso"));
        self.order.progress.tell(|| format!("making the disk of {name}"));
        let xml = overlay(&disk, self.disk_bytes, &self.base, &self.base_format);
        let pool = format!("--pool={}", self.pool.name);
        virsh.fed(&["vol-create", &pool, "--file=/dev/stdin"], Some(xml.as_bytes())).await?;
        let made = self.finish(virsh, name, &uuid, &disk, &seed).await;
        if made.is_err() {
            // What cannot be taken away shows in the lists.
            let _ = virsh.run(&["undefine", &domain]).await;
            for volume in [&disk, &seed] {
                let _ = virsh.run(&["vol-delete", &pool, &format!("--vol={volume}")]).await;
            }
        }
        made.map(|()| uuid)
    }

    async fn finish(&self, virsh: &Virsh, name: &str, uuid: &str, disk: &str, seed: &str) -> Result<()> {
        let seeded = self.order.public_key.is_some() || self.order.user_data.is_some();
        if seeded {
            self.upload_seed(virsh, name, uuid, seed).await?;
        }
        let mark = Mark {
            image: Some(self.order.image.clone()),
            seed: seeded.then(|| (self.pool.name.clone(), seed.to_owned())),
            created_at: Some(Timestamp::now().to_string()),
            tags: Vec::new(),
        };
        let domain = NewDomain {
            uuid,
            name,
            kvm: self.kvm,
            architecture: &self.architecture,
            cpus: self.shape.cpus,
            memory_mib: self.shape.memory_mib,
            pool: &self.pool.name,
            disk,
            seed: seeded.then_some(seed),
            networks: &self.networks,
            console: &format!("{}/{name}.console.log", self.folder.trim_end_matches('/')),
            mark: &mark,
        };
        virsh.fed(&["define", "--file=/dev/stdin"], Some(domain.xml().as_bytes())).await?;
        self.order.progress.tell(|| format!("starting {name}"));
        virsh.run(&["start", &format!("--domain={uuid}")]).await.map(drop)
    }

    async fn upload_seed(&self, virsh: &Virsh, name: &str, uuid: &str, seed: &str) -> Result<()> {
        let image = seed_image(self.order, name, uuid);
        let (pool, bytes) = (format!("--pool={}", self.pool.name), format!("--capacity={}b", image.len()));
        virsh.run(&["vol-create-as", &pool, &format!("--name={seed}"), &bytes, "--format=raw"]).await?;
        let volume = format!("--vol={seed}");
        virsh.fed(&["vol-upload", &pool, &volume, "--file=/dev/stdin"], Some(&image)).await.map(drop)
    }
}

/// What cloud-init's NoCloud source reads. JSON is YAML.
fn seed_image(order: &MachineOrder, name: &str, uuid: &str) -> Vec<u8> {
    let keys: Vec<&str> = order.public_key.iter().map(|key| key.trim()).collect();
    let meta = json!({"instance-id": uuid, "local-hostname": name, "public-keys": keys}).to_string();
    let user = order.user_data.as_deref().unwrap_or("#cloud-config\n");
    iso9660::image("CIDATA", &[("meta-data", meta.as_bytes()), ("user-data", user.as_bytes())])
}

fn missing(field: &str, name: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => {
            Error::new(ErrorKind::NotFound, format!("there is no {field} {name}")).caused_by(error)
        }
        _ => error,
    }
}

/// Whether the hypervisor has KVM for us, and its own architecture.
async fn capabilities(virsh: &Virsh, emulate: bool) -> Result<(bool, String)> {
    let xml = virsh.run(&["domcapabilities"]).await?;
    let document = super::domain::document(&xml)?;
    let root = document.root_element();
    let kvm = super::domain::text(root, "domain").as_deref() == Some("kvm");
    let architecture = super::domain::text(root, "arch").unwrap_or_else(|| "x86_64".to_owned());
    Ok((kvm && !emulate, architecture))
}

/// The network that libvirt itself sets up, where it runs.
async fn default_network(virsh: &Virsh) -> Result<Option<String>> {
    let running = virsh.run(&["net-list", "--name"]).await?;
    Ok(running.lines().map(str::trim).find(|name| *name == "default").map(str::to_owned))
}

/// A UUID of version 8 that is always the same for an order and a name.
fn uuid_of(token: &str, name: &str) -> String {
    let digest = Sha256::new().chain_update(token).chain_update([0]).chain_update(name).finalize();
    let mut hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // The places of version and variant, RFC 9562.
    hex.replace_range(12..13, "8");
    hex.replace_range(16..17, "a");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, prop_assert_ne, proptest};

    use super::uuid_of;
    use crate::libvirt::inventory::is_uuid;

    proptest! {
        #[test]
        fn uuids_follow_from_token_and_name(token in ".{0,20}", name in "[a-z]{1,10}", other in "[a-z]{1,10}") {
            let uuid = uuid_of(&token, &name);
            prop_assert!(is_uuid(&uuid), "{uuid}");
            prop_assert_eq!(&uuid, &uuid_of(&token, &name));
            if name != other {
                prop_assert_ne!(uuid, uuid_of(&token, &other));
            }
        }
    }
}
