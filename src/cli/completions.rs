//! `flatbed completions`: a script that lets a shell complete this command line.

use clap::CommandFactory;
use clap_complete::Shell;

use super::failure::Failure;
use super::{Cli, stdio};

const EXAMPLES: &str = "\
Examples:
  flatbed completions bash > ~/.local/share/bash-completion/completions/flatbed
  flatbed completions zsh > ~/.zfunc/_flatbed     # with ~/.zfunc in $fpath
  flatbed completions fish > ~/.config/fish/completions/flatbed.fish";

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The shell that is to complete
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "flatbed", &mut script);
    stdio::print(&String::from_utf8_lossy(&script))
}
