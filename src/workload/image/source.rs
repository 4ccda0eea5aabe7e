//! The image's bytes: from the bucket by its key, or from its address, guarded.

use std::sync::Arc;

use url::{Host as UrlHost, Url};

use super::config::SourceChoice;
use super::failure::Failure;
use super::order::source_key;
use crate::client::callback::ImageJob;
use crate::fetch::{self, Fetcher, Request, Resolver, SystemResolver};
use crate::store::{self, Store};

/// Gets images.
#[derive(Debug, Clone)]
pub struct Sources {
    store: Store,
    choice: SourceChoice,
    /// Goes to the public address of the bucket, wherever that is, and nowhere else.
    own: Fetcher,
    /// That address, as far as the port.
    public: Url,
    /// Goes to public addresses, and what the operator allows.
    others: Fetcher,
    /// The most bytes.
    most: u64,
}

impl Sources {
    /// Images of `store`, which the public reads at `public`, and of elsewhere as
    /// `config` allows.
    pub fn new(
        store: Store,
        public: Url,
        choice: SourceChoice,
        most: u64,
        config: &fetch::Config,
    ) -> fetch::Result<Self> {
        Self::with_resolver(
            store,
            public,
            choice,
            most,
            config,
            Arc::new(SystemResolver),
        )
    }

    /// The same with a resolver of choice.
    pub fn with_resolver(
        store: Store,
        public: Url,
        choice: SourceChoice,
        most: u64,
        config: &fetch::Config,
        resolver: Arc<dyn Resolver>,
    ) -> fetch::Result<Self> {
        let own = fetch::Config {
            allow: host(&public).into_iter().collect(),
            only: Vec::new(),
            // Another port of the same host is another service.
            redirects: 0,
            ..config.clone()
        };
        Ok(Self {
            store,
            choice,
            own: Fetcher::with_resolver(own, Arc::clone(&resolver))?,
            public,
            others: Fetcher::with_resolver(config.clone(), resolver)?,
            most,
        })
    }

    /// All of the image.
    pub async fn get(&self, job: &ImageJob) -> Result<Vec<u8>, Failure> {
        let url = job
            .source_image_url
            .as_deref()
            .filter(|url| !url.is_empty());
        let key = source_key(job).filter(|_| self.choice == SourceChoice::Bucket || url.is_none());
        if let Some(key) = key {
            match (self.store.get_within(&key, self.most).await, url) {
                (Ok(Some(bytes)), _) => return Ok(bytes.into()),
                (Ok(None), _) => return Err(Failure::TooLarge(self.most)),
                (Err(error @ store::Error::Absent { .. }), None) => {
                    return Err(Failure::Source(error.to_string()));
                }
                (Err(store::Error::Absent { .. } | store::Error::Refused { .. }), Some(_)) => {}
                (Err(error), _) => return Err(error.into()),
            }
        }
        let Some(url) = url else {
            let nowhere = "the image job has neither sourceImageKey nor sourceImageURL";
            return Err(Failure::Source(nowhere.to_owned()));
        };
        let download = self.fetcher(url).get(&Request::new(url, self.most)).await?;
        Ok(download.bytes().await?)
    }

    fn fetcher(&self, url: &str) -> &Fetcher {
        match Url::parse(url) {
            Ok(url) if url.origin() == self.public.origin() => &self.own,
            _ => &self.others,
        }
    }
}

fn host(url: &Url) -> Option<fetch::Host> {
    match url.host()? {
        UrlHost::Domain(name) => name.parse().ok(),
        UrlHost::Ipv4(address) => address.to_string().parse().ok(),
        UrlHost::Ipv6(address) => address.to_string().parse().ok(),
    }
}
