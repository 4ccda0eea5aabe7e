//! Who there is: all of somebody follows from a number, and some are odd.

use std::net::SocketAddr;

use serde_json::{Value, json};

/// Zones, their slugs, and the privilege groups that the requirement's table has for
/// them.
const ZONES: [(&str, &str, &str); 6] = [
    ("Zona I", "zona-i", "1"),
    ("Zona II", "zona-ii", "2"),
    ("Zona III", "zona-iii", "6"),
    ("Zona IV", "zona-iv", "7"),
    ("TUKS", "tuks", "8"),
    ("Kawasan", "kawasan", "9"),
];

/// What somebody's photo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    Png,
    Jpeg,
    WebP,
    /// A page in HTML, that it says it is.
    Page,
    /// 404.
    Gone,
    /// The person has none.
    None,
}

/// The photo of the person with this number: of each kind in turn, and of every forty
/// one that is a page, one that is gone, and one that is null.
pub fn face(number: usize) -> Face {
    match number % 40 {
        13 => Face::Page,
        17 => Face::Gone,
        23 => Face::None,
        number if number % 3 == 0 => Face::Png,
        number if number % 3 == 1 => Face::Jpeg,
        _ => Face::WebP,
    }
}

pub fn kib_number(number: usize) -> String {
    (2_611_852 + number).to_string()
}

pub fn name(number: usize) -> String {
    format!("Sample Person {number}")
}

/// Where somebody may go: one to three zones that follow one another; of every forty
/// one may go where nobody knows.
pub fn zones(number: usize) -> Vec<(&'static str, &'static str)> {
    let mut zones: Vec<_> = (0..=number % 3)
        .map(|step| ZONES[(number / 3 + step) % ZONES.len()])
        .map(|(name, slug, _)| (name, slug))
        .collect();
    if number % 40 == 29 {
        zones.push(("Zona V", "zona-v"));
    }
    zones
}

/// The privilege groups of the requirement's table for somebody's zones.
pub fn groups(number: usize) -> Vec<&'static str> {
    let zones = zones(number);
    let known = zones.iter().filter_map(|(_, slug)| {
        let mut all = ZONES.iter();
        all.find_map(|(_, own, group)| (own == slug).then_some(*group))
    });
    known.collect()
}

/// Somebody as the requirement's message has it.
pub fn person(number: usize, address: SocketAddr) -> Value {
    let file = match face(number) {
        Face::Png => "face.png",
        Face::Jpeg => "face.jpg",
        Face::WebP => "face.webp",
        Face::Page => "page.png",
        Face::Gone | Face::None => "gone.png",
    };
    let regionals = zones(number).into_iter();
    let regionals = regionals.map(|(name, slug)| json!({"name": name, "slug": slug}));
    let regionals: Vec<Value> = regionals.collect();
    let mut person = json!({
        "name": name(number),
        "identity_number": format!("{:016}", number + 1),
        "kib_number": kib_number(number),
        "birth_date": {"ymd": format!("19{:02}-08-22", 60 + number % 40)},
        "photo": {"link": format!("http://{address}/photos/{number}/{file}")},
        "regionals": regionals,
    });
    if face(number) == Face::None {
        person["photo"] = Value::Null;
    }
    person
}
