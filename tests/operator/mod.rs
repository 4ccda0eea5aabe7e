//! What operators have: `flatbed queue`, `migrate`, `doctor` and `config`, on each
//! kind of queue.

mod queue;
mod tables;

use std::process::Command;

use tokio::runtime::Runtime;

use crate::queue::bullmq::Bullmq;
use crate::queue::fixture::{Fixture, Settings};
use crate::queue::postgres::Postgres;
use crate::support::{Folder, Run};

/// A folder, and what commands in it are told.
struct Place {
    folder: Folder,
    variables: Vec<(&'static str, String)>,
    /// What the queue lives by.
    _held: Box<dyn std::any::Any>,
}

impl Place {
    fn with(variables: Vec<(&'static str, String)>, held: Box<dyn std::any::Any>) -> Self {
        Self {
            folder: Folder::empty(),
            variables,
            _held: held,
        }
    }

    /// One of each kind of queue.
    fn all() -> Vec<Self> {
        let runtime = Runtime::new().unwrap();
        let redis = runtime.block_on(Bullmq::fresh(Settings::default()));
        let postgres = runtime.block_on(Postgres::fresh(Settings::default()));
        vec![
            Self::with(Vec::new(), Box::new(())),
            Self::with(
                vec![
                    ("REDIS_URL", redis.server.url.clone()),
                    ("EXPORT_QUEUE_NAME", redis.queue.clone()),
                ],
                Box::new(redis),
            ),
            Self::with(
                vec![
                    ("EXPORT_QUEUE", "postgres".to_owned()),
                    ("DATABASE_URL", postgres.server.url.clone()),
                    ("EXPORT_QUEUE_NAME", postgres.queue.clone()),
                ],
                // Its connections go before what drives them.
                Box::new((postgres, runtime)),
            ),
        ]
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.folder.command(arguments);
        command
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }

    fn run(&self, arguments: &str) -> Run {
        Run::of(arguments, &mut self.command(arguments))
    }

    #[track_caller]
    fn text(&self, arguments: &str) -> String {
        let run = self.run(arguments);
        run.succeeded();
        run.text().to_owned()
    }

    #[track_caller]
    fn json(&self, arguments: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(&format!("{arguments} --json"))).expect("JSON")
    }

    fn server(&self, more: &[(&str, &str)]) -> crate::exports::Server {
        let variables = self.variables.iter();
        let variables = variables.map(|(name, value)| (*name, value.as_str()));
        let all: Vec<_> = variables.chain(more.iter().copied()).collect();
        crate::exports::Server::start(&self.folder, &all)
    }
}
