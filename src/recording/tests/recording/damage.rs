//! Files cut off anywhere and files with changed bytes: nothing panics, and no step is read that was
//! not written.

use proptest::prelude::*;
use recording::layout::Topic;
use recording::{Ended, Recording, RecordingError, Step};

use crate::samples::{assert_same, both_files, header, noise, steps};

fn read(bytes: &[u8]) -> Result<Recording, RecordingError> {
    Recording::of_bytes(bytes, "a.mcap".as_ref())
}

/// Quickly: files say by their digests whether they hold the same bits.
fn assert_beginning(read: &Recording, written: &[Step]) {
    assert!(read.steps.len() <= written.len());
    assert!(read.steps == written[..read.steps.len()]);
}

/// Where each `/step` message of a file ends.
fn ends_of_steps(bytes: &[u8]) -> Vec<usize> {
    const MARK: &[u8] = b",\"digest\":\"";
    let marks = bytes.windows(MARK.len()).enumerate();
    marks
        .filter(|(_, window)| *window == MARK)
        .map(|(at, _)| at + MARK.len() + 16 + 2)
        .collect()
}

/// Every place of a file but those within the schemas' texts, which are not read and twice as long as
/// all the rest; of these only the ends.
fn places(bytes: &[u8]) -> Vec<usize> {
    let mut dull = vec![false; bytes.len()];
    for topic in Topic::ALL {
        let text = topic.schema().as_bytes();
        let windows = bytes.windows(text.len()).enumerate();
        for (at, _) in windows.filter(|(_, there)| *there == text) {
            dull[at + 20..at + text.len() - 20].fill(true);
        }
    }
    (0..bytes.len()).filter(|at| !dull[*at]).collect()
}

#[test]
fn cut_off_anywhere_all_complete_steps_are_read() {
    let written = steps(7);
    for bytes in both_files(&header(), &written) {
        let ends = ends_of_steps(&bytes);
        assert_eq!(ends.len(), written.len());
        let mut with_header = false;
        for length in places(&bytes) {
            let found = match read(&bytes[..length]) {
                Err(RecordingError::NoHeader { .. }) if !with_header => continue,
                found => found.expect("once there is a header there are steps"),
            };
            with_header = true;
            assert_eq!(found.header, header());
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(found.steps.len(), whole);
            assert_beginning(&found, &written);
            let Ended::Broken { bytes_left_out } = found.ended else {
                panic!("closed at {length} of {}", bytes.len());
            };
            if let Some(last) = whole.checked_sub(1) {
                assert_eq!(bytes_left_out, (length - ends[last]) as u64);
            }
        }
        assert!(with_header);
    }
}

/// A changed byte is noticed, or nothing of what is read is in it.
fn check_changed(bytes: &[u8], written: &[Step]) {
    match read(bytes) {
        Ok(found) => {
            assert_beginning(&found, written);
            assert_eq!(found.header, header());
            // A change in the very mark of the last step's end makes it an unfinished one.
            match found.ended {
                Ended::Broken { bytes_left_out } if bytes_left_out > 0 => {
                    assert!(found.steps.len() + 1 >= written.len());
                }
                _ => assert_eq!(found.steps.len(), written.len(), "lost in silence"),
            }
        }
        Err(RecordingError::Damaged { after, before, .. }) => {
            assert_eq!(after.is_some(), before.is_some());
            if let Some(before) = before {
                assert_beginning(&before, written);
                assert_eq!(before.header, header());
                assert_eq!(after, before.steps.last().map(|step| step.tick));
            }
        }
        Err(_) => {}
    }
}

#[test]
fn no_changed_byte_is_read_as_something_else() {
    let written = steps(7);
    for bytes in both_files(&header(), &written) {
        for at in places(&bytes) {
            let mut changed = bytes.clone();
            changed[at] ^= [0x01, 0x20, 0x80, 0xff][noise(at as u64) as usize % 4];
            check_changed(&changed, &written);
        }
    }
}

#[test]
fn every_changed_byte_of_data_is_noticed() {
    let written = steps(7);
    let [open, _] = both_files(&header(), &written);
    let first = ends_of_steps(&open)[0];
    // From the second step on: data of messages begins with a brace.
    let mut at = first;
    while at < open.len() {
        let length = u64::from_le_bytes(open[at + 1..at + 9].try_into().expect("eight"));
        let end = at + 9 + usize::try_from(length).expect("small");
        for byte in at + 31..end {
            let mut changed = open.clone();
            changed[byte] ^= 0x01;
            let noticed = read(&changed);
            // In the last step's end it may look as if the step had not been finished.
            match noticed {
                Err(RecordingError::Damaged { after, .. }) => assert!(after.is_some()),
                Ok(found) => assert_eq!(found.steps.len(), written.len() - 1),
                Err(other) => panic!("at {byte}: {other}"),
            }
        }
        at = end;
    }
}

#[test]
fn damage_in_the_middle_says_after_which_step_and_gives_what_was_before() {
    let written = steps(7);
    for bytes in both_files(&header(), &written) {
        let at = ends_of_steps(&bytes)[3] + 60;
        let mut changed = bytes.clone();
        changed[at] ^= 0x01;
        let error = read(&changed).expect_err("is damaged");
        let said = error.to_string();
        assert!(said.contains("`a.mcap` is damaged after step 3"), "{said}");
        let before = error.into_what_was_before().expect("four steps");
        assert_same(&before.steps, &written[..4]);
    }
}

/// A length that lies is no end of the file.
#[test]
fn a_length_beyond_the_end_is_damage_while_steps_follow() {
    let written = steps(7);
    let [open, _] = both_files(&header(), &written);
    let ends = ends_of_steps(&open);
    let mut changed = open.clone();
    changed[ends[2] + 8] = 0x7f;
    let error = read(&changed).expect_err("is damaged");
    assert!(matches!(
        error,
        RecordingError::Damaged { after: Some(2), .. }
    ));
    let mut changed = open;
    changed[ends[5] + 8] = 0x7f;
    let error = read(&changed).expect_err("the last step was complete");
    assert!(matches!(
        error,
        RecordingError::Damaged { after: Some(5), .. }
    ));
}

/// File systems give a file its length before its bytes: after a power cut it may end in zeros.
#[test]
fn zeros_at_the_end_are_left_out() {
    let written = steps(7);
    let [mut open, _] = both_files(&header(), &written);
    open.extend([0; 5000]);
    let found = read(&open).expect("is a recording");
    assert_same(&found.steps, &written);
    let bytes_left_out = 5000;
    assert_eq!(found.ended, Ended::Broken { bytes_left_out });
}

#[test]
fn a_missing_step_is_noticed() {
    let written = steps(7);
    let [open, _] = both_files(&header(), &written);
    let ends = ends_of_steps(&open);
    let mut changed = open[..ends[2]].to_vec();
    changed.extend(&open[ends[3]..]);
    let error = read(&changed).expect_err("is damaged");
    assert!(matches!(
        error,
        RecordingError::Damaged { after: Some(2), .. }
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(read(&bytes).is_err());
        let mut after_magic = mcap::MAGIC.to_vec();
        after_magic.extend(&bytes);
        prop_assert!(read(&after_magic).is_err());
    }

    #[test]
    fn torn_files_do_not_panic(seed in any::<u64>(), holes in 1_u64..8, length in 1_usize..400) {
        let written = steps(7);
        for mut bytes in both_files(&header(), &written) {
            for hole in 0..holes {
                let at = noise(seed ^ (2 * hole)) as usize % bytes.len();
                let end = (at + length).min(bytes.len());
                match noise(seed ^ (2 * hole + 1)) % 3 {
                    0 => drop(bytes.drain(at..end)),
                    1 => bytes[at..end].fill(seed as u8),
                    _ => {
                        let twice = bytes[at..end].to_vec();
                        bytes.splice(at..at, twice);
                    }
                }
            }
            let found = match read(&bytes) {
                Ok(found) => found,
                Err(error) => match error.into_what_was_before() {
                    Some(before) => before,
                    None => continue,
                },
            };
            assert_beginning(&found, &written);
        }
    }
}
