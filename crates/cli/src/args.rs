//! The command line: `roadstead [global options] NOUN VERB`.

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    activity::ActivityCommand,
    agent::AgentCommand,
    agent_process::AgentProcessCommand,
    alarm::AlarmCommand,
    api_key::ApiKeyCommand,
    audit::AuditCommand,
    backend::BackendCommand,
    backup::BackupCommand,
    backup_configuration::BackupConfigurationCommand,
    browser_session::BrowserSessionCommand,
    command::{CommandVerb, RunArgs},
    event::EventArgs,
    image::ImageCommand,
    job::JobCommand,
    key::KeyCommand,
    location::LocationCommand,
    login::LoginArgs,
    machine::MachineCommand,
    mail_settings::MailSettingsCommand,
    man::ManArgs,
    network::NetworkCommand,
    notification_channel::NotificationChannelCommand,
    provider::ProviderCommand,
    quota::QuotaCommand,
    restore::RestoreCommand,
    restore_configuration::RestoreConfigurationCommand,
    saved_view::SavedViewCommand,
    server::ServerArgs,
    session::Globals,
    setup::SetupCommand,
    shell::ShellArgs,
    size::SizeCommand,
    up::UpArgs,
    user::UserCommand,
    vault::VaultCommand,
};

/// Keeps every machine you own in one place, and a copy of everything on it that you can get back.
#[derive(Parser, Debug)]
#[command(
    name = "roadstead",
    version,
    after_help = "Exit status: 0 done, 1 error, 2 wrong usage, 3 done with errors (some files unreadable).\n\nExample:\n  \
                  roadstead up --once\n  roadstead login http://127.0.0.1:7643\n  roadstead agents list -o json"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A noun, or one of the few commands without one.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the server.
    Server(Box<ServerArgs>),
    /// Run the agent: the process on a machine that backs it up.
    Agent {
        /// The verb.
        #[command(subcommand)]
        command: AgentProcessCommand,
    },
    /// Start a server and an agent here, back this machine up, restore it aside, and prove that all is there.
    Up(UpArgs),
    /// Sign in to a server, and keep a profile for the other commands.
    #[command(after_help = "Example:\n  roadstead login http://127.0.0.1:7643 --username admin")]
    Login(LoginArgs),
    /// The kinds of backend that the server can add.
    Providers {
        /// The verb.
        #[command(subcommand)]
        command: ProviderCommand,
    },
    /// The clouds, hosts and servers that were added.
    Backends {
        /// The verb.
        #[command(subcommand)]
        command: Box<BackendCommand>,
    },
    /// What a backend can make machines from.
    Images {
        /// The verb.
        #[command(subcommand)]
        command: ImageCommand,
    },
    /// How large a backend can make machines.
    Sizes {
        /// The verb.
        #[command(subcommand)]
        command: SizeCommand,
    },
    /// Where a backend can make machines.
    Locations {
        /// The verb.
        #[command(subcommand)]
        command: LocationCommand,
    },
    /// What a backend can join machines to.
    Networks {
        /// The verb.
        #[command(subcommand)]
        command: NetworkCommand,
    },
    /// The machines of all backends.
    Machines {
        /// The verb.
        #[command(subcommand)]
        command: Box<MachineCommand>,
    },
    /// Run a command or a script on many machines, and show what they print.
    #[command(
        after_help = "Example:\n  roadstead run --tag web --parallel 20 -- 'uptime; df -h /'\n  roadstead run -m web-1 -m \
                            web-2 --script upgrade.sh --timeout 1h -o json"
    )]
    Run(Box<RunArgs>),
    /// Open a terminal on a machine, through the server.
    #[command(
        after_help = "The way is that of commands: an associated key, or the backend's own way. Only admins open terminals; the \
                      audit log says who, where and when.\n\nExample:\n  roadstead ssh web-1"
    )]
    Ssh(ShellArgs),
    /// The commands that were run on machines, and what they printed.
    Commands {
        /// The verb.
        #[command(subcommand)]
        command: CommandVerb,
    },
    /// Work that takes time, such as the making of machines.
    Jobs {
        /// The verb.
        #[command(subcommand)]
        command: JobCommand,
    },
    /// The agents that the server knows, and how to enrol one.
    Agents {
        /// The verb.
        #[command(subcommand)]
        command: AgentCommand,
    },
    /// What is backed up, and when.
    BackupConfigurations {
        /// The verb.
        #[command(subcommand)]
        command: BackupConfigurationCommand,
    },
    /// Runs of a backup configuration.
    Backups {
        /// The verb.
        #[command(subcommand)]
        command: BackupCommand,
    },
    /// Restores that are kept, to be run again.
    RestoreConfigurations {
        /// The verb.
        #[command(subcommand)]
        command: RestoreConfigurationCommand,
    },
    /// Files of a backup written to a path on an agent's machine.
    Restores {
        /// The verb.
        #[command(subcommand)]
        command: RestoreCommand,
    },
    /// Backups, restores, checks and cleanups in one list.
    Activity {
        /// The verb.
        #[command(subcommand)]
        command: ActivityCommand,
    },
    /// The repositories that hold backup data, and the files in them.
    Vaults {
        /// The verb.
        #[command(subcommand)]
        command: VaultCommand,
    },
    /// The SSH keys that machines are logged in to with.
    Keys {
        /// The verb.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// What programs sign in with.
    ApiKeys {
        /// The verb.
        #[command(subcommand)]
        command: ApiKeyCommand,
    },
    /// The browsers in which you are signed in.
    Sessions {
        /// The verb.
        #[command(subcommand)]
        command: BrowserSessionCommand,
    },
    /// What you narrow lists to again and again, kept by name.
    SavedViews {
        /// The verb.
        #[command(subcommand)]
        command: SavedViewCommand,
    },
    /// How the server is set up, and its master key, once.
    Setup {
        /// The verb.
        #[command(subcommand)]
        command: SetupCommand,
    },
    /// Who may sign in, and in which role.
    Users {
        /// The verb.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Every change, who made it, and from where.
    Audit {
        /// The verb.
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// How much room backups may take.
    Quotas {
        /// The verb.
        #[command(subcommand)]
        command: QuotaCommand,
    },
    /// What somebody should look at: configurations without a good backup, cloned agents, floods.
    Alarms {
        /// The verb.
        #[command(subcommand)]
        command: AlarmCommand,
    },
    /// The SMTP server that mail goes through, and who gets alarms and the digest.
    MailSettings {
        /// The verb.
        #[command(subcommand)]
        command: MailSettingsCommand,
    },
    /// Webhooks that are told of runs that ended, and of alarms.
    NotificationChannels {
        /// The verb.
        #[command(subcommand)]
        command: NotificationChannelCommand,
    },
    /// What changes on the server, as it happens.
    Events(EventArgs),
    /// Print a completion script for a shell.
    #[command(after_help = "Example:\n  roadstead completions bash > /etc/bash_completion.d/roadstead")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write a manual page for each command.
    Man(ManArgs),
}

#[cfg(test)]
mod advice;
#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_command_has_help_with_an_example() {
        fn look(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no help");
            if command.get_subcommands().all(clap::Command::is_hide_set) {
                let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(after.contains("Example:\n  "), "{path} has no example");
                let words = path.trim();
                assert!(after.contains(words), "the example of {words} is of something else:\n{after}");
            }
            command
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
                .for_each(|command| look(command, &path));
        }
        look(&Cli::command(), "");
    }

    #[test]
    fn no_flag_takes_the_place_of_a_global_one() {
        fn look(command: &clap::Command, taken: &[&str], path: &str) {
            let path = format!("{path} {}", command.get_name());
            for argument in command.get_arguments() {
                let names = [Some(argument.get_id().as_str()), argument.get_long()];
                let clash = names.into_iter().flatten().find(|name| taken.contains(name));
                assert_eq!(clash, None, "{path} has a flag of this name, and so has every command");
                assert_ne!(argument.get_short(), Some('o'), "{path}");
            }
            command.get_subcommands().for_each(|command| look(command, taken, &path));
        }
        let cli = Cli::command();
        let global = cli.get_arguments().filter(|argument| argument.is_global_set());
        let taken: Vec<&str> =
            global.filter_map(|argument| argument.get_long()).chain(["api_key", "ca_file"]).collect();
        assert!(taken.contains(&"url") && taken.len() > 5, "{taken:?}");
        cli.get_subcommands().for_each(|command| look(command, &taken, ""));
    }

    #[test]
    fn lists_of_paths_and_patterns() {
        let words = "roadstead backup-configurations create --name n --agent 1 --include /a /b --include /c --exclude *.o";
        let cli = Cli::try_parse_from(words.split(' ')).unwrap();
        let Command::BackupConfigurations { command: BackupConfigurationCommand::Create(args) } = cli.command
        else {
            panic!("{cli:?}");
        };
        let new = args.described(roadstead_client::api::id::AgentId(1));
        assert_eq!(
            (new.inclusions, new.exclusions),
            (vec!["/a".into(), "/b".into(), "/c".into()], vec!["*.o".to_owned()])
        );
    }

    #[test]
    fn global_options_stand_anywhere() {
        for words in [
            "roadstead -o json agents list",
            "roadstead agents -o json list",
            "roadstead agents list -o json",
        ] {
            let cli = Cli::try_parse_from(words.split(' ')).unwrap();
            assert_eq!(cli.globals.output, crate::output::Format::Json, "{words}");
        }
    }

    #[test]
    fn the_server_s_hidden_work_needs_no_folder() {
        assert!(Cli::try_parse_from(["roadstead", "server", "vault-work"]).is_ok());
        assert!(Cli::try_parse_from(["roadstead", "server", "--data-dir", "d", "vault-work"]).is_err());
        assert!(
            Cli::try_parse_from(["roadstead", "server", "--data-dir", "d", "--listen", "127.0.0.1:0"])
                .is_ok()
        );
    }
}
