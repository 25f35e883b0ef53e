use std::io::{self, ErrorKind, Write};

use super::{Append, Tail};

/// A disk of ten bytes.
#[derive(Debug)]
struct Full {
    bytes: Vec<u8>,
    may_be_cut: bool,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (10 - self.bytes.len()).min(bytes.len());
        self.bytes.extend(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Append for Full {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        if !self.may_be_cut {
            return Err(ErrorKind::Other.into());
        }
        self.bytes
            .truncate(usize::try_from(bytes).expect("ten at most"));
        Ok(())
    }
}

fn full(may_be_cut: bool) -> Tail<Full> {
    let bytes = Vec::new();
    Tail::new(Full { bytes, may_be_cut })
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let mut tail = full(true);
    tail.append(b"abcdefg").expect("fits");
    tail.append(b"hijkl").expect_err("does not fit");
    assert_eq!(tail.file.bytes, b"abcdefg");
    assert!(!tail.stuck);
    tail.append(b"xyz").expect("fits");
    assert_eq!(tail.file.bytes, b"abcdefgxyz");
}

#[test]
fn what_cannot_be_taken_back_ends_the_file() {
    let mut tail = full(false);
    tail.append(b"0123456789a").expect_err("does not fit");
    assert!(tail.stuck);
}
