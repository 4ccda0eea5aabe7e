//! `flatbed serve`, running, and `curl` to talk to it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Folder, wait_until};

/// The program, serving in a folder of its own.
pub struct Server {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    address: String,
    token: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub headers: String,
    pub text: String,
}

impl Server {
    /// Starts with these variables and no others.
    pub fn start(folder: &Folder, variables: &[(&str, &str)]) -> Self {
        Self::run(folder.command("serve"), variables)
    }

    /// The same where no file can get longer, as on a full disk.
    pub fn start_with_largest_file(
        folder: &Folder,
        kilobytes: u64,
        variables: &[(&str, &str)],
    ) -> Self {
        let program = folder.command("serve");
        let mut command = Command::new("bash");
        // The signal that comes with it is ignored, and so is it by the program.
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" serve");
        command
            .args(["-c", &script])
            .arg(program.get_program())
            .current_dir(folder);
        Self::run(command, variables)
    }

    fn run(mut command: Command, variables: &[(&str, &str)]) -> Self {
        command
            .env_clear()
            .env("WORKER_PORT", "0")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&lines);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                told.lock().expect("no panic").push(line);
            }
        });
        let mut server = Self {
            process,
            lines,
            address: String::new(),
            token: None,
        };
        server.address = server.said("listening on ");
        server
    }

    /// Asks with this token from now on.
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Waits for a line with `words`, and gives what stands behind them.
    pub fn said(&self, words: &str) -> String {
        let mut rest = None;
        wait_until(&format!("{words:?} in the log"), || {
            let lines = self.lines.lock().expect("no panic");
            rest = lines
                .iter()
                .find_map(|line| Some(line.split_once(words)?.1.to_owned()));
            rest.is_some()
        });
        rest.expect("it was there").trim().to_owned()
    }

    /// Everything that was logged so far.
    pub fn log(&self) -> String {
        self.lines.lock().expect("no panic").join("\n")
    }

    /// The address of one of its paths.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// `curl` with these arguments and a path of this server.
    pub fn curl(&self, arguments: &[&str], path: &str) -> Answer {
        Answer::read(&self.curl_all(arguments, path))
    }

    /// The same, and all that it writes.
    pub fn curl_all(&self, arguments: &[&str], path: &str) -> String {
        let url = format!("{}{path}", self.address);
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--include", "--noproxy", "*"])
            .args(["--max-time", "180", "-H", "Expect:"]);
        if let Some(token) = &self.token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        let output = command.args(arguments).arg(&url).output();
        let output = output.expect("curl starts (apt-get install curl)");
        assert!(output.status.success(), "{url}: {output:?}\n{}", self.log());
        String::from_utf8(output.stdout).expect("text")
    }

    pub fn get(&self, path: &str) -> Answer {
        self.curl(&[], path)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.curl(&["-X", "DELETE"], path)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string(), &[])
    }

    pub fn post_text(&self, path: &str, body: &str, headers: &[&str]) -> Answer {
        let mut arguments = vec![
            "-H",
            "Content-Type: application/json",
            "--data-binary",
            body,
        ];
        for header in headers {
            arguments.extend(["-H", header]);
        }
        self.curl(&arguments, path)
    }

    /// Uploads a file as a browser's form does.
    pub fn upload(&self, file: &Path) -> Answer {
        let form = format!("file=@{}", file.display());
        self.curl(&["-F", &form], "/api/videos")
    }

    /// Uploads a video that must be taken, and gives its id.
    pub fn video(&self, file: &Path) -> String {
        let answer = self.upload(file);
        assert_eq!(answer.code, 201, "{answer:?}");
        answer.field("id")
    }

    /// Asks for an export that must be taken, and gives its id.
    pub fn export(&self, video: &str, operations: &Value) -> String {
        let body = json!({"videoId": video, "operations": operations});
        let answer = self.post("/api/exports", &body);
        assert_eq!(answer.code, 202, "{answer:?}\n{}", self.log());
        assert_eq!(answer.json()["status"], "queued");
        assert_eq!(answer.field("id"), answer.field("jobId"));
        answer.field("id")
    }

    /// Waits until the export has this status.
    pub fn wait_for(&self, export: &str, status: &str) -> Value {
        let mut last = Value::Null;
        wait_until(&format!("{export} to be {status}"), || {
            last = self.get(&format!("/api/exports/{export}")).json();
            let ended = ["completed", "failed", "cancelled"].map(Value::from);
            assert!(
                last["status"] == status || !ended.contains(&last["status"]),
                "{last}\n{}",
                self.log()
            );
            let reached = last["status"] == status;
            if !reached {
                // Asking takes more of the machine than the engine gets.
                thread::sleep(Duration::from_millis(100));
            }
            reached
        });
        last
    }

    /// What is told of a finished export's files.
    pub fn download(&self, export: &str) -> Value {
        let answer = self.get(&format!("/api/exports/{export}/download"));
        assert_eq!(answer.code, 200, "{answer:?}");
        answer.json()
    }

    /// Fetches a link, as it was given, into a file.
    pub fn fetch(&self, link: &str, file: &Path) {
        let url = if link.starts_with('/') {
            format!("{}{link}", self.address)
        } else {
            link.to_owned()
        };
        let status = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--noproxy", "*", "-o"])
            .arg(file)
            .arg(url)
            .status();
        assert!(status.expect("curl starts").success());
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.expect("kill").success());
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) {
        self.signal("TERM");
        let status = self.process.wait().expect("an end");
        assert!(status.success(), "{status:?}\n{}", self.log());
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) {
        self.process.kill().expect("a signal");
        self.process.wait().expect("an end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    fn read(text: &str) -> Self {
        let (headers, body) = text.split_once("\r\n\r\n").expect("headers and a body");
        let code = headers.split(' ').nth(1).expect("a code");
        Self {
            code: code.parse().expect("a number"),
            headers: headers.to_ascii_lowercase(),
            text: body.to_owned(),
        }
    }

    /// What stands in the header of this name, in small letters.
    pub fn header(&self, name: &str) -> &str {
        let lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        let found = lines.into_iter().find(|(header, _)| *header == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn field(&self, name: &str) -> String {
        let json = self.json();
        let value = json[name].as_str();
        value
            .unwrap_or_else(|| panic!("no {name}: {json}"))
            .to_owned()
    }

    /// It must be this error, with all of `words` in its message.
    #[track_caller]
    pub fn refused(&self, code: u16, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.json()["status"], "error", "{self:?}");
        let message = self.field("message");
        for word in words {
            assert!(message.contains(word), "no {word:?} in {message}");
        }
    }
}
