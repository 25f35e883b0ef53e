//! Recordings as others see them: through the `mcap` crate and by their own schemas.

use std::io::Cursor;

use mcap::sans_io::IndexedReader;
use recording::Digest;
use recording::layout::Topic;
use serde_json::Value;

use crate::samples::{both_files, header, steps};
use crate::schema::fits;

/// Topic, time and data of all messages of a closed file.
fn messages(bytes: &[u8]) -> Vec<(String, u64, Vec<u8>)> {
    mcap::io::MessageReader::new(Cursor::new(bytes))
        .map(|message| {
            let message = message.expect("is whole");
            assert_eq!(message.log_time, message.publish_time);
            let topic = message.channel.topic.clone();
            (topic, message.log_time, message.data.into_owned())
        })
        .collect()
}

#[test]
fn a_closed_file_has_an_index() {
    let [_, closed] = both_files(&header(), &steps(3000));
    let summary = mcap::Summary::read(&closed)
        .expect("can be read")
        .expect("is there");
    let statistics = summary.stats.clone().expect("are there");
    assert_eq!(statistics.message_count as usize, messages(&closed).len());
    assert_eq!(statistics.message_start_time, 0);
    assert_eq!(statistics.message_end_time, 2999 * 1_000_000_000 / 60);
    assert_eq!(summary.channels.len(), Topic::ALL.len());
    assert!(summary.chunk_indexes.len() > 1, "one chunk is no index");
    let steps = summary.stats.expect("are there").channel_message_counts[&7];
    assert_eq!(steps, 3000);
    IndexedReader::new(&mcap::Summary::read(&closed).expect("is").expect("is")).expect("indexed");
}

#[test]
fn messages_fit_the_schemas_in_the_file() {
    let [_, closed] = both_files(&header(), &steps(50));
    let mut counts = [0; 7];
    for message in mcap::io::MessageReader::new(Cursor::new(&closed)) {
        let message = message.expect("is whole");
        let schema = message.channel.schema.as_ref().expect("each has one");
        let rules: Value = serde_json::from_slice(&schema.data).expect("is JSON");
        let body: Value = serde_json::from_slice(&message.data).expect("is JSON");
        assert_eq!(fits(&body, &rules, &rules), Ok(()), "{}", schema.name);
        let is_it = |topic: &Topic| topic.name() == message.channel.topic;
        let place = Topic::ALL.iter().position(is_it).expect("is one of ours");
        assert_eq!(Topic::ALL[place].schema_name(), schema.name);
        counts[place] += 1;
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn the_schemas_refuse_what_is_not_ours() {
    let schema: Value = serde_json::from_str(Topic::Step.schema()).expect("is JSON");
    let body = |text: &str| serde_json::from_str::<Value>(text).expect("is JSON");
    let good = body(r#"{"tick":0,"frozen":false,"messages":2,"digest":"0123456789abcdef"}"#);
    assert_eq!(fits(&good, &schema, &schema), Ok(()));
    for bad in [
        r#"{"tick":0,"frozen":false,"messages":2}"#,
        r#"{"tick":-1,"frozen":false,"messages":2,"digest":""}"#,
        r#"{"tick":0,"frozen":0,"messages":2,"digest":""}"#,
        r#"{"tick":0,"frozen":false,"messages":2,"digest":"","more":1}"#,
    ] {
        assert!(fits(&body(bad), &schema, &schema).is_err(), "{bad}");
    }
}

#[test]
fn the_step_comes_last_with_count_and_digest_as_documented() {
    let [_, closed] = both_files(&header(), &steps(50));
    let mut digest = Digest::new();
    let (mut tick, mut before) = (0, 0);
    for (topic, time_ns, data) in messages(&closed) {
        let body: Value = serde_json::from_slice(&data).expect("is JSON");
        if topic == "/step" {
            assert_eq!(body["messages"], before);
            assert_eq!(body["digest"], format!("{:016x}", digest.value()));
        }
        if topic != "/header" {
            assert_eq!(body["tick"], tick);
            assert_eq!(time_ns, tick * 1_000_000_000 / 60);
            before += 1;
        }
        if topic == "/step" {
            (tick, before) = (tick + 1, 0);
        }
        digest.bytes(&data);
    }
    assert_eq!(tick, 50);
}
