//! What an operator asks first: which version it is, and which departments there are.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::HikCentral;
use super::error::{Error, Kind, Result};
use super::exchange::{Call, data};
use super::person::Organisation;
use super::text::Text;

const VERSION: Call = Call {
    what: "ask for its version",
    path: "/artemis/api/common/v1/version",
    once: false,
};
const ORGANISATIONS: Call = Call {
    what: "list its departments",
    path: "/artemis/api/resource/v1/org/orgList",
    once: false,
};

/// Departments in one answer, the most that are allowed, and the most answers.
const PAGE: usize = 500;
const PAGES: u32 = 100;

#[derive(Serialize)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    #[serde(rename_all = "camelCase")]
    Product {
        /// Its name is spelt both ways.
        #[serde(alias = "produceName")]
        product_name: Option<Text>,
        soft_version: Text,
    },
    Plain(Text),
    Other(IgnoredAny),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_no: u32,
    page_size: usize,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    list: Vec<Department>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Department {
    org_index_code: Text,
    org_name: Option<Text>,
    parent_org_index_code: Option<Text>,
}

impl HikCentral {
    /// What it calls itself: `HikCentral Professional V2.1.0.0`.
    pub async fn version(&self) -> Result<String> {
        let answer = self.ask(VERSION, &Nothing {}, &[]).await?;
        let told = match data::<Option<Version>>(VERSION, &answer)? {
            Some(Version::Product {
                product_name,
                soft_version,
            }) => {
                let name = product_name.and_then(Text::filled);
                let name = name.unwrap_or_else(|| "HikCentral".to_owned());
                format!("{name} {}", soft_version.as_str())
            }
            Some(Version::Plain(text)) => text.filled().unwrap_or_default(),
            Some(Version::Other(_)) | None => String::new(),
        };
        Ok(self.0.hidden.line(&told, &[]))
    }

    /// All departments, in the server's order.
    pub async fn organisations(&self) -> Result<Vec<Organisation>> {
        let mut all = Vec::new();
        for page_no in 1..=PAGES {
            let page = Page {
                page_no,
                page_size: PAGE,
            };
            let answer = self.ask(ORGANISATIONS, &page, &[]).await?;
            let listed = data::<Option<Listed>>(ORGANISATIONS, &answer)?;
            let list = listed.map(|listed| listed.list).unwrap_or_default();
            let is_last = list.len() < PAGE;
            all.extend(list.into_iter().map(Organisation::from));
            if is_last {
                return Ok(all);
            }
        }
        let reason = format!("there are more than {PAGES} pages of them");
        Err(Error::new(Kind::Foreign, ORGANISATIONS.what, reason))
    }
}

impl From<Department> for Organisation {
    fn from(department: Department) -> Self {
        Self {
            index_code: department.org_index_code.as_str().to_owned(),
            name: department
                .org_name
                .and_then(Text::filled)
                .unwrap_or_default(),
            parent: department.parent_org_index_code.and_then(Text::filled),
        }
    }
}
