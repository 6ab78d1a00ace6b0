//! The providers on their fakes: of each what is typed that others have no use for.

use std::{any::Any, net::SocketAddr};

use roadstead_providers::{
    SshKey,
    sim::{
        azure, bare_metal, digitalocean, docker, ec2, gce, libvirt, linode, nephoscale, openstack, softlayer,
        vcloud,
    },
};
use serde_json::{Value, json};

/// The only data centre of the fake Director.
const VDC: &str = "00000000-0000-0000-0000-000000000001";

/// A provider.
pub struct Case {
    pub provider: &'static str,
    pub region: Option<&'static str>,
    pub fields: Value,
    /// The field that is wrong at first, and its wrong value.
    pub wrong: (&'static str, String),
    /// Image, size and location of a machine, where one can be made.
    pub order: Option<[&'static str; 3]>,
    /// Another size.
    pub other_size: &'static str,
    pub address: SocketAddr,
    _fake: Box<dyn Any + Send + Sync>,
}

impl Case {
    fn new(
        provider: &'static str,
        address: SocketAddr,
        fake: impl Any + Send + Sync,
        fields: Value,
        wrong: (&'static str, &str),
    ) -> Self {
        let wrong = (wrong.0, wrong.1.to_owned());
        let _fake = Box::new(fake);
        Self { provider, region: None, fields, wrong, order: None, other_size: "large", address, _fake }
    }

    /// What is ordered, and the size that it is given later.
    fn ordering(
        self,
        image: &'static str,
        size: &'static str,
        location: &'static str,
        other: &'static str,
    ) -> Self {
        Self { order: Some([image, size, location]), other_size: other, ..self }
    }

    fn in_region(self, region: Option<&'static str>) -> Self {
        Self { region, ..self }
    }
}

/// Every provider on its fake.
pub async fn cases() -> Vec<Case> {
    let mut cases = simple_clouds().await;
    cases.extend([on_ec2().await, on_gce().await, on_azure().await]);
    cases.extend(openstacks().await);
    cases.extend(directors().await);
    cases.extend([on_docker().await, on_libvirt().await, on_bare_metal().await]);
    cases
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

async fn simple_clouds() -> Vec<Case> {
    let fake = digitalocean::Account::start().await.unwrap();
    let at = fake.address();
    let fields = json!({"token": digitalocean::TOKEN, "endpoint": url(at)});
    let digitalocean = Case::new("digitalocean", at, fake, fields, ("token", "dop_v1_somebody_else"));
    let fake = linode::Account::start().await.unwrap();
    let at = fake.address();
    let fields = json!({"api_key": linode::TOKEN, "endpoint": url(at)});
    let linode = Case::new("linode", at, fake, fields, ("api_key", "somebody else's token"));
    let fake = softlayer::Account::start().await.unwrap();
    let at = fake.address();
    let fields = json!({"username": softlayer::USER, "api_key": softlayer::KEY, "endpoint": url(at)});
    let softlayer = Case::new("softlayer", at, fake, fields, ("api_key", "somebody else's key"));
    let fake = nephoscale::Account::start().await.unwrap();
    let at = fake.address();
    let fields = json!({"username": nephoscale::USER, "password": nephoscale::PASSWORD, "endpoint": url(at)});
    let nephoscale = Case::new("nephoscale", at, fake, fields, ("password", "letmein"));
    vec![
        digitalocean.ordering("debian-12-x64", "s-1vcpu-1gb", "fra1", "s-2vcpu-2gb"),
        linode.ordering("linode/debian12", "g6-nanode-1", "eu-central", "g6-standard-2"),
        softlayer.ordering("DEBIAN_12_64", "B1_1X2X25", "dal13", "B1_2X2X25"),
        nephoscale.ordering("49", "27", "", "28"),
    ]
}

async fn on_ec2() -> Case {
    let fake = ec2::Account::start().await.unwrap();
    let at = fake.address();
    let fields = json!({"api_key": ec2::KEY, "api_secret": ec2::SECRET, "endpoint": url(at)});
    let case = Case::new("ec2", at, fake, fields, ("api_secret", "somebody else's secret"));
    let case = case.ordering("ami-0000000000000001", "t3.1large", "us-east-1a", "t3.2large");
    case.in_region(Some("ec2_us_east"))
}

async fn on_gce() -> Case {
    let fake = gce::Project::start().await.unwrap();
    let at = fake.address();
    let tokens = format!("{}/token", url(at));
    let key = gce::Project::key_file(gce::EMAIL);
    let fields = json!({"private_key": key, "endpoint": url(at), "token_endpoint": tokens});
    let nobody = gce::Project::key_file("nobody@roads-123.iam.gserviceaccount.com");
    let case = Case::new("gce", at, fake, fields, ("private_key", &nobody));
    case.ordering("projects/debian-cloud/global/images/debian-12-1", "e2-1", "us-central1-b", "e2-2")
}

async fn on_azure() -> Case {
    let fake = azure::Subscription::start().await.unwrap();
    let at = fake.address();
    let fields = json!({"subscription_id": azure::SUBSCRIPTION, "tenant_id": azure::TENANT,
        "client_id": azure::CLIENT, "client_secret": azure::SECRET, "endpoint": url(at), "login_endpoint": url(at)});
    let case = Case::new("azure", at, fake, fields, ("client_secret", "somebody else's"));
    case.ordering("Debian:debian-12:12-gen2:latest", "Standard_B1s", "eastus", "Standard_B2s")
}

async fn openstacks() -> Vec<Case> {
    let mut cases = Vec::new();
    for (provider, kind, region, secret) in [
        ("openstack", openstack::Kind::Modern, None, "password"),
        ("rackspace", openstack::Kind::Rackspace, Some("iad"), "api_key"),
        ("hpcloud", openstack::Kind::Old, Some("iad"), "password"),
    ] {
        let fake = openstack::Cloud::start(kind).await.unwrap();
        let at = fake.address();
        let (field, path) = if region.is_none() { ("auth_url", "identity") } else { ("endpoint", "v2.0") };
        let mut fields = json!({"username": openstack::USER});
        fields[field] = json!(format!("{}/{path}", url(at)));
        fields[secret] = json!(openstack::SECRET);
        if provider != "rackspace" {
            fields["tenant_name"] = json!("demo");
        }
        let case = Case::new(provider, at, fake, fields, (secret, "letmein"));
        cases.push(case.ordering("image-12", "1", "", "2").in_region(region));
    }
    cases
}

async fn directors() -> Vec<Case> {
    let mut cases = Vec::new();
    for (provider, age) in [("vcloud", vcloud::Age::Today), ("indonesian_vcloud", vcloud::Age::Old)] {
        let fake = vcloud::Director::start(age).await.unwrap();
        let at = fake.address();
        let [user, organization] = vcloud::LOGIN;
        let fields = json!({"username": user, "password": vcloud::PASSWORD, "organization": organization,
            "host": url(at)});
        let case = Case::new(provider, at, fake, fields, ("password", "letmein"));
        cases.push(case.ordering(vcloud::TEMPLATE, "2x4096", VDC, "4x8192"));
    }
    cases
}

async fn on_docker() -> Case {
    let fake = docker::SimEngine::start(3).await.unwrap();
    let at = fake.address();
    let fields = json!({"docker_host": at.ip().to_string(), "docker_port": at.port().to_string(),
        "auth_user": docker::USER, "auth_password": docker::PASSWORD});
    let case = Case::new("docker", at, fake, fields, ("auth_password", "letmein"));
    case.ordering("busybox:latest", "default", "", "default")
}

async fn on_libvirt() -> Case {
    let fake = libvirt::SimHypervisor::start("127.0.0.1", 3).await.unwrap();
    let at = fake.address();
    let fields = json!({"machine_hostname": at.ip().to_string(), "ssh_port": at.port().to_string(),
        "machine_key": fake.host().client_key()});
    let case = Case::new("libvirt", at, fake, fields, ("machine_key", &somebody_elses_key()));
    case.ordering("images/debian 12.qcow2", "2x4096x40", "", "4x8192")
}

async fn on_bare_metal() -> Case {
    let fake = bare_metal::SimHost::start("127.0.0.1").await.unwrap();
    fake.set_fault(bare_metal::Fault::StaysOff);
    let at = fake.address();
    let fields = json!({"machine_ip": at.ip().to_string(), "machine_port": at.port().to_string(),
        "machine_user": "root", "machine_key": fake.client_key()});
    Case::new("bare_metal", at, fake, fields, ("machine_key", &somebody_elses_key()))
}

fn somebody_elses_key() -> String {
    SshKey::generate_ed25519().unwrap().private_text().unwrap().expose().to_owned()
}
