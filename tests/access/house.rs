//! Broker, queues, Eposh, HikCentral and workers of a test.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use crate::exports::Server;
use crate::queue::rabbitmq::broker::Broker;
use crate::queue::service::Server as Service;
use crate::support::eposh::{self, EposhServer};
use crate::support::hikcentral::{HikCentralServer, Profile};
use crate::support::{Folder, Run, wait_until};

/// The stages, by their queues' variables and their names on the command line.
pub const STAGES: [(&str, &str); 4] = [
    ("QUEUE_MAIN", "access-publisher"),
    ("QUEUE_CREATE_PERSON", "access-create-person"),
    ("QUEUE_UPDATE_KIB", "access-update-kib"),
    ("QUEUE_ASSIGN_PRIVILEGE", "access-assign-privilege"),
];

pub const MAIN: usize = 0;
pub const CREATE: usize = 1;
pub const UPDATE: usize = 2;
pub const ASSIGN: usize = 3;

/// Everything that the chain needs.
pub struct House {
    pub rabbit: Service,
    /// The four queues.
    pub queues: [String; 4],
    pub eposh: EposhServer,
    pub hikcentral: HikCentralServer,
    pub folder: Folder,
    runtime: Runtime,
}

impl House {
    /// With so many people in Eposh, on the first of January.
    pub fn with(people: usize) -> Self {
        Self::before(people, Profile::default())
    }

    /// The same, before such a HikCentral.
    pub fn before(people: usize, profile: Profile) -> Self {
        let eposh = EposhServer::start([("2026-01-01", people)]);
        Self::of(Service::shared("rabbitmq"), eposh, profile)
    }

    pub fn of(rabbit: Service, eposh: EposhServer, profile: Profile) -> Self {
        let name = format!("test-{}", Uuid::now_v7());
        let queue = |stage: &str| format!("{name}-{stage}");
        Self {
            rabbit,
            queues: ["main", "create", "update", "assign"].map(queue),
            eposh,
            hikcentral: HikCentralServer::start(profile),
            folder: Folder::empty(),
            runtime: Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("threads"),
        }
    }

    /// The variables of the requirement, and what a test changes.
    pub fn variables(&self, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let own = |text: &str| text.to_owned();
        let mut variables = vec![
            ("FLATBED_WORKLOADS", own("access")),
            ("RABBITMQ_URL", self.rabbit.url.clone()),
            ("HIKCENTRAL_URL", self.hikcentral.url()),
            ("HIKCENTRAL_APP_KEY", self.hikcentral.profile().key.clone()),
            (
                "HIKCENTRAL_APP_SECRET",
                self.hikcentral.profile().secret.clone(),
            ),
            ("HIKCENTRAL_ORG_INDEX_CODE", own("2")),
            ("HIKCENTRAL_KIB_FIELD_ID", own("1")),
            ("EPOSH_API_URL", self.eposh.url()),
            ("EPOSH_API_TOKEN", own(eposh::TOKEN)),
            ("FETCH_ALLOW_HOSTS", own("127.0.0.1")),
            ("SHUTDOWN_GRACE_SECONDS", own("1")),
            ("NO_COLOR", own("1")),
        ];
        for ((name, _), queue) in STAGES.iter().zip(&self.queues) {
            variables.push((name, queue.clone()));
        }
        // The last one of a name holds.
        variables.extend(more.iter().map(|(name, value)| (*name, own(value))));
        variables
    }

    pub fn worker(&self) -> Server {
        self.worker_with(&[])
    }

    pub fn worker_with(&self, more: &[(&'static str, &str)]) -> Server {
        let variables = self.variables(more);
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Server::start(&self.folder, &variables)
    }

    /// Runs the program with these variables and no others.
    pub fn run(&self, arguments: &str) -> Run {
        let mut command = self.folder.command(arguments);
        command.env_clear().envs(self.variables(&[]));
        Run::of(arguments, &mut command)
    }

    /// The same, which must do what it is asked, and the JSON that it prints.
    pub fn json(&self, arguments: &str) -> Value {
        let run = self.run(&format!("{arguments} --json"));
        run.succeeded();
        serde_json::from_slice(&run.stdout).expect("JSON")
    }

    /// What was set aside in a stage's queue.
    pub fn set_aside(&self, stage: usize) -> Vec<Value> {
        let (_, of) = STAGES[stage];
        let listed = self.json(&format!("queue --of {of} list"));
        listed.as_array().expect("a list").clone()
    }

    /// Waits until so many are set aside, and gives them.
    #[track_caller]
    pub fn wait_for_set_aside(&self, stage: usize, number: usize) -> Vec<Value> {
        let dead = format!("{}.dead", self.queues[stage]);
        wait_until(&format!("{number} set aside"), || {
            self.length(&dead) == Some(u32::try_from(number).expect("few"))
        });
        self.set_aside(stage)
    }

    /// Sends the people of the first of January.
    pub fn induct(worker: &Server) {
        let body = json!({"from": "2026-01-01", "to": "2026-01-01"});
        let answer = worker.post("/eposh-induction", &body);
        assert_eq!(answer.code, 200, "{answer:?}\n{}", worker.log());
    }

    pub fn publish(&self, stage: usize, payload: &Value) {
        self.on_broker(async |broker| {
            broker
                .publish(&self.queues[stage], payload.to_string().as_bytes())
                .await;
        });
    }

    /// The next message of a stage's queue, taken off it.
    pub fn take(&self, stage: usize) -> Option<String> {
        self.on_broker(async |broker| {
            let message = broker.take(&self.queues[stage]).await?;
            Some(String::from_utf8(message.delivery.data).expect("text"))
        })
    }

    /// How many messages wait in a queue.
    pub fn length(&self, queue: &str) -> Option<u32> {
        self.on_broker(async |broker| broker.length(queue).await)
    }

    pub fn on_broker<T>(&self, work: impl AsyncFnOnce(&Broker) -> T) -> T {
        self.runtime.block_on(async {
            let broker = Broker::at(&self.rabbit.url).await;
            work(&broker).await
        })
    }

    /// Every queue of the chain that has messages: those set aside and those that wait
    /// for another attempt too.
    pub fn left(&self) -> BTreeMap<String, u32> {
        let names = self.queues.iter().flat_map(|queue| {
            let retries = (1..=24).map(move |seconds| format!("{queue}.retry.{seconds}s"));
            [queue.clone(), format!("{queue}.dead")]
                .into_iter()
                .chain(retries)
        });
        let names: Vec<_> = names.collect();
        self.on_broker(async |broker| {
            let mut left = BTreeMap::new();
            for name in names {
                if let Some(length @ 1..) = broker.length(&name).await {
                    left.insert(name, length);
                }
            }
            left
        })
    }

    /// Waits until so many people have all that they are to have.
    #[track_caller]
    pub fn wait_for(&self, people: impl IntoIterator<Item = usize>) {
        let people: Vec<usize> = people.into_iter().collect();
        wait_until("everybody to have what is theirs", || {
            people.iter().all(|number| self.is_through(*number))
        });
    }

    /// What a worker has counted so far.
    pub fn count(worker: &Server, line: &str) -> usize {
        let metrics = worker.get("/metrics").text;
        let found = metrics.lines().find_map(|given| given.strip_prefix(line));
        let number = found.unwrap_or_else(|| panic!("no {line} in {metrics}"));
        number.trim().parse().expect("a number")
    }

    /// Waits until a worker has brought so many people through, those who came again
    /// too.
    #[track_caller]
    pub fn wait_for_assigned(worker: &Server, number: usize) {
        let line = "flatbed_access_people_total{outcome=\"assigned\",stage=\"assign_privilege\"}";
        wait_until(&format!("{number} to be through"), || {
            Self::count(worker, line) == number
        });
    }

    /// Whether somebody is there with KIB number and groups.
    pub fn is_through(&self, number: usize) -> bool {
        let Some(person) = self.hikcentral.person(&eposh::kib_number(number)) else {
            return false;
        };
        let groups = eposh::groups(number).into_iter().map(str::to_owned);
        person.fields.get("1") == Some(&eposh::kib_number(number))
            && person.groups == groups.collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if self.rabbit.is_own() || std::thread::panicking() {
            return;
        }
        let [main, create, update, assign] = self.queues.clone();
        let dead = |queue: &String| format!("{queue}.dead");
        let all = [
            dead(&main),
            dead(&create),
            dead(&update),
            dead(&assign),
            main,
            create,
            update,
            assign,
        ];
        self.on_broker(async |broker| broker.forget(all));
    }
}
