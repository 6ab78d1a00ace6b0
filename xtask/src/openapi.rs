//! `openapi`: the golden file of the API.

use anyhow::{Result, bail};

const FILE: &str = "openapi.json";

/// `cargo xtask openapi [--check]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let wanted = format!("{:#}\n", roadstead_api::openapi::document());
    match arguments {
        [] => Ok(std::fs::write(FILE, wanted)?),
        [flag] if flag == "--check" => {
            if std::fs::read_to_string(FILE)? != wanted {
                bail!(
                    "{FILE} does not say what the declarations say; run `cargo xtask openapi` and look at the change"
                );
            }
            Ok(())
        }
        _ => bail!("openapi takes --check, or nothing"),
    }
}
