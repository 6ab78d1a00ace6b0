//! The page is built by other means; cargo is told to look at what they left.
#![allow(clippy::print_stdout, reason = "that is how cargo is told")]

fn main() {
    // The folder is always there, so this is stale only when something in it changed.
    println!("cargo::rerun-if-changed=../../ui/dist");
}
