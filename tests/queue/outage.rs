//! Calls to a broker that is gone, and a way to it that can be cut.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use flatbed::job::Outcome;
use flatbed::queue::{Delivery, Error, Lease, Ledger, NewJob, Source};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::contract::{BOUND, until};

/// What the contract grants a call to a broker that is gone, and some more for
/// a busy machine.
pub const AWAY: Duration = Duration::from_secs(20);

/// As the runner does it: again until it is known.
pub async fn settled(delivery: &dyn Delivery, outcome: &Outcome) -> Lease {
    let begun = Instant::now();
    loop {
        match delivery.settle(outcome).await {
            Ok(lease) => return lease,
            Err(Error::Away { .. }) if begun.elapsed() < BOUND => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// As the runner does it: again while the broker is away.
pub async fn received(source: &dyn Source) -> Box<dyn Delivery> {
    let receiving = async {
        loop {
            match source.receive().await {
                Ok(delivery) => return delivery,
                Err(Error::Away { .. }) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(BOUND, receiving).await.expect("a delivery comes")
}

/// Adds a job as soon as the broker is back.
pub async fn added(queue: &dyn Ledger, job: &NewJob) {
    until("the queue is back", async || {
        let added = queue.add(job.clone()).await;
        assert!(
            matches!(added, Ok(_) | Err(Error::Away { .. })),
            "{added:?}"
        );
        added.is_ok()
    })
    .await;
}

pub fn assert_away<T>(answer: Result<T, Error>) {
    match answer {
        Err(Error::Away { reason, .. }) => assert!(!reason.contains('\n'), "{reason}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it answered"),
    }
}

/// What the way to the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Lets everything pass.
    Open,
    /// Ends all connections, and new ones at once.
    Cut,
    /// Takes what is sent, and nothing comes: as a half-open connection. Those of
    /// that time stay so.
    Silent,
    /// Leads what is sent to the server, and no answer comes, for good.
    Mute,
}

/// A port that leads to a server.
pub struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = watch::Sender::new(Way::Open);
        let told = way.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(lead(client, server, told.clone()));
            }
        });
        Self {
            address,
            way,
            accepting,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Until the way is cut, or the proxy gone.
async fn lead(mut client: TcpStream, server: SocketAddr, mut way: watch::Receiver<Way>) {
    let now = *way.borrow();
    if now == Way::Open {
        let Ok(mut server) = TcpStream::connect(server).await else {
            return;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = way.wait_for(|way| *way != Way::Open) => {}
        }
        let stopped = *way.borrow();
        if stopped == Way::Mute {
            // Its answers must not keep the server from reading.
            let (mut from_client, _kept) = client.split();
            let (mut answers, mut to_server) = server.split();
            let mut nowhere = tokio::io::sink();
            tokio::select! {
                _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                _ = tokio::io::copy(&mut answers, &mut nowhere) => {}
                _ = way.wait_for(|way| *way == Way::Cut) => {}
            }
        } else if stopped == Way::Silent {
            // Both ends stay open.
            let _ = way.wait_for(|way| *way == Way::Cut).await;
        }
    } else if now != Way::Cut {
        let _ = way.wait_for(|way| *way == Way::Cut).await;
    }
}
