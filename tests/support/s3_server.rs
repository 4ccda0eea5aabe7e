//! An S3 server in this process: `s3s-fs`, which keeps objects in a folder and
//! checks signatures, with faults in front of it that a test switches on.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::{Body as _, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

/// The access key that it knows.
pub const ACCESS_KEY: &str = "flatbed";
/// The secret of it.
pub const SECRET_KEY: &str = "flatbed-secret";

/// A request, as a fault sees it.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "the example has no faults")]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Of the body, in bytes.
    pub length: u64,
}

/// Answers a request with this status instead of handing it on.
type Fault = Box<dyn FnMut(&Seen) -> Option<u16> + Send>;

/// A server; it ends with the runtime.
#[derive(Clone)]
pub struct S3Server {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    seen: Vec<Seen>,
}

#[allow(dead_code, reason = "the example has no faults")]
impl S3Server {
    /// Serves the buckets in `root`, which are its folders.
    pub async fn start(root: &Path, port: u16) -> std::io::Result<Self> {
        let files =
            FileSystem::new(root).map_err(|error| std::io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let server = Self {
            address: listener.local_addr()?,
            state: Arc::default(),
        };
        let state = Arc::clone(&server.state);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (service, state) = (service.clone(), Arc::clone(&state));
                tokio::spawn(async move {
                    let answer = service_fn(move |request| {
                        let (service, state) = (service.clone(), Arc::clone(&state));
                        async move { Ok::<_, Infallible>(answer(&service, &state, request).await) }
                    });
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(socket), answer)
                        .await;
                });
            }
        });
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this decides which requests fail.
    pub fn fail(&self, fault: impl FnMut(&Seen) -> Option<u16> + Send + 'static) {
        self.state().fault = Some(Box::new(fault));
    }

    pub fn mend(&self) {
        self.state().fault = None;
    }

    /// The requests since the last call.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state().seen)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(
    service: &S3Service,
    state: &Mutex<State>,
    request: Request<Incoming>,
) -> Response<Body> {
    let length = request
        .headers()
        .get(hyper::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let seen = Seen {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        length: length.unwrap_or(0),
    };
    let status = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let status = state.fault.as_mut().and_then(|fault| fault(&seen));
        state.seen.push(seen);
        status
    };
    let broken = |status: u16| {
        let body = format!(
            "<Error><Code>Fault{status}</Code><Message>a fault\nof the test</Message></Error>"
        );
        let answer = Response::builder().status(status).body(Body::from(body));
        answer.unwrap_or_default()
    };
    match status {
        Some(status) => {
            // Whole, as servers do that keep the connection: one closed under a body
            // that still comes breaks the client's pipe before it reads the answer.
            let mut body = request.into_body();
            while let Some(Ok(_)) = poll_fn(|task| Pin::new(&mut body).poll_frame(task)).await {}
            broken(status)
        }
        None => match Service::call(service, request).await {
            Ok(answer) => answer,
            Err(_) => broken(500),
        },
    }
}
