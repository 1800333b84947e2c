//! Programs of this machine that are given something to read.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A program that is to be run, without a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Which.
    pub path: PathBuf,
    /// What it is given; each as it is.
    pub arguments: Vec<String>,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
    /// How long it may take.
    pub patience: Duration,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// It took too long, and was killed with all that it had started.
    TimedOut,
}

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub how: Ending,
    /// The end of what it said on its standard output and error.
    pub output: Vec<u8>,
}

/// What a program reads: pieces until the channel closes, or an error, upon which it is killed.
pub type Input = mpsc::Receiver<io::Result<Bytes>>;

/// Of what a program says, so much is kept.
const KEPT: usize = 4096;
/// How long its words may still come after it has ended: what it started may have kept them open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs a program to its end. `Err` where it could not be started, or its input failed.
pub(crate) async fn run(program: &Program, input: Input) -> io::Result<Ended> {
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(
            program
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let group = Group(child.id());
    let stdin = child.stdin.take();
    let (output, error) = (child.stdout.take(), child.stderr.take());
    let (sender, mut said) = mpsc::channel(16);
    if let Some(output) = output {
        tokio::spawn(listen(output, sender.clone()));
    }
    if let Some(error) = error {
        tokio::spawn(listen(error, sender));
    }
    let mut kept = Vec::new();
    let talk = async {
        let (ending, ()) =
            tokio::try_join!(ended(&mut child, &mut said, &mut kept), feed(stdin, input))?;
        io::Result::Ok(ending)
    };
    let how = match timeout(program.patience, talk).await {
        Ok(status) => status?,
        Err(_) => Ending::TimedOut,
    };
    drop(group);
    // Its words are evidence; what does not come in time is done without.
    let _ = timeout(LAST_WORDS, async {
        while let Some(piece) = said.recv().await {
            keep(&mut kept, &piece);
        }
    })
    .await;
    Ok(Ended { how, output: kept })
}

/// The program and all that it has started; killed when this goes.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.0.and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group.and_then(Pid::from_raw) {
            // They may be gone already; that is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn feed(stdin: Option<ChildStdin>, mut input: Input) -> io::Result<()> {
    let Some(mut stdin) = stdin else {
        return Ok(());
    };
    while let Some(piece) = input.recv().await {
        // A program may end without reading all: how it ends is what counts.
        if stdin.write_all(&piece?).await.is_err() {
            return Ok(());
        }
    }
    // Likewise.
    let _ = stdin.shutdown().await;
    Ok(())
}

async fn ended(
    child: &mut Child,
    said: &mut mpsc::Receiver<Vec<u8>>,
    kept: &mut Vec<u8>,
) -> io::Result<Ending> {
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            Some(piece) = said.recv() => keep(kept, &piece),
        }
    };
    Ok(match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, signal) => Ending::Killed(signal.unwrap_or_default()),
    })
}

async fn listen(mut from: impl tokio::io::AsyncRead + Unpin, to: mpsc::Sender<Vec<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if to.send(buffer[..length].to_vec()).await.is_err() {
            return;
        }
    }
}

fn keep(kept: &mut Vec<u8>, piece: &[u8]) {
    kept.extend_from_slice(piece);
    kept.drain(..kept.len().saturating_sub(KEPT));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(script: &str, patience: Duration) -> Program {
        Program {
            path: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("SENDER".into(), "a b;$x".into())],
            patience,
        }
    }

    async fn run_with(script: &str, input: &[&'static [u8]], patience: u64) -> io::Result<Ended> {
        let (sender, receiver) = mpsc::channel(1);
        let program = program(script, Duration::from_millis(patience));
        let pieces: Vec<Bytes> = input.iter().map(|p| Bytes::from_static(p)).collect();
        tokio::spawn(async move {
            for piece in pieces {
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
            }
        });
        run(&program, receiver).await
    }

    #[tokio::test]
    async fn a_program_gets_its_input_and_a_minimal_environment_and_its_words_are_kept() {
        let ended = run_with(
            "cat; env; echo sorry >&2; exit 75",
            &[b"one\n", b"two\n"],
            60_000,
        );
        let ended = ended.await.unwrap();
        assert_eq!(ended.how, Ending::Exited(75));
        let text = String::from_utf8(ended.output).unwrap();
        for words in ["one\ntwo\n", "SENDER=a b;$x\n", "sorry\n"] {
            assert!(text.contains(words), "{text}");
        }
        assert!(!text.contains("CARGO"), "{text}");
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_killed_with_its_children() {
        let ended = run_with("echo here; sleep 600 & wait", &[], 500)
            .await
            .unwrap();
        assert_eq!(
            (ended.how, ended.output),
            (Ending::TimedOut, b"here\n".to_vec())
        );
        let ended = run_with("kill -9 $$", &[], 60_000).await.unwrap();
        assert_eq!(ended.how, Ending::Killed(9));
    }

    #[tokio::test]
    async fn a_program_may_end_without_reading_and_one_that_is_not_there_is_told() {
        static LARGE: [u8; 1 << 20] = [b'x'; 1 << 20];
        let ended = run_with("exit 67", &[&LARGE, &LARGE], 60_000)
            .await
            .unwrap();
        assert_eq!(ended.how, Ending::Exited(67));
        let (_sender, input) = mpsc::channel(1);
        let missing = Program {
            path: "/nowhere/deliver".into(),
            ..program("", Duration::from_secs(1))
        };
        let error = run(&missing, input).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn input_that_fails_is_never_taken_for_a_whole_message() {
        let (sender, input) = mpsc::channel(2);
        sender.send(Ok(Bytes::from_static(b"half"))).await.unwrap();
        let failed = Err(io::Error::other("the disk failed"));
        sender.send(failed).await.unwrap();
        let cat = program("cat > /dev/null; sleep 600", Duration::from_secs(60));
        let error = run(&cat, input).await.unwrap_err();
        assert_eq!(error.to_string(), "the disk failed");
    }
}
