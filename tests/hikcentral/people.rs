//! People looked up, added, given faces and fields.

use flatbed::client::hikcentral::{Kind, NewPerson, PersonCode};
use serde_json::{Value, json};

use super::fixture::{added, code, harmless, jpeg, kib, person, site};
use crate::support::hikcentral::{Data, Missing, Profile, path};

#[tokio::test]
async fn a_person_is_added_and_found_with_face_and_field() {
    let (server, client) = site(Profile::default());
    let new = NewPerson {
        face: Some(jpeg(30_000)),
        begin: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        end: Some("2030-12-31T23:59:59Z".parse().unwrap()),
        ..person("2611852")
    };
    let id = client.add_person(&new).await.unwrap();
    client
        .set_custom_field(&id, &kib(), "2611852")
        .await
        .unwrap();
    client.update_face(&id, &jpeg(40_000)).await.unwrap();
    assert_eq!(
        client.person_by_code(&new.code).await.unwrap(),
        Some(id.clone())
    );
    let there = server.person("2611852").unwrap();
    assert_eq!(there.id, id.as_str());
    assert_eq!(
        (there.given_name.as_str(), there.family_name.as_str()),
        ("Siti", "Rahmawati")
    );
    assert_eq!((there.face, there.faces), (Some(40_000), 2));
    assert_eq!(there.fields["1"], "2611852");
    assert_eq!(there.begin.as_deref(), Some("2026-01-01T00:00:00+00:00"));
    assert_eq!(server.forged(), 0);
    // As the guide writes it, its spelling included.
    let seen = server.seen();
    let body = |path: &str| {
        let request = seen.iter().find(|seen| seen.path == path).unwrap();
        serde_json::from_str::<Value>(&request.body).unwrap()
    };
    assert_eq!(
        body(path::FIELD),
        json!({"personId": id, "list": [{"id": "1", "customFiledName": "KIB",
            "customFieldType": 0, "customFieldValue": "2611852"}]})
    );
    let face = body(path::FACE)["faceData"].as_str().unwrap().to_owned();
    assert!(face.starts_with("/9j/"), "no data: before it");
}

#[tokio::test]
async fn the_new_number_comes_as_text_number_or_object() {
    for data in [Data::Text, Data::Number, Data::Object] {
        for numbers in [false, true] {
            let profile = Profile {
                numbers,
                data,
                ..Profile::default()
            };
            let (server, client) = site(profile);
            let id = added(&client, "7").await;
            assert_eq!(server.person("7").unwrap().id, id.as_str(), "{data:?}");
        }
    }
}

#[tokio::test]
async fn nobody_is_nobody_however_it_is_said() {
    for missing in [
        Missing::Code,
        Missing::Null,
        Missing::Empty,
        Missing::Object,
    ] {
        let (_server, client) = site(Profile {
            missing,
            ..Profile::default()
        });
        let found = client.person_by_code(&code("7")).await;
        assert_eq!(found, Ok(None), "{missing:?}");
    }
}

#[tokio::test]
async fn who_is_there_is_not_added_again() {
    let (server, client) = site(Profile::default());
    let id = added(&client, "3171234567890001").await;
    let again = client.add_person(&person("3171234567890001")).await;
    let error = harmless(&server, again.unwrap_err());
    assert_eq!(
        (error.kind(), error.code().as_deref()),
        (Kind::Exists, Some("131"))
    );
    assert!(error.is_final() && !error.is_unknown());
    let found = client.person_by_code(&code("3171234567890001")).await;
    assert_eq!((found, server.count()), (Ok(Some(id)), 1));
}

/// Seventeen characters do not get as far as the server, which would refuse them.
#[tokio::test]
async fn long_codes_are_refused_before_they_are_sent() {
    let error = PersonCode::new("31712345678900012")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("17 characters") && !error.contains("3171"),
        "{error}"
    );
    let (server, client) = site(Profile::default());
    let id = added(&client, "3171234567890001").await;
    let long = "x".repeat(129);
    let error = client
        .set_custom_field(&id, &kib(), &long)
        .await
        .unwrap_err();
    // The server repeats the value; the error does not.
    assert_eq!(error.kind(), Kind::BadParameter);
    assert!(!harmless(&server, error).to_string().contains("xx"));
}

#[tokio::test]
async fn faces_are_jpegs_of_a_bearable_size() {
    let (server, client) = site(Profile::default());
    let id = added(&client, "7").await;
    let asked = server.requests();
    for other in [&b"data:image/jpeg;base64,/9j/"[..], b"\x89PNG\r\n", b""] {
        let error = client.update_face(&id, other).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unfit);
    }
    let nameless = NewPerson {
        given_name: " ".to_owned(),
        ..person("8")
    };
    assert_eq!(
        client.add_person(&nameless).await.unwrap_err().kind(),
        Kind::Unfit
    );
    assert_eq!(server.requests(), asked, "nothing was sent");
    let error = client.update_face(&id, &jpeg(200 << 11)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadParameter);
    assert!(client.update_face(&id, &jpeg(200 << 10)).await.is_ok());
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let (_server, client) = site(Profile {
        most_people: 1,
        ..Profile::default()
    });
    let elsewhere = NewPerson {
        organisation: "77".to_owned(),
        ..person("7")
    };
    assert_eq!(
        client.add_person(&elsewhere).await.unwrap_err().kind(),
        Kind::NotFound
    );
    let id = added(&client, "7").await;
    let mut field = kib();
    field.id = "77".to_owned();
    let error = client.set_custom_field(&id, &field, "1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let error = client.add_person(&person("8")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Full);
    assert!(error.is_about_all_jobs() && !error.passes());
}
