//! A program that is killed while it records loses at most the step it was in.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use recording::{Ended, Recorder, Recording};

use crate::samples::{assert_same, header, noise, step, steps};

/// Says to the test below that it is the child, and what to write.
const PATH: &str = "SONOCATH_TEST_RECORDS_TO";
/// After how many steps the child closes and begins the next one.
const CLOSE_AFTER: &str = "SONOCATH_TEST_CLOSES_AFTER";
/// What the child puts before the number of a step that was recorded.
const DONE: &str = "recorded ";

/// The child: records until it is killed. Does nothing in a usual run of the tests.
#[test]
#[ignore = "the other tests start it"]
fn records_until_killed() {
    let Ok(path) = env::var(PATH) else { return };
    let close_after: u64 = env::var(CLOSE_AFTER)
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(u64::MAX);
    let mut to = std::io::stdout();
    let mut recorder = Recorder::create(&path, &header()).expect("can be begun");
    for tick in 0..close_after {
        recorder.step(&step(tick)).expect("can be recorded");
        writeln!(to, "\n{DONE}{tick}").expect("the parent reads");
        to.flush().expect("the parent reads");
    }
    recorder.close().expect("can be closed");
}

/// A child that records.
struct Writing {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

fn start(path: &Path, close_after: Option<u64>) -> Writing {
    let mut command = Command::new(env::current_exe().expect("is running"));
    command
        .args(["--exact", "killed::records_until_killed", "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(count) = close_after {
        command.env(CLOSE_AFTER, count.to_string());
    }
    let mut child = command.spawn().expect("can be started");
    let lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
    Writing { child, lines }
}

impl Writing {
    /// The next step that the child says it recorded; `None` after its last.
    fn next_done(&mut self) -> Option<u64> {
        self.lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(DONE)?.parse().ok())
    }

    /// Kills it after this step and so much time; how many steps it said it had recorded.
    fn kill_after(mut self, step: u64, wait: Duration) -> u64 {
        let mut done = 0;
        while done <= step {
            match self.next_done() {
                Some(tick) => done = tick + 1,
                None => break,
            }
        }
        thread::sleep(wait);
        // SIGKILL. It may have ended by itself.
        drop(self.child.kill());
        self.child.wait().expect("is dead");
        // What it said before it died is still in the pipe.
        while let Some(tick) = self.next_done() {
            done = tick + 1;
        }
        done
    }
}

fn kill_often(times: u64) {
    for time in 0..times {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mcap");
        let wait = Duration::from_micros(noise(time) % 3000);
        let done = start(&path, None).kill_after(noise(time + 1000) % 300, wait);
        assert!(done > 0);
        let part = folder.path().join("a.mcap.part");
        let read = Recording::open(&part).expect("whole steps, whenever it died");
        assert_eq!(read.header, header());
        let found = read.steps.len() as u64;
        // The one more was recorded, but the child died before it said so.
        assert!((done..=done + 1).contains(&found), "{found} of {done}");
        assert_same(&read.steps, &steps(found));
        recording::close_left_over(&path).expect("can be closed");
        let closed = Recording::open(&path).expect("was closed");
        assert_eq!(closed.ended, Ended::Closed);
        assert_same(&closed.steps, &read.steps);
    }
}

#[test]
fn killed_it_loses_at_most_one_step() {
    kill_often(5);
}

#[test]
#[ignore = "takes its time"]
fn killed_fifty_times_it_loses_at_most_one_step() {
    kill_often(50);
}

/// Killed while it closes, one of the two files has everything.
fn kill_while_closing(times: u64) {
    const STEPS: u64 = 2000;
    for time in 0..times {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mcap");
        // The last step is said just before closing, which takes some tens of milliseconds.
        let wait = Duration::from_micros(noise(time) % 60_000);
        let done = start(&path, Some(STEPS)).kill_after(STEPS - 1, wait);
        assert_eq!(done, STEPS);
        let part = folder.path().join("a.mcap.part");
        let read = if path.exists() {
            let read = Recording::open(&path).expect("has its name when it is whole");
            assert_eq!(read.ended, Ended::Closed);
            read
        } else {
            Recording::open(&part).expect("stays until the other is there")
        };
        assert_same(&read.steps, &steps(STEPS));
    }
}

#[test]
fn killed_while_it_closes_it_loses_nothing() {
    kill_while_closing(3);
}

#[test]
#[ignore = "takes its time"]
fn killed_thirty_times_while_it_closes_it_loses_nothing() {
    kill_while_closing(30);
}
