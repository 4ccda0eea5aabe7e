//! The Node backend of the requirement, standing in: its model to the letter, a list
//! of what was asked, and faults by order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::block_in_place;

/// A request, as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: &'static str,
    pub id: String,
    pub body: String,
    pub headers: HeaderMap,
    /// Whether it was done already: faults are asked before and after.
    pub done: bool,
}

impl Heard {
    /// Whether it says this of a job.
    pub fn says(&self, status: &str) -> bool {
        self.method == "PATCH" && self.body.contains(&format!("\"status\":\"{status}\""))
    }
}

/// What happens to a request.
pub enum Fault {
    /// It is answered with this status and body instead.
    Answer(u16, &'static str),
    /// It is held up until a word comes, or nobody is left to say it.
    Wait(Receiver<()>),
}

type Faults = Box<dyn FnMut(&Heard) -> Option<Fault> + Send>;

#[derive(Default)]
struct Model {
    jobs: BTreeMap<String, Value>,
    heard: Vec<Heard>,
    /// `Authorization` must be this.
    token: Option<String>,
}

#[derive(Clone, Default)]
struct Shared {
    model: Arc<Mutex<Model>>,
    faults: Arc<Mutex<Option<Faults>>>,
}

pub struct Backend {
    pub address: SocketAddr,
    shared: Shared,
    running: Option<Runtime>,
}

impl Backend {
    pub fn start() -> Self {
        let shared = Shared::default();
        let (address, running) = serve(&shared, 0);
        Self {
            address,
            shared,
            running: Some(running),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it; what it knows is kept.
    pub fn go_down(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_background();
        }
    }

    pub fn come_back(&mut self) {
        let (_, running) = serve(&self.shared, self.address.port());
        self.running = Some(running);
    }

    /// Lets nobody in without this token.
    pub fn demand(&self, token: &str) {
        self.model().token = Some(format!("Bearer {token}"));
    }

    /// From now on this decides which requests fail; each is shown before and after it
    /// was done.
    pub fn fail(&self, faults: impl FnMut(&Heard) -> Option<Fault> + Send + 'static) {
        *self.shared.faults.lock().expect("no panic") = Some(Box::new(faults));
    }

    pub fn mend(&self) {
        *self.shared.faults.lock().expect("no panic") = None;
    }

    /// Holds up the first request like this, before or after it was done. The first
    /// word says that it has come, the other lets it go on.
    pub fn hold(
        &self,
        which: impl Fn(&Heard) -> bool + Send + 'static,
    ) -> (Receiver<()>, Sender<()>) {
        let (came, coming) = channel();
        let (go_on, waits) = channel();
        let mut waits = Some(waits);
        self.fail(move |heard| {
            if !which(heard) {
                return None;
            }
            let waits = waits.take()?;
            came.send(()).expect("the test waits");
            Some(Fault::Wait(waits))
        });
        (coming, go_on)
    }

    /// A record as `createImageJob` makes it; `number` becomes its `ObjectID`.
    pub fn order(&self, number: usize, key: &str, url: &str) -> String {
        let id = format!("{:024x}", 0x6555_01d2_f12a_0000_u64 + number as u64);
        let now = "2024-01-01T00:00:00.000Z";
        let job = json!({
            "_id": id, "entityType": "event", "entityId": "655501d2f12a3d0f3c5a1001",
            "sourceImageURL": url, "sourceImageKey": key, "status": "PENDING", "errorMsg": "",
            "originalFilename": "photo.jpg", "mimetype": "image/jpeg", "fileSize": 1_234_567,
            "createdAt": now, "updatedAt": now,
        });
        self.model().jobs.insert(id.clone(), job);
        id
    }

    /// As an operator or another part of the backend changes a record.
    pub fn set(&self, id: &str, field: &str, value: &str) {
        self.model().jobs.get_mut(id).expect("a job")[field] = value.into();
    }

    pub fn delete(&self, id: &str) {
        self.model().jobs.remove(id);
    }

    pub fn job(&self, id: &str) -> Value {
        self.model().jobs[id].clone()
    }

    pub fn status(&self, id: &str) -> String {
        self.job(id)["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    }

    pub fn count(&self, status: &str) -> usize {
        let model = self.model();
        model
            .jobs
            .values()
            .filter(|job| job["status"] == status)
            .count()
    }

    /// What was said of a job and taken, in order.
    pub fn said(&self, id: &str) -> Vec<String> {
        let model = self.model();
        let said = model
            .heard
            .iter()
            .filter(|heard| heard.done && heard.id == id);
        said.filter(|heard| heard.method == "PATCH")
            .map(|heard| heard.body.clone())
            .collect()
    }

    /// The same, only the statuses.
    pub fn statuses(&self, id: &str) -> Vec<String> {
        let status = |body: &String| {
            let body: Value = serde_json::from_str(body).expect("JSON");
            body["status"].as_str().expect("a status").to_owned()
        };
        self.said(id).iter().map(status).collect()
    }

    /// Everything that was asked, taken or not.
    pub fn heard(&self) -> Vec<Heard> {
        let model = self.model();
        model
            .heard
            .iter()
            .filter(|heard| !heard.done)
            .cloned()
            .collect()
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.shared.model.lock().expect("no panic")
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // What a fault holds up is let go.
        self.mend();
        self.go_down();
    }
}

fn serve(shared: &Shared, port: u16) -> (SocketAddr, Runtime) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("threads");
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)));
    let listener = listener.expect("its port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new()
        .route("/api/image-jobs/{id}", get(show))
        .route("/api/image-jobs/{id}/status", patch(update))
        .with_state(shared.clone());
    runtime.spawn(async move { axum::serve(listener, router).await });
    (address, runtime)
}

async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(&shared, "GET", id, String::new(), headers)
}

async fn update(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).expect("text");
    answer(&shared, "PATCH", id, body, headers)
}

fn answer(
    shared: &Shared,
    method: &'static str,
    id: String,
    body: String,
    headers: HeaderMap,
) -> Response {
    let mut heard = Heard {
        method,
        id,
        body,
        headers,
        done: false,
    };
    if let Some(instead) = fault(shared, &heard) {
        return instead;
    }
    let (code, told) = shared.model.lock().expect("no panic").take(&heard);
    if code == StatusCode::OK {
        heard.done = true;
        if let Some(instead) = fault(shared, &heard) {
            return instead;
        }
    }
    (code, Json(told)).into_response()
}

fn fault(shared: &Shared, heard: &Heard) -> Option<Response> {
    if !heard.done {
        shared
            .model
            .lock()
            .expect("no panic")
            .heard
            .push(heard.clone());
    }
    let decided = match shared.faults.lock().expect("no panic").as_mut() {
        Some(decide) => decide(heard)?,
        None => return None,
    };
    match decided {
        Fault::Answer(code, body) => {
            let code = StatusCode::from_u16(code).expect("a status");
            Some((code, [("location", "http://127.0.0.1:9/")], body).into_response())
        }
        Fault::Wait(word) => {
            let _ = block_in_place(|| word.recv_timeout(Duration::from_secs(600)));
            None
        }
    }
}

impl Model {
    fn take(&mut self, heard: &Heard) -> (StatusCode, Value) {
        let refuse = |code, message: &str| (code, json!({"success": false, "message": message}));
        if let Some(token) = &self.token
            && heard
                .headers
                .get("authorization")
                .and_then(|value| value.to_str().ok())
                != Some(token)
        {
            return refuse(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        if heard.id.len() != 24 || !heard.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return refuse(StatusCode::BAD_REQUEST, "Invalid image job ID");
        }
        let Some(job) = self.jobs.get_mut(&heard.id) else {
            return refuse(StatusCode::NOT_FOUND, "Image job not found");
        };
        if heard.method == "PATCH" {
            let Ok(body) = serde_json::from_str::<Value>(&heard.body) else {
                return refuse(StatusCode::BAD_REQUEST, "Invalid JSON");
            };
            let fields: Vec<&str> = body
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, _)| &**k)
                .collect();
            let expected: &[&str] = match body["status"].as_str() {
                Some("PROCESSING") => &["status"],
                Some("COMPLETED") => &["outputImageKey", "outputImageURL", "status"],
                Some("FAILED") => &["errorMsg", "status"],
                _ => return refuse(StatusCode::BAD_REQUEST, "Invalid status"),
            };
            let mut sorted = fields.clone();
            sorted.sort_unstable();
            if sorted != expected {
                return refuse(StatusCode::BAD_REQUEST, "Invalid fields");
            }
            for field in fields {
                job[field] = body[field].clone();
            }
            self.heard.push(Heard {
                done: true,
                ..heard.clone()
            });
        }
        (StatusCode::OK, json!({"success": true, "data": job}))
    }
}
