//! The whole system as its users run it: the real binary as server and agents, driven through the SDK, judged by the
//! real restic.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on panics")]

mod agent_files;
mod agent_logs;
mod agents;
mod alarms;
mod backends;
mod bad_input;
mod bucket;
mod clients;
mod commands;
mod containers;
mod creates;
mod dumps;
mod events;
mod full_disk;
mod hooks;
mod joining;
mod keys;
mod kill;
mod load;
mod looking;
mod machines;
mod mail;
mod master_key;
mod mist;
mod monitoring;
mod neighbours;
mod notifications;
mod outage;
mod protection;
mod proxies;
mod quotas;
mod rcbu;
mod rcbu_fields;
mod rcbu_replay;
mod rebuild;
mod restores;
mod roles;
mod rules;
mod run_errors;
mod saved_views;
mod schedule;
mod sealing;
mod seed;
mod sessions;
mod shells;
mod state;
mod support;
mod tls;
mod transcripts;
mod upkeep;
mod vault_tasks;
mod walk;
