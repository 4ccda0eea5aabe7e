//! Access to AWS, and to what speaks its protocols: a region, and keys or a role.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use crate::config::{Secret, Variables};

/// AWS's own names for what gives a container or pod its role.
const IDENTITY: [&str; 6] = [
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// Who one is there, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The region; signatures name it.
    pub region: String,
    /// Without it, the role that AWS gave this host, container or pod.
    pub keys: Option<Keys>,
    /// Variables that tell a container or pod its role, as AWS names them.
    pub identity: Vec<(&'static str, String)>,
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

impl Access {
    /// `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and what tells a role.
    pub fn read(variables: &mut Variables) -> Self {
        let region = match variables.text("AWS_REGION") {
            Some(region) => region,
            None => variables.text_or("AWS_DEFAULT_REGION", "us-east-1"),
        };
        let mut keys = keys(variables, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
        if let Some(keys) = &mut keys {
            keys.token = variables.secret("AWS_SESSION_TOKEN");
        }
        let identity = IDENTITY
            .iter()
            .filter_map(|&name| Some((name, variables.text(name)?)))
            .collect();
        Self {
            region,
            keys,
            identity,
        }
    }
}

/// Both, or neither.
pub(crate) fn keys(variables: &mut Variables, [id, secret]: [&'static str; 2]) -> Option<Keys> {
    match (variables.text(id), variables.secret(secret)) {
        (Some(id), Some(secret)) => Some(Keys {
            id,
            secret,
            token: None,
        }),
        (Some(_), None) => {
            variables.wrong(secret, &format!("must be set beside {id}"));
            None
        }
        (None, Some(_)) => {
            variables.wrong(id, &format!("must be set beside {secret}"));
            None
        }
        (None, None) => None,
    }
}

/// The same builder, told who one is. Its client also hands out credentials, which
/// it renews.
pub(crate) fn sign_in(
    mut builder: AmazonS3Builder,
    keys: Option<&Keys>,
    identity: &[(&'static str, String)],
) -> AmazonS3Builder {
    for (name, value) in identity {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(keys) = keys {
        builder = builder
            .with_access_key_id(&keys.id)
            .with_secret_access_key(keys.secret.expose());
        if let Some(token) = &keys.token {
            builder = builder.with_token(token.expose());
        }
    }
    builder
}
