//! People on their way to the gates: queues, `HikCentral`, Eposh and the stages, put
//! together.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;

use super::config::Access as Settings;
use crate::client::eposh::Eposh;
use crate::client::hikcentral::HikCentral;
use crate::fetch::Fetcher;
use crate::http::health::{Answer, Health};
use crate::http::induction;
use crate::http::metrics::{Count, counting};
use crate::queue::rabbitmq::RabbitMq;
use crate::queue::{DeadLetters, Error, Sink, Source};
use crate::runner::{self, Runner, WorkThreads, Workload};
use crate::telemetry::Metrics;
use crate::workload::access::{
    Assigning, Creating, Faces, Inductor, Photos, Publishing, Stage, Updating,
};

/// What access is made of.
pub struct Access {
    queues: [RabbitMq; 4],
    hikcentral: Option<HikCentral>,
    eposh: Option<Eposh>,
    settings: Settings,
}

impl Access {
    /// Puts it together. Nothing is connected to yet.
    pub fn open(settings: &Settings) -> anyhow::Result<Self> {
        let queue = |stage| queue(settings, stage);
        Ok(Self {
            queues: [
                queue(Stage::Publisher)?,
                queue(Stage::CreatePerson)?,
                queue(Stage::UpdateKib)?,
                queue(Stage::AssignPrivilege)?,
            ],
            hikcentral: settings
                .hikcentral
                .clone()
                .map(HikCentral::new)
                .transpose()?,
            eposh: settings.eposh.clone().map(Eposh::new).transpose()?,
            settings: settings.clone(),
        })
    }

    /// The queue that a stage takes from.
    pub fn queue(&self, stage: Stage) -> &RabbitMq {
        let [main, create, update, assign] = &self.queues;
        match stage {
            Stage::Publisher => main,
            Stage::CreatePerson => create,
            Stage::UpdateKib => update,
            Stage::AssignPrivilege => assign,
        }
    }

    /// The stages that run here, for people.
    pub fn stages(&self) -> String {
        let stages = self.settings.stages.iter().map(|stage| stage.as_str());
        stages.collect::<Vec<_>>().join(", ")
    }

    /// Fails if somebody must mend a queue; a broker that is away may come back, and so
    /// may the others. All queues are declared, so that nothing is sent to none.
    pub async fn greet(&self) -> Result<(), Error> {
        if let Some(hikcentral) = &self.hikcentral
            && self.asks_hikcentral()
            && let Err(error) = hikcentral.version().await
        {
            tracing::warn!(%error, "starting without HikCentral");
        }
        for stage in Stage::ALL {
            match self.queue(stage).counts().await {
                Err(error @ Error::Away { .. }) => {
                    tracing::warn!(%error, "starting without the queues of access");
                    return Ok(());
                }
                answer => answer.map(drop)?,
            }
        }
        Ok(())
    }

    fn asks_hikcentral(&self) -> bool {
        let stages = &self.settings.stages;
        stages.iter().any(|stage| stage.asks_hikcentral())
    }

    /// Has `/health` ask the broker and `HikCentral`. Eposh is asked by inductions alone:
    /// each question costs it a page of people.
    pub fn add_checks(&self, health: &mut Health) {
        let main = self.queue(Stage::Publisher).clone();
        let name = self.settings.queues.main.queue.clone();
        health.add("rabbitmq", move || {
            let (main, name) = (main.clone(), name.clone());
            async move {
                let counts = main.counts().await;
                counts.map(|_| name).map_err(|error| error.to_string())
            }
        });
        if let Some(hikcentral) = self.hikcentral.clone().filter(|_| self.asks_hikcentral()) {
            health.add("hikcentral", move || {
                let hikcentral = hikcentral.clone();
                async move { greeted(&hikcentral).await }
            });
        }
    }

    /// How everything is.
    pub async fn examine(&self) -> Vec<(&'static str, Answer)> {
        let mut answers = Vec::new();
        for stage in Stage::ALL {
            let name = &self.settings.queue(stage).queue;
            let counts = self.queue(stage).counts().await;
            let answer = counts.map(|counts| {
                let (waiting, failed) = (counts.waiting, counts.failed);
                format!("RabbitMQ {name}: {waiting} waiting, {failed} set aside")
            });
            answers.push(("access", answer.map_err(|error| error.to_string())));
        }
        if let Some(hikcentral) = &self.hikcentral {
            answers.push(("hikcentral", greeted(hikcentral).await));
            answers.push(("hikcentral", self.organisation(hikcentral).await));
        }
        if let Some(eposh) = &self.eposh {
            let checked = eposh.check(jiff::Zoned::now().date()).await;
            let answer = checked.map(|()| eposh.address());
            answers.push(("eposh", answer.map_err(|error| error.to_string())));
        }
        answers
    }

    /// Whether the department is there to which people are added; else which are.
    async fn organisation(&self, hikcentral: &HikCentral) -> Answer {
        let all = hikcentral.organisations().await;
        let all = all.map_err(|error| error.to_string())?;
        let settings = self.settings.hikcentral.as_ref();
        let wanted = settings.and_then(|settings| settings.organisation.as_deref());
        let found = all.iter().find(|one| Some(&*one.index_code) == wanted);
        if let Some(found) = found {
            let (code, name) = (&found.index_code, &found.name);
            return Ok(format!("people are added to {name} ({code})"));
        }
        let shown = all.iter().take(20);
        let shown: Vec<_> = shown
            .map(|one| format!("{} ({})", one.index_code, one.name))
            .collect();
        Err(format!(
            "there is no department {}; set HIKCENTRAL_ORG_INDEX_CODE to one of: {}",
            wanted.unwrap_or("at all"),
            shown.join(", ")
        ))
    }

    /// The routes that need the token.
    pub fn guarded_routes(&self, metrics: &Metrics) -> Router {
        let Some(eposh) = self.eposh.clone() else {
            tracing::info!("access: people are not fetched here, EPOSH_API_URL is not set");
            return Router::new();
        };
        let inductor = Inductor::new(eposh, self.next(Stage::Publisher), metrics.access());
        induction::routes(inductor, self.settings.days.clone())
    }

    /// How the jobs of each stage are counted, whether it runs here or not.
    pub fn counting(&self, stage: Stage) -> Count {
        let queue = self.queue(stage).clone();
        counting(move || {
            let queue = queue.clone();
            async move { queue.counts().await }
        })
    }

    /// What does the jobs, a runner for each stage.
    pub async fn runners(
        &self,
        work: &WorkThreads,
        metrics: &Metrics,
    ) -> anyhow::Result<Vec<(&'static str, Runner)>> {
        let mut runners = Vec::new();
        for stage in &self.settings.stages {
            let source: Arc<dyn Source> = Arc::new(self.queue(*stage).clone());
            let workload = self.workload(*stage, metrics).await?;
            let runner = Runner::new(
                source,
                workload,
                self.runner_of(*stage),
                work.clone(),
                metrics.workload(stage.workload()),
            );
            runners.push((stage.workload(), runner));
        }
        Ok(runners)
    }

    /// The publisher has a page at a time, of which it sends many people at once.
    fn runner_of(&self, stage: Stage) -> runner::Config {
        let mut config = self.settings.runner.clone();
        if stage == Stage::Publisher {
            config.concurrency = std::num::NonZeroUsize::MIN;
        }
        config
    }

    async fn workload(&self, stage: Stage, metrics: &Metrics) -> anyhow::Result<Arc<dyn Workload>> {
        let settings = &self.settings;
        let counted = metrics.access();
        if stage == Stage::Publisher {
            let next = self.next(Stage::CreatePerson);
            return Ok(Arc::new(Publishing::new(next, settings.names, counted)));
        }
        let hikcentral = self.hikcentral.clone().context("HIKCENTRAL_URL")?;
        let config = settings.hikcentral.as_ref().context("HIKCENTRAL_URL")?;
        Ok(match stage {
            Stage::CreatePerson => {
                let organisation = config.organisation.clone();
                let fetcher = Fetcher::new(settings.fetch.clone()).context("downloads")?;
                let faces = Faces::new(&settings.faces);
                let faces = faces.await.context("threads for photos")?;
                Arc::new(Creating::new(
                    hikcentral,
                    organisation.context("HIKCENTRAL_ORG_INDEX_CODE")?,
                    Photos::new(fetcher, settings.faces.most, faces, counted.clone()),
                    settings.groups.clone(),
                    self.next(Stage::UpdateKib),
                    settings.names,
                    counted,
                ))
            }
            Stage::UpdateKib => Arc::new(Updating::new(
                hikcentral,
                config
                    .kib_field
                    .clone()
                    .context("HIKCENTRAL_KIB_FIELD_ID")?,
                settings.groups.clone(),
                self.next(Stage::AssignPrivilege),
                counted,
            )),
            _ => Arc::new(Assigning::new(hikcentral, settings.doors.clone(), counted)),
        })
    }

    /// Where the stage before sends to.
    fn next(&self, stage: Stage) -> Arc<dyn Sink> {
        Arc::new(self.queue(stage).clone())
    }
}

/// A stage's queue, as its operator has it.
pub fn queue(settings: &Settings, stage: Stage) -> Result<RabbitMq, Error> {
    RabbitMq::new(settings.queues.url.expose(), settings.queue(stage).clone())
}

async fn greeted(hikcentral: &HikCentral) -> Answer {
    let version = hikcentral.version().await;
    version.map_err(|error| error.to_string())
}
