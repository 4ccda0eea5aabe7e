//! Which store, and how it is reached: read from variables, checked all at once.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::Key;
use crate::secret::Secret;
use crate::setting::{Problems, Reader, Variables};

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
    pub identity: Vec<(String, String)>,
    /// All keys are below it.
    pub prefix: Option<Key>,
}

/// An access key and its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The key's id; no secret.
    pub id: String,
    /// The secret key.
    pub secret: Secret,
    /// Beside temporary keys.
    pub token: Option<Secret>,
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

/// AWS's own names for what gives a container or pod its role.
const IDENTITY: [&str; 6] = [
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

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
    pub fn s3(variables: &dyn Variables) -> Result<Option<Self>, Problems> {
        let mut reader = Reader::new(variables);
        let Some((variable, name)) = reader.first(&["S3_BUCKET", "AWS_S3_BUCKET"]) else {
            return Ok(None);
        };
        let region = reader.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let bucket = Bucket {
            service: Service::S3,
            name: bucket_name(&mut reader, variable, name),
            region: region.map_or_else(|| "us-east-1".to_owned(), |(_, region)| region),
            endpoint: endpoint(&mut reader, "S3_ENDPOINT"),
            keys: keys(
                &mut reader,
                ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
                "AWS_SESSION_TOKEN",
            ),
            identity: IDENTITY
                .iter()
                .filter_map(|&name| Some((name.to_owned(), reader.text(name)?)))
                .collect(),
            prefix: prefix(&mut reader, "S3_PREFIX"),
        };
        let public = public(&mut reader, "CLOUDFRONT_DOMAIN");
        Self::bucket(
            reader,
            bucket,
            public,
            "VIDEO_TEMP_DIR",
            "/tmp/video-processing",
        )
    }

    /// Google Cloud Storage as `GCS_BUCKET`, `GCS_ACCESS_KEY` and `GCS_SECRET_KEY`
    /// (HMAC keys), `GCS_ENDPOINT` and `TEMP_VIDEO_DIR` say; `None` without a bucket.
    pub fn gcs(variables: &dyn Variables) -> Result<Option<Self>, Problems> {
        let mut reader = Reader::new(variables);
        let Some(name) = reader.text("GCS_BUCKET") else {
            return Ok(None);
        };
        let endpoint = endpoint(&mut reader, "GCS_ENDPOINT");
        let bucket = Bucket {
            service: Service::Gcs,
            name: bucket_name(&mut reader, "GCS_BUCKET", name),
            region: "auto".to_owned(),
            endpoint: Some(endpoint.unwrap_or_else(|| "https://storage.googleapis.com".to_owned())),
            keys: needed_keys(&mut reader, ["GCS_ACCESS_KEY", "GCS_SECRET_KEY"]),
            identity: Vec::new(),
            prefix: None,
        };
        Self::bucket(reader, bucket, None, "TEMP_VIDEO_DIR", "/tmp/cctv")
    }

    /// Cloudflare R2 as `R2_BUCKET`, `R2_ENDPOINT`, `R2_ACCESS_KEY_ID`,
    /// `R2_SECRET_ACCESS_KEY`, `R2_REGION` and `R2_PUBLIC_URL` say; `None` without a
    /// bucket.
    pub fn r2(variables: &dyn Variables) -> Result<Option<Self>, Problems> {
        let mut reader = Reader::new(variables);
        let Some(name) = reader.text("R2_BUCKET") else {
            return Ok(None);
        };
        if reader.text("R2_ENDPOINT").is_none() {
            let expected = "must be set beside R2_BUCKET: https://ACCOUNT.r2.cloudflarestorage.com";
            reader.wrong("R2_ENDPOINT", expected);
        }
        let bucket = Bucket {
            service: Service::R2,
            name: bucket_name(&mut reader, "R2_BUCKET", name),
            region: reader
                .text("R2_REGION")
                .unwrap_or_else(|| "auto".to_owned()),
            endpoint: endpoint(&mut reader, "R2_ENDPOINT"),
            keys: needed_keys(&mut reader, ["R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"]),
            identity: Vec::new(),
            prefix: None,
        };
        let public = public(&mut reader, "R2_PUBLIC_URL");
        Self::bucket(
            reader,
            bucket,
            public,
            "VIDEO_TEMP_DIR",
            "/tmp/video-processing",
        )
    }

    fn bucket(
        reader: Reader<'_>,
        bucket: Bucket,
        public: Option<String>,
        temp_dir: &str,
        default: &str,
    ) -> Result<Option<Self>, Problems> {
        let temp_dir = reader.text(temp_dir).unwrap_or_else(|| default.to_owned());
        reader.finish(Some(Self {
            place: Place::Bucket(Box::new(bucket)),
            public,
            temp_dir: temp_dir.into(),
        }))
    }
}

fn bucket_name(reader: &mut Reader<'_>, variable: &str, name: String) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.len() > 222 || !name.bytes().all(allowed) || name.starts_with('.') {
        let expected = "a bucket's name has letters, digits, '-', '_' and '.' only";
        reader.wrong(variable, format!("{name:?}: {expected}"));
    }
    name
}

fn endpoint(reader: &mut Reader<'_>, variable: &str) -> Option<String> {
    let text = reader.text(variable)?;
    match web(&text) {
        Some(_) => Some(text.trim_end_matches('/').to_owned()),
        None => {
            let expected = "expected an address without user, query and fragment, as \
                            https://storage.example.com:9000";
            reader.wrong(variable, expected);
            None
        }
    }
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
fn public(reader: &mut Reader<'_>, variable: &str) -> Option<String> {
    let text = reader.text(variable)?;
    let address = if text.contains("://") {
        text
    } else {
        format!("https://{text}")
    };
    if web(&address).is_none() {
        let expected = "expected a domain, as d1234567890.cloudfront.net, or an address";
        reader.wrong(variable, expected);
    }
    Some(address.trim_end_matches('/').to_owned())
}

fn prefix(reader: &mut Reader<'_>, variable: &str) -> Option<Key> {
    let text = reader.text(variable)?;
    match text.trim_matches('/').parse() {
        Ok(prefix) => Some(prefix),
        Err(error) => {
            reader.wrong(variable, format!("{error}"));
            None
        }
    }
}

fn keys(reader: &mut Reader<'_>, names: [&'static str; 2], token: &str) -> Option<Keys> {
    match (reader.text(names[0]), reader.secret(names[1])) {
        (Some(id), Some(secret)) => Some(Keys {
            id,
            secret,
            token: reader.secret(token),
        }),
        (None, None) => None,
        (id, _) => {
            let (absent, there) = if id.is_some() {
                (names[1], names[0])
            } else {
                (names[0], names[1])
            };
            reader.wrong(absent, format!("must be set beside {there}"));
            None
        }
    }
}

fn needed_keys(reader: &mut Reader<'_>, names: [&'static str; 2]) -> Option<Keys> {
    if names.iter().all(|name| reader.text(name).is_none()) {
        for name in names {
            reader.wrong(name, "must be set, this store knows no other way in");
        }
    }
    keys(reader, names, "")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn bucket(config: &Config) -> &Bucket {
        match &config.place {
            Place::Bucket(bucket) => bucket,
            Place::Folder(root) => panic!("{} is no bucket", root.display()),
        }
    }

    #[test]
    fn s3_as_the_exports_document_sets_it() {
        let mut variables = HashMap::from([
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "your-key"),
            ("AWS_SECRET_ACCESS_KEY", "your-secret"),
            ("S3_BUCKET", "sparc-videos"),
            ("CLOUDFRONT_DOMAIN", "d1234567890.cloudfront.net"),
        ]);
        let config = Config::s3(&variables).unwrap().unwrap();
        assert_eq!(config.place.to_string(), "s3://sparc-videos");
        assert_eq!(bucket(&config).region, "eu-west-1");
        assert_eq!(
            config.public.as_deref(),
            Some("https://d1234567890.cloudfront.net")
        );
        assert_eq!(config.temp_dir.to_str(), Some("/tmp/video-processing"));
        assert!(!format!("{config:?}").contains("your-secret"));
        variables.remove("S3_BUCKET");
        assert_eq!(Config::s3(&variables), Ok(None));
    }

    #[test]
    fn all_faults_are_named_by_variable() {
        let variables = HashMap::from([
            ("S3_BUCKET", "a b"),
            ("AWS_SECRET_ACCESS_KEY", "your-secret"),
            ("S3_ENDPOINT", "http://user:pass@host"),
            ("S3_PREFIX", "../up"),
            ("CLOUDFRONT_DOMAIN", "no domain"),
        ]);
        let problems = Config::s3(&variables).unwrap_err();
        let names: Vec<_> = problems.0.iter().map(|p| p.variable.as_str()).collect();
        assert_eq!(
            names,
            [
                "S3_BUCKET",
                "S3_ENDPOINT",
                "AWS_ACCESS_KEY_ID",
                "S3_PREFIX",
                "CLOUDFRONT_DOMAIN"
            ]
        );
        let text = problems.to_string();
        assert!(
            !text.contains("your-secret") && !text.contains("pass"),
            "{text}"
        );
    }

    #[test]
    fn gcs_and_r2_need_their_keys() {
        let gcs = Config::gcs(&HashMap::from([("GCS_BUCKET", "clips")])).unwrap_err();
        assert_eq!(gcs.0.len(), 2, "{gcs}");
        let r2 = Config::r2(&HashMap::from([("R2_BUCKET", "images")])).unwrap_err();
        assert_eq!(r2.0.len(), 3, "{r2}");
        let variables = HashMap::from([
            ("R2_BUCKET", "images"),
            ("R2_ENDPOINT", "https://account.r2.cloudflarestorage.com/"),
            ("R2_ACCESS_KEY_ID", "id"),
            ("R2_SECRET_ACCESS_KEY", "secret"),
            ("R2_PUBLIC_URL", "https://pub-xxx.r2.dev"),
        ]);
        let config = Config::r2(&variables).unwrap().unwrap();
        assert_eq!(bucket(&config).region, "auto");
        assert_eq!(
            bucket(&config).endpoint.as_deref(),
            Some("https://account.r2.cloudflarestorage.com")
        );
    }
}
