//! What can be asked about rights, devices and the site itself.

use serde::Deserialize;
use serde_json::{Value, json};

use super::people::{Answer, parse};
use super::profile::Profile;
use super::refusal::{Refusal, words};
use super::site::Site;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddPersons {
    privilege_group_id: String,
    r#type: u8,
    list: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Apply {
    #[serde(rename = "ImmediateDownload")]
    immediate: u8,
    person_ids: String,
    #[serde(default)]
    door_index_codes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskResult {
    application_result_type: u8,
    r#type: u8,
    #[serde(default = "first")]
    page_no: usize,
    #[serde(default = "first")]
    page_size: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_no: usize,
    page_size: usize,
}

fn first() -> usize {
    1
}

pub fn add_persons(site: &mut Site, profile: &Profile, body: &[u8]) -> Answer {
    let add: AddPersons = parse(body)?;
    if !matches!(add.r#type, 1 | 2) || add.list.is_empty() {
        return Err(Refusal::bad("type or list"));
    }
    if !site.groups.contains(&add.privilege_group_id) {
        return Err(Refusal::missing(words("128")));
    }
    for Member { id } in add.list {
        let person = site.by_id(&id);
        let person = person.ok_or_else(|| Refusal::missing(words("128")))?;
        let is_new = person.groups.insert(add.privilege_group_id.clone());
        if !is_new && profile.strict_groups {
            return Err(Refusal::new("131", words("131")));
        }
    }
    Ok(json!(""))
}

pub fn apply(site: &mut Site, profile: &Profile, body: &[u8]) -> Answer {
    let apply: Apply = parse(body)?;
    if apply.immediate > 1 {
        return Err(Refusal::bad("ImmediateDownload"));
    }
    let doors = apply.door_index_codes.split(',');
    if doors.clone().any(|door| door.parse::<u32>().is_err()) {
        return Err(Refusal::bad("doorIndexCodes"));
    }
    let ids: Vec<String> = apply.person_ids.split(',').map(str::to_owned).collect();
    if ids.iter().any(|id| site.by_id(id).is_none()) {
        return Err(Refusal::missing(words("128")));
    }
    site.applying = ids;
    site.looks = profile.looks;
    Ok(json!(""))
}

pub fn result(site: &mut Site, body: &[u8]) -> Answer {
    let ask: AskResult = parse(body)?;
    let page = Page {
        page_no: ask.page_no,
        page_size: ask.page_size,
    };
    let is_failed = |id: &&String| site.refused.contains(*id);
    let failed: Vec<Value> = site
        .applying
        .iter()
        .filter(is_failed)
        .map(|id| json!({"personId": id, "doorIndexCode": "56", "errorCode": "0x1"}))
        .collect();
    match (ask.application_result_type, ask.r#type) {
        (1, 1) => {
            let waiting = if site.looks > 0 {
                site.applying.len()
            } else {
                0
            };
            site.looks = site.looks.saturating_sub(1);
            Ok(json!({"waitingNum": waiting, "failedNum": failed.len()}))
        }
        (2, 1) => paged(&failed, &page),
        _ => Err(Refusal::bad("applicationResultType or type")),
    }
}

pub fn organisations(profile: &Profile, body: &[u8]) -> Answer {
    let page: Page = parse(body)?;
    let all: Vec<Value> = profile
        .organisations
        .iter()
        .map(|(code, name, parent)| {
            json!({"orgIndexCode": code, "orgName": name, "parentOrgIndexCode": parent})
        })
        .collect();
    paged(&all, &page)
}

fn paged(all: &[Value], page: &Page) -> Answer {
    if !(1..=500).contains(&page.page_size) || page.page_no == 0 {
        return Err(Refusal::bad("pageNo or pageSize"));
    }
    let pages = all.chunks(page.page_size);
    let list = pages.skip(page.page_no - 1).map(<[Value]>::to_vec).next();
    Ok(json!({
        "total": all.len(), "pageNo": page.page_no, "pageSize": page.page_size,
        "list": list.unwrap_or_default(),
    }))
}

pub fn version() -> Value {
    json!({"produceName": "HikCentral Professional", "softVersion": "V2.6.1.0"})
}
