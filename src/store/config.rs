//! Which store, and how it is reached: read from variables, checked all at once.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::Key;
use crate::aws::{Access, keys};
use crate::config::Variables;

pub use crate::aws::Keys;

/// A store and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where objects are kept.
    pub place: Place,
    /// `https://d111.cloudfront.net`: where the public reads the same objects.
    /// Links then lead there, unsigned.
    pub public: Option<String>,
    /// Where files are put that must be whole before they can be uploaded.
    pub temp_dir: PathBuf,
}

/// Where objects are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder of this host.
    Folder(PathBuf),
    /// A bucket of a service that speaks S3's protocol.
    Bucket(Box<Bucket>),
}

/// A bucket, and the keys to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Whose it is.
    pub service: Service,
    /// Its name.
    pub name: String,
    /// Its region; signatures name it.
    pub region: String,
    /// The service's address where that is not AWS; paths begin with the bucket.
    pub endpoint: Option<String>,
    /// Without it, the role that AWS gave this host, container or pod.
    pub keys: Option<Keys>,
    /// Variables that tell a container or pod its role, as AWS names them.
    pub identity: Vec<(&'static str, String)>,
    /// All keys are below it.
    pub prefix: Option<Key>,
}

/// The services, and what sets them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// S3, and all that is compatible with it.
    S3,
    /// Google Cloud Storage through its interoperability endpoint.
    Gcs,
    /// Cloudflare R2.
    R2,
}

impl Service {
    /// The scheme under which people know its objects.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::R2 => "r2",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(root) => write!(f, "{}", root.display()),
            Self::Bucket(bucket) => write!(f, "{}://{}", bucket.service.scheme(), bucket.name),
        }
    }
}

impl Config {
    /// A folder, with its own temporary files.
    pub fn folder(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            temp_dir: root.clone(),
            place: Place::Folder(root),
            public: None,
        }
    }

    /// S3 as `S3_BUCKET` (or `AWS_S3_BUCKET`), `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `S3_ENDPOINT`, `S3_PREFIX`,
    /// `CLOUDFRONT_DOMAIN` and `VIDEO_TEMP_DIR` say; `None` without a bucket.
    pub fn s3(variables: &mut Variables) -> Option<Self> {
        let name = bucket_name(variables, "S3_BUCKET")
            .or_else(|| bucket_name(variables, "AWS_S3_BUCKET"))?;
        let Access {
            region,
            keys,
            identity,
        } = Access::read(variables);
        let bucket = Bucket {
            service: Service::S3,
            name,
            region,
            endpoint: endpoint(variables, "S3_ENDPOINT"),
            keys,
            identity,
            prefix: prefix(variables, "S3_PREFIX"),
        };
        Some(Self {
            place: Place::Bucket(Box::new(bucket)),
            public: public(variables, "CLOUDFRONT_DOMAIN"),
            temp_dir: temp_dir(variables),
        })
    }

    /// Google Cloud Storage as `GCS_BUCKET`, `GCS_ACCESS_KEY` and `GCS_SECRET_KEY`
    /// (HMAC keys), `GCS_ENDPOINT` and `TEMP_VIDEO_DIR` say; `None` without a bucket.
    pub fn gcs(variables: &mut Variables) -> Option<Self> {
        let name = bucket_name(variables, "GCS_BUCKET")?;
        let endpoint = endpoint(variables, "GCS_ENDPOINT");
        let bucket = Bucket {
            service: Service::Gcs,
            name,
            region: "auto".to_owned(),
            endpoint: Some(endpoint.unwrap_or_else(|| "https://storage.googleapis.com".to_owned())),
            keys: needed_keys(variables, ["GCS_ACCESS_KEY", "GCS_SECRET_KEY"]),
            identity: Vec::new(),
            prefix: None,
        };
        Some(Self {
            place: Place::Bucket(Box::new(bucket)),
            public: None,
            temp_dir: variables.text_or("TEMP_VIDEO_DIR", "/tmp/cctv").into(),
        })
    }

    /// Cloudflare R2 as `R2_BUCKET`, `R2_ENDPOINT`, `R2_ACCESS_KEY_ID`,
    /// `R2_SECRET_ACCESS_KEY`, `R2_REGION`, `R2_PUBLIC_URL` and `VIDEO_TEMP_DIR`
    /// say; `None` without a bucket.
    pub fn r2(variables: &mut Variables) -> Option<Self> {
        let name = bucket_name(variables, "R2_BUCKET")?;
        if !variables.is_set("R2_ENDPOINT") {
            let expected = "must be set beside R2_BUCKET: https://ACCOUNT.r2.cloudflarestorage.com";
            variables.wrong("R2_ENDPOINT", expected);
        }
        let bucket = Bucket {
            service: Service::R2,
            name,
            region: variables.text_or("R2_REGION", "auto"),
            endpoint: endpoint(variables, "R2_ENDPOINT"),
            keys: needed_keys(variables, ["R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"]),
            identity: Vec::new(),
            prefix: None,
        };
        Some(Self {
            place: Place::Bucket(Box::new(bucket)),
            public: public(variables, "R2_PUBLIC_URL"),
            temp_dir: temp_dir(variables),
        })
    }
}

fn temp_dir(variables: &mut Variables) -> PathBuf {
    let default = "/tmp/video-processing";
    variables.text_or("VIDEO_TEMP_DIR", default).into()
}

fn bucket_name(variables: &mut Variables, variable: &'static str) -> Option<String> {
    let name = variables.text(variable)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.len() > 222 || !name.bytes().all(allowed) || name.starts_with('.') {
        let expected = "a bucket's name has letters, digits, '-', '_' and '.' only";
        variables.wrong(variable, &format!("'{name}': {expected}"));
    }
    Some(name)
}

fn endpoint(variables: &mut Variables, variable: &'static str) -> Option<String> {
    let text = variables.text(variable)?;
    if web(&text).is_some() {
        return Some(text.trim_end_matches('/').to_owned());
    }
    let expected = "expected an address without user, query and fragment, as \
                    https://storage.example.com:9000";
    variables.wrong(variable, expected);
    None
}

/// The address, where it is one of the web and carries no password.
fn web(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (plain && url.has_host() && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// A host alone, as `CLOUDFRONT_DOMAIN` is, or a whole address.
fn public(variables: &mut Variables, variable: &'static str) -> Option<String> {
    let text = variables.text(variable)?;
    let address = if text.contains("://") {
        text
    } else {
        format!("https://{text}")
    };
    if web(&address).is_none() {
        let expected = "expected a domain, as d1234567890.cloudfront.net, or an address";
        variables.wrong(variable, expected);
    }
    Some(address.trim_end_matches('/').to_owned())
}

fn prefix(variables: &mut Variables, variable: &'static str) -> Option<Key> {
    let text = variables.text(variable)?;
    match text.trim_matches('/').parse() {
        Ok(prefix) => Some(prefix),
        Err(error) => {
            variables.wrong(variable, &format!("{error}"));
            None
        }
    }
}

fn needed_keys(variables: &mut Variables, names: [&'static str; 2]) -> Option<Keys> {
    if !names.iter().any(|name| variables.is_set(name)) {
        for name in names {
            variables.wrong(name, "must be set, this store knows no other way in");
        }
    }
    keys(variables, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    fn bucket(config: &Config) -> &Bucket {
        match &config.place {
            Place::Bucket(bucket) => bucket,
            Place::Folder(root) => panic!("{} is no bucket", root.display()),
        }
    }

    fn faults(variables: Variables) -> Vec<String> {
        let Invalid(faults) = variables.finish().unwrap_err();
        faults
    }

    #[test]
    fn s3_as_the_exports_document_sets_it() {
        let mut variables = Variables::of([
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "your-key"),
            ("AWS_SECRET_ACCESS_KEY", "your-secret"),
            ("S3_BUCKET", "sparc-videos"),
            ("CLOUDFRONT_DOMAIN", "d1234567890.cloudfront.net"),
        ]);
        let config = Config::s3(&mut variables).unwrap();
        assert_eq!(config.place.to_string(), "s3://sparc-videos");
        assert_eq!(bucket(&config).region, "eu-west-1");
        let public = config.public.as_deref();
        assert_eq!(public, Some("https://d1234567890.cloudfront.net"));
        assert_eq!(config.temp_dir.to_str(), Some("/tmp/video-processing"));
        assert!(!format!("{config:?}").contains("your-secret"));
        variables.finish().unwrap();
        assert_eq!(Config::s3(&mut Variables::of([])), None);
    }

    #[test]
    fn all_faults_are_named_by_variable() {
        let mut variables = Variables::of([
            ("S3_BUCKET", "a b"),
            ("AWS_SECRET_ACCESS_KEY", "your-secret"),
            ("S3_ENDPOINT", "http://user:pass@host"),
            ("S3_PREFIX", "../up"),
            ("CLOUDFRONT_DOMAIN", "no domain"),
        ]);
        Config::s3(&mut variables);
        let faults = faults(variables);
        let mut names: Vec<_> = faults.iter().filter_map(|f| f.split(':').next()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "AWS_ACCESS_KEY_ID",
                "CLOUDFRONT_DOMAIN",
                "S3_BUCKET",
                "S3_ENDPOINT",
                "S3_PREFIX",
            ]
        );
        let text = faults.join(" ");
        assert!(
            !text.contains("your-secret") && !text.contains("pass"),
            "{text}"
        );
    }

    #[test]
    fn gcs_and_r2_need_their_keys() {
        let mut variables = Variables::of([("GCS_BUCKET", "clips")]);
        Config::gcs(&mut variables);
        assert_eq!(faults(variables).len(), 2);
        let mut variables = Variables::of([("R2_BUCKET", "images")]);
        Config::r2(&mut variables);
        assert_eq!(faults(variables).len(), 3);
        let mut variables = Variables::of([
            ("R2_BUCKET", "images"),
            ("R2_ENDPOINT", "https://account.r2.cloudflarestorage.com/"),
            ("R2_ACCESS_KEY_ID", "id"),
            ("R2_SECRET_ACCESS_KEY", "secret"),
            ("R2_PUBLIC_URL", "https://pub-xxx.r2.dev"),
        ]);
        let config = Config::r2(&mut variables).unwrap();
        assert_eq!(bucket(&config).region, "auto");
        let endpoint = bucket(&config).endpoint.as_deref();
        assert_eq!(endpoint, Some("https://account.r2.cloudflarestorage.com"));
        variables.finish().unwrap();
    }
}
