//! The draft of the backend bindings, line by line: connect, see what can be added, add a backend, find it, look at what
//! it holds, rename it, delete it.
//!
//! ```text
//! ROADSTEAD_URL=http://127.0.0.1:7643 ROADSTEAD_USER=admin ROADSTEAD_API_KEY=... \
//!     cargo run --package roadstead-client --example backends -- PROVIDER TITLE FIELD=VALUE...
//! ```
#![allow(clippy::print_stdout, reason = "this is what the example is for")]

use std::{env, error::Error, fmt::Display};

use roadstead_client::{
    api::{
        backend::{BackendQuery, NewBackend},
        id::ProviderId,
    },
    blocking::{Backend, Client},
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [provider, title, fields @ ..] = arguments.as_slice() else {
        return Err("which provider, which title, and which fields?".into());
    };
    let client = Client::connect(
        &env::var("ROADSTEAD_URL")?,
        &env::var("ROADSTEAD_USER")?,
        &env::var("ROADSTEAD_API_KEY")?,
    )?;
    for provider in client.supported_providers()? {
        println!("provider: {}, {}, {} regions", provider.id, provider.title, provider.regions.len());
    }
    println!("backends: {}", shown(&client.backends()?));
    let backend = add(&client, provider, title, fields)?;
    find(&client, &backend)?;
    look_around(&backend)?;
    change(&client, backend)
}

fn add(client: &Client, provider: &str, title: &str, fields: &[String]) -> Result<Backend, Box<dyn Error>> {
    let fields = fields.iter().filter_map(|field| field.split_once('='));
    let new = NewBackend {
        provider: ProviderId(provider.to_owned()),
        title: title.to_owned(),
        region: None,
        fields: fields.map(|(name, value)| (name.to_owned(), value.into())).collect(),
    };
    let backend = client.add_backend(&new)?;
    // No list has to be read again: each is as fresh as the call.
    println!("added: {}", client.backends()?.iter().any(|other| other.id == backend.id));
    println!("{backend}");
    Ok(backend)
}

fn find(client: &Client, backend: &Backend) -> Result<(), Box<dyn Error>> {
    let by_id = BackendQuery { id: Some(backend.id.clone()), ..BackendQuery::default() };
    println!("by id: {}", client.find_backends(by_id)?.len());
    let by_name = BackendQuery { name: Some(backend.title.clone()), ..BackendQuery::default() };
    println!("by name: {}", client.find_backends(by_name)?.len());
    let by_search = BackendQuery { search: Some(backend.provider.to_string()), ..BackendQuery::default() };
    println!("by search: {}", client.find_backends(by_search)?.len());
    Ok(())
}

fn look_around(backend: &Backend) -> Result<(), Box<dyn Error>> {
    println!("title: {}", backend.title);
    println!("enabled: {}", backend.info().enabled);
    println!("images: {}", backend.images(None)?.len());
    println!("sizes: {}", backend.sizes()?.len());
    println!("locations: {}", backend.locations()?.len());
    println!("networks: {}", backend.networks()?.len());
    let machines = backend.machines()?;
    println!("machines: {}", machines.len());
    for machine in machines {
        println!("machine: {}, {}, {:?}", machine.name, machine.state, machine.public_ips);
    }
    Ok(())
}

fn change(client: &Client, mut backend: Backend) -> Result<(), Box<dyn Error>> {
    backend.rename("renamed")?;
    println!("renamed: {}", backend.title);
    backend.disable()?;
    println!("enabled: {}", backend.enabled);
    backend.enable()?;
    println!("enabled: {}", backend.enabled);
    let id = backend.id.clone();
    backend.delete()?;
    println!("deleted: {}", client.backends()?.iter().all(|other| other.id != id));
    Ok(())
}

fn shown<T: Display>(items: &[T]) -> String {
    format!("[{}]", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}
