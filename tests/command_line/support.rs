//! A folder to work in, and the program run there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

/// A quartic double well that runs in a moment. T = 0.3 mixes fast, and ε is wide: it holds.
pub const TINY: &str = r#"
name = "tiny"
question = "Does it run?"
[loss]
kind = "expression"
variables = ["x"]
formula = "x^4/4 - x^2/2 + 0.1*x"
domain = [[-3.0, 3.0]]
[noise]
kind = "isotropic"
sigma = 2.0
[sgd]
learning_rate = 0.15
batch_size = 1
[dynamics]
step = 0.05
[ensemble]
replicas = 64
steps = 20_000
burn_in = 1_000
[test]
tolerance = 0.5
"#;

/// A network in training, over in hundredths of a second.
pub const NETWORK: &str = r#"
name = "network"
experiment = "curves"
data = { kind = "gaussian-mixture", classes = 2, dimension = 3, separation = 2.0, examples = 40 }
loss = { kind = "network", hidden = [3] }
noise = { kind = "minibatch", sampling = "epochs" }
sgd = { learning_rate = 0.01, batch_size = 2 }
training = { epochs = 1 }
scaling = { beta = [1, 2] }
ensemble = { replicas = 4 }
"#;

/// An empty folder that is gone after the test.
pub struct Workplace {
    folder: TempDir,
}

/// What a command answered.
pub struct Answer {
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// Asserts the exit status, and that nobody panicked.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        for text in [&self.out, &self.err] {
            assert!(!text.contains("panicked") && !text.contains("stack overflow"), "{text}");
        }
        self
    }
}

impl Workplace {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With the scenario `tiny.toml` in it.
    pub fn with_tiny() -> Self {
        let workplace = Self::new();
        workplace.write("tiny.toml", TINY);
        workplace
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// Runs the program here. A run of more than two minutes is a failure.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with(&[], arguments)
    }

    /// The same with variables in the environment.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Answer {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_sgd-sde"));
        command.env_remove("SGD_SDE_INSTRUCTIONS").envs(variables.iter().copied());
        let output = command.current_dir(self.folder.path()).args(arguments).timeout(Duration::from_secs(120));
        let output = output.output().unwrap();
        Answer {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Every file below a folder with its bytes, hidden ones included.
    pub fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(folder), &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            files.insert(path, bytes);
        }
    }
}
