//! Which files are begun, found and refused, and in which words.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use mcap::WriteOptions;
use recording::{Recorder, Recording, RecordingError, layout::Topic};

use crate::samples::{both_files, header, part_with, steps};

fn said<T>(result: Result<T, RecordingError>) -> String {
    match result {
        Ok(_) => panic!("should be refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn files_that_are_there_are_not_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mcap");
    let recorder = Recorder::create(&path, &header()).expect("can be begun");
    let error = said(Recorder::create(&path, &header()));
    assert!(
        error.contains("a.mcap.part` is a recording that was not closed"),
        "{error}"
    );
    recorder.close().expect("can be closed");
    let error = said(Recorder::create(&path, &header()));
    assert!(error.contains("there is a recording `"), "{error}");
    assert!(error.contains("a.mcap` already"), "{error}");
}

#[test]
fn what_cannot_be_closed_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mcap");
    let mut recorder = Recorder::create(&path, &header()).expect("can be begun");
    recorder.step(&steps(1)[0]).expect("can be recorded");
    fs::write(&path, "someone else's").expect("can be written");
    said(recorder.close());
    assert_eq!(fs::read(&path).expect("is there"), b"someone else's");
    fs::remove_file(&path).expect("was there");
    recording::close_left_over(&path).expect("can be closed now");
    assert_eq!(Recording::open(&path).expect("is there").steps, steps(1));
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let error = said(Recorder::create("/nowhere/at/all/a.mcap", &header()));
    assert!(
        error.starts_with("cannot create `/nowhere/at/all/a.mcap.part`"),
        "{error}"
    );
}

#[test]
fn steps_come_in_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mcap");
    let mut recorder = Recorder::create(&path, &header()).expect("can be begun");
    let steps = steps(3);
    let error = said(recorder.step(&steps[1]));
    assert_eq!(error, "step 1 cannot be recorded now: the next is 0");
    recorder.step(&steps[0]).expect("is the next");
    said(recorder.step(&steps[0]));
    recorder.step(&steps[1]).expect("is the next");
    recorder.close().expect("can be closed");
    assert_eq!(Recording::open(&path).expect("is there").steps, steps[..2]);
}

#[test]
fn a_header_without_time_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let header = recording::Header {
        ticks_per_s: 0,
        ..header()
    };
    said(Recorder::create(folder.path().join("a.mcap"), &header));
    assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 0);
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mcap");
    let error = said(Recording::open(&path));
    assert!(error.ends_with("a.mcap`"), "{error}");
    part_with(folder.path(), &header(), &steps(2));
    let error = said(Recording::open(&path));
    assert!(
        error.contains("a.mcap.part` can be read up to its last step"),
        "{error}"
    );
}

fn open(bytes: &[u8]) -> Result<Recording, RecordingError> {
    Recording::of_bytes(bytes, Path::new("a.mcap"))
}

#[test]
fn other_files_are_no_recordings() {
    let error = said(open(b"PNG and so on"));
    assert_eq!(error, "`a.mcap` is not a recording: it is not an MCAP file");
    let error = said(open(b""));
    assert_eq!(error, "`a.mcap` has no header: the file ends");
}

fn foreign(options: WriteOptions, schema: &str, topic: &str) -> Vec<u8> {
    let mut writer = options
        .compression(None)
        .create(Cursor::new(Vec::new()))
        .expect("memory");
    let schema = writer
        .add_schema(schema, "jsonschema", b"{}")
        .expect("memory");
    writer
        .add_channel(schema, topic, "json", &Default::default())
        .expect("memory");
    writer.finish().expect("memory");
    writer.into_inner().into_inner()
}

#[test]
fn another_programs_file_is_named() {
    let options = WriteOptions::new().profile("ros2").library("rosbag");
    let error = said(open(&foreign(options, "std_msgs/String", "/chatter")));
    assert_eq!(
        error,
        "`a.mcap` is an MCAP file, but not a recording of sonocath: it was made by `rosbag`"
    );
}

#[test]
fn a_newer_version_is_named_with_the_one_that_is_known() {
    let options = WriteOptions::new().profile("sonocath");
    let error = said(open(&foreign(options, "sonocath.Step.v12", "/step")));
    assert!(error.contains("has `sonocath.Step.v12`"), "{error}");
    assert!(error.contains("knows versions up to 1"), "{error}");
}

#[test]
fn a_channel_that_is_not_known_is_named() {
    let options = WriteOptions::new().profile("sonocath");
    let error = said(open(&foreign(options, "sonocath.Dose.v1", "/dose")));
    assert!(error.contains("a channel `/dose`"), "{error}");
}

#[test]
fn a_compressed_file_is_named() {
    let [_, mut closed] = both_files(&header(), &steps(1));
    // The chunk comes after the magic bytes and the header record; its compression is an empty text.
    let header_length = u64::from_le_bytes(closed[9..17].try_into().expect("eight"));
    let chunk = 8 + 9 + usize::try_from(header_length).expect("small");
    assert_eq!(closed[chunk], mcap::records::op::CHUNK);
    let text = chunk + 9 + 28;
    closed.splice(text..text + 4, *b"\x04\0\0\0zstd");
    let error = said(open(&closed));
    assert!(error.contains("was compressed with zstd"), "{error}");
}

#[test]
fn only_the_same_engine_replays() {
    let [open_file, _] = both_files(&header(), &steps(1));
    let recording = open(&open_file).expect("is a recording");
    recording
        .is_replayable_by("sonocath 0.1.0 test")
        .expect("is the same");
    let error = said(recording.is_replayable_by("sonocath 0.2.0 test"));
    assert!(error.contains("`sonocath 0.1.0 test`"), "{error}");
    assert!(error.contains("`sonocath 0.2.0 test`"), "{error}");
}

#[test]
fn every_schema_is_named_as_its_topic_says() {
    for topic in Topic::ALL {
        let title = format!("\"title\": \"{}\"", topic.schema_name());
        assert!(topic.schema().contains(&title), "{title}");
    }
}
