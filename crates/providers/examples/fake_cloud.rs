//! A DigitalOcean that is none, for benchmarks: `fake_cloud MACHINES PAGE MILLISECONDS CLOUDS`.
//!
//! There are so many of them, each with so many machines, in pages of so many, that take so long to answer. Each prints
//! its URL and the token that it takes in a line, and stays until standard input ends.

use std::{error::Error, io::Read, time::Duration};

use roadstead_providers::sim::{
    Fault,
    digitalocean::{Account, TOKEN},
};

#[tokio::main]
#[allow(clippy::print_stdout, reason = "whoever starts it reads where it is")]
async fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> =
        std::env::args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let [machines, page, delay, clouds] = numbers[..] else {
        return Err("MACHINES PAGE MILLISECONDS CLOUDS".into());
    };
    let mut running = Vec::new();
    for _ in 0..clouds {
        let cloud = Account::with(machines, usize::try_from(page)?).await?;
        if delay > 0 {
            cloud.control().set_fault(Fault::Slow(Duration::from_millis(delay)));
        }
        println!("http://{} {TOKEN}", cloud.address());
        running.push(cloud);
    }
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
