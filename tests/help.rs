//! What the program says of itself.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::Folder;

const COMMANDS: [&str; 20] = [
    "probe",
    "concat",
    "cut",
    "render",
    "transcode",
    "convert",
    "compress",
    "watermark",
    "thumbnail",
    "sprite",
    "scenes",
    "frames",
    "normalize",
    "serve",
    "migrate",
    "queue",
    "config",
    "doctor",
    "version",
    "completions",
];

#[test]
fn each_command_has_examples() {
    let folder = Folder::empty();
    for command in COMMANDS {
        for help in ["-h", "--help"] {
            let run = folder.flatbed(&format!("{command} {help}"));
            run.succeeded();
            let text = run.text();
            assert!(text.contains("Examples:\n"), "{command}: {text}");
            assert!(
                text.contains(&format!("\n  flatbed {command}")),
                "{command}: {text}"
            );
            assert_eq!(run.stderr, "");
        }
    }
    let cut = folder.flatbed("cut --help");
    assert!(
        cut.text().contains("--start 10:03:17.2 --end 10:05:41"),
        "{}",
        cut.text()
    );
}

#[test]
fn the_long_help_lists_commands_and_exit_codes() {
    let folder = Folder::empty();
    let run = folder.flatbed("--help");
    run.succeeded();
    for command in COMMANDS {
        assert!(run.text().contains(&format!("\n  {command} ")), "{command}");
    }
    for code in ["0  done", "2  ", "3  ", "4  ", "5  ", "130  cancelled"] {
        assert!(run.text().contains(code), "{code}");
    }
}

#[test]
fn without_a_command_help_goes_to_standard_error() {
    let run = Folder::empty().flatbed("");
    assert_eq!(run.code, Some(2));
    assert_eq!(run.text(), "");
    assert!(run.stderr.contains("Commands:"), "{}", run.stderr);
}

#[test]
fn the_version_tells_what_is_linked() {
    let folder = Folder::empty();
    let version = folder.json("version");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["revision"].is_string(), "{version}");
    let ffmpeg = &version["ffmpeg"];
    assert!(
        ffmpeg["license"]
            .as_str()
            .is_some_and(|text| text.contains("GPL")),
        "{ffmpeg}"
    );
    assert!(
        ffmpeg["configuration"]
            .as_str()
            .is_some_and(|text| text.contains("--"))
    );
    assert!(
        matches!(ffmpeg["linkage"].as_str(), Some("static" | "system")),
        "{ffmpeg}"
    );

    let number = ffmpeg["version"].as_str().expect("a version");
    let run = folder.flatbed("version");
    run.succeeded();
    assert!(
        run.text().contains(&format!("FFmpeg {number}")),
        "{}",
        run.text()
    );
    let short = folder.flatbed("--version");
    assert_eq!(
        short.text(),
        concat!("flatbed ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn completions_are_a_script_that_bash_reads() {
    let folder = Folder::empty();
    let script = folder.flatbed("completions bash");
    script.succeeded();
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .spawn()
        .expect("bash");
    let mut pipe = bash.stdin.take().expect("a pipe");
    pipe.write_all(&script.stdout).expect("bash reads");
    drop(pipe);
    assert!(bash.wait().expect("bash ends").success());
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let run = folder.flatbed(&format!("completions {shell}"));
        run.succeeded();
        assert!(run.text().contains("on-mismatch"), "{shell}");
    }
}
