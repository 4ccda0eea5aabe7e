//! Files for `scripts/fuzz` to begin with: those that other tests mutate.

use std::fs;
use std::path::PathBuf;

use crate::image::mutations::seeds;
use crate::io::mutation::recordings;

/// Writes each file to the folder that scripts/fuzz names.
fn write(files: impl IntoIterator<Item = Vec<u8>>) {
    let folder = PathBuf::from(std::env::var_os("FLATBED_FUZZ_CORPUS").expect("a folder"));
    for (number, file) in files.into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:02}")), file).expect("written");
    }
}

#[test]
#[ignore = "no test: writes the fuzzer's corpus"]
fn of_image() {
    write(seeds());
}

#[test]
#[ignore = "no test: writes the fuzzer's corpus"]
fn of_probe() {
    write(recordings());
}
