//! The documents that orders are. Whatever comes from outside is escaped.

use quick_xml::escape::escape;

use super::wire::{Record, Reference};
use crate::error::{Error, Result};

const VCLOUD: &str = "http://www.vmware.com/vcloud/v1.5";
const RASD: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData";
const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";

/// Where the words of a user's script end.
const SCRIPT_END: &str = "ROADSTEAD_END_OF_SCRIPT";

/// A machine to be made, in a vApp of its own.
pub(super) struct Compose<'a> {
    /// Its name and that of the vApp.
    pub(super) name: &'a str,
    /// The name that it has for itself.
    pub(super) computer: &'a str,
    /// The VM of the template.
    pub(super) source: &'a Reference,
    /// The network of the organization that it joins.
    pub(super) network: Option<&'a Record>,
    /// What it runs once it has been set up.
    pub(super) script: Option<&'a str>,
    /// Whether it is started at once.
    pub(super) starts: bool,
}

impl Compose<'_> {
    /// The order, as the schema's `ComposeVAppParams`.
    pub(super) fn document(&self) -> String {
        let name = escape(self.name);
        let (outside, inside) = self.network.map(networks).unwrap_or_default();
        let (source, source_name) = (escape(&self.source.href), escape(&self.source.name));
        let script = self
            .script
            .map(|script| format!("<CustomizationScript>{}</CustomizationScript>", escape(script)));
        let starts = self.starts;
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <ComposeVAppParams xmlns=\"{VCLOUD}\" xmlns:ovf=\"{OVF}\" name=\"{name}\" deploy=\"{starts}\" powerOn=\"{starts}\">\
             <InstantiationParams>{outside}</InstantiationParams>\
             <SourcedItem><Source href=\"{source}\" name=\"{source_name}\"/>\
             <VmGeneralParams><Name>{name}</Name><NeedsCustomization>true</NeedsCustomization></VmGeneralParams>\
             <InstantiationParams>{inside}<GuestCustomizationSection><ovf:Info>Guest</ovf:Info>\
             <Enabled>true</Enabled>{}<ComputerName>{}</ComputerName></GuestCustomizationSection>\
             </InstantiationParams></SourcedItem><AllEULAsAccepted>true</AllEULAsAccepted></ComposeVAppParams>",
            script.unwrap_or_default(),
            escape(self.computer),
        )
    }
}

/// The sections about a network: that of the vApp, and that of the machine.
fn networks(network: &Record) -> (String, String) {
    let (name, href) = (escape(&network.name), escape(&network.href));
    let outside = format!(
        "<NetworkConfigSection><ovf:Info>Networks</ovf:Info><NetworkConfig networkName=\"{name}\"><Configuration>\
         <ParentNetwork href=\"{href}\"/><FenceMode>bridged</FenceMode></Configuration></NetworkConfig>\
         </NetworkConfigSection>"
    );
    let inside = format!(
        "<NetworkConnectionSection><ovf:Info>Network</ovf:Info>\
         <PrimaryNetworkConnectionIndex>0</PrimaryNetworkConnectionIndex><NetworkConnection network=\"{name}\">\
         <NetworkConnectionIndex>0</NetworkConnectionIndex><IsConnected>true</IsConnected>\
         <IpAddressAllocationMode>DHCP</IpAddressAllocationMode></NetworkConnection></NetworkConnectionSection>"
    );
    (outside, inside)
}

/// The script that guest customization runs, after it has set the machine up.
pub(super) fn script(public_key: Option<&str>, user_data: Option<&str>) -> Result<Option<String>> {
    if public_key.is_none() && user_data.is_none() {
        return Ok(None);
    }
    let mut script = String::from("#!/bin/sh\n[ \"$1\" = postcustomization ] || exit 0\n");
    if let Some(key) = public_key.map(str::trim) {
        if key.contains(['\'', '\n', '\r']) {
            return Err(Error::invalid("key", "is not a public key in one line"));
        }
        script += "umask 077\nmkdir -p /root/.ssh\n";
        script += &format!("echo '{key}' >>/root/.ssh/authorized_keys\n");
    }
    if let Some(user_data) = user_data {
        if !user_data.starts_with("#!") || user_data.contains(SCRIPT_END) {
            let why = "takes a script that begins with #!; guest customization knows nothing of cloud-config";
            return Err(Error::invalid("user_data", why));
        }
        script += &format!(
            "cat >/root/roadstead-first-start <<'{SCRIPT_END}'\n{user_data}\n{SCRIPT_END}\n\
             chmod 700 /root/roadstead-first-start\n/root/roadstead-first-start\n"
        );
    }
    Ok(Some(script))
}

/// An order to give resources back, switching off what is on.
pub(super) fn undeploy() -> String {
    format!(
        "<UndeployVAppParams xmlns=\"{VCLOUD}\"><UndeployPowerAction>powerOff</UndeployPowerAction></UndeployVAppParams>"
    )
}

/// A piece of hardware, as the item of an OVF descriptor that stands for it: its type, its unit, and how much of it.
fn item(kind: u8, units: &str, name: &str, number: u8, quantity: u64) -> String {
    format!(
        "<Item xmlns=\"{VCLOUD}\" xmlns:rasd=\"{RASD}\"><rasd:AllocationUnits>{units}</rasd:AllocationUnits>\
         <rasd:ElementName>{name}</rasd:ElementName><rasd:InstanceID>{number}</rasd:InstanceID>\
         <rasd:ResourceType>{kind}</rasd:ResourceType><rasd:VirtualQuantity>{quantity}</rasd:VirtualQuantity></Item>"
    )
}

/// So many processors.
pub(super) fn processors(cpus: u32) -> String {
    item(3, "hertz * 10^6", &format!("{cpus} virtual CPU(s)"), 4, cpus.into())
}

/// So much memory.
pub(super) fn memory(mib: u64) -> String {
    item(4, "byte * 2^20", &format!("{mib} MB of memory"), 5, mib)
}

/// A text under a name, beside what else was said of a machine.
pub(super) fn metadata(name: &str, value: &str) -> String {
    let (name, value) = (escape(name), escape(value));
    format!(
        "<Metadata xmlns=\"{VCLOUD}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><MetadataEntry>\
         <Key>{name}</Key><TypedValue xsi:type=\"MetadataStringValue\"><Value>{value}</Value></TypedValue>\
         </MetadataEntry></Metadata>"
    )
}

/// An order to take another name.
pub(super) fn renamed(name: &str) -> String {
    format!("<Vm xmlns=\"{VCLOUD}\" name=\"{}\"/>", escape(name))
}

#[cfg(test)]
mod tests {
    use super::{metadata, renamed, script};

    #[test]
    fn what_comes_from_outside_stays_where_it_is_put() {
        assert!(renamed("a\"><b>").contains("name=\"a&quot;&gt;&lt;b&gt;\""));
        assert!(metadata("a", "[\"<b>\"]").contains("<Value>[&quot;&lt;b&gt;&quot;]</Value>"));
        assert_eq!(script(None, None).unwrap(), None);
        assert_eq!(script(Some("ssh-rsa A'; reboot #"), None).unwrap_err().field(), Some("key"));
        assert_eq!(script(None, Some("#cloud-config\n")).unwrap_err().field(), Some("user_data"));
        let whole = script(Some("ssh-rsa A me"), Some("#!/bin/sh\necho hi")).unwrap().unwrap();
        assert!(whole.contains("echo 'ssh-rsa A me' >>") && whole.contains("\necho hi\n"));
    }
}
