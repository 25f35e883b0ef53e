//! Pictures as part of the page.

/// A PNG picture that was handed in.
#[derive(Clone, Copy)]
pub(crate) struct Picture<'a> {
    bytes: &'a [u8],
    /// Columns and rows.
    pub(crate) size: [u32; 2],
}

impl<'a> Picture<'a> {
    /// `None` unless the bytes begin as a PNG file with pixels does (PNG specification, 5.2 and
    /// 11.2.2): anything else would be a broken picture on the page.
    pub(crate) fn of_png(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")?;
        let number = |at: usize| {
            let four = header.get(at..at + 4)?;
            Some(u32::from_be_bytes(four.try_into().ok()?))
        };
        let size = [number(0)?, number(4)?];
        (size[0] > 0 && size[1] > 0).then_some(Self { bytes, size })
    }

    /// As an address that holds the picture itself.
    pub(crate) fn data_uri(&self) -> String {
        format!("data:image/png;base64,{}", base64(self.bytes))
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            let is_padding = digit > three.len();
            text.push(if is_padding {
                '='
            } else {
                char::from(DIGITS[value as usize])
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_the_rfc_says() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in vectors {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn what_is_not_a_png_is_no_picture() {
        assert!(Picture::of_png(b"").is_none());
        assert!(Picture::of_png(b"GIF89a").is_none());
        assert!(Picture::of_png(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0").is_none());
        assert!(Picture::of_png(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\x02").is_none());
        let picture = Picture::of_png(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x02");
        assert_eq!(picture.map(|p| p.size), Some([256, 2]));
    }
}
