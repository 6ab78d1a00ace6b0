//! What differs between the databases: how they are opened, and words of their schema.

pub mod sqlite;
