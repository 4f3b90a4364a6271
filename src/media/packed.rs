//! Files that another program has compressed, and that are not taken apart: so that a user hears why they stay as they are.
//!
//! What must stay true: it only tells what is said; how a file is coded does not depend on it.

/// Where a file of a format has which bytes.
struct Sign {
    name: &'static str,
    at: usize,
    bytes: &'static [u8],
}

/// The first bytes of formats, by their specifications.
static SIGNS: &[Sign] = &[
    Sign { name: "JPEG", at: 0, bytes: b"\xff\xd8\xff" },
    Sign { name: "JPEG XL", at: 0, bytes: b"\xff\x0a" },
    Sign { name: "JPEG XL", at: 4, bytes: b"JXL \r\n\x87\n" },
    Sign { name: "WebP", at: 8, bytes: b"WEBP" },
    Sign { name: "GIF", at: 0, bytes: b"GIF8" },
    Sign { name: "MP4 or HEIF", at: 4, bytes: b"ftyp" },
    Sign { name: "Ogg", at: 0, bytes: b"OggS" },
    Sign { name: "MP3", at: 0, bytes: b"ID3" },
    Sign { name: "ZIP", at: 0, bytes: b"PK\x03\x04" },
    Sign { name: "gzip", at: 0, bytes: b"\x1f\x8b\x08" },
    Sign { name: "xz", at: 0, bytes: b"\xfd7zXZ\0" },
    Sign { name: "zstd", at: 0, bytes: b"\x28\xb5\x2f\xfd" },
    Sign { name: "7z", at: 0, bytes: b"7z\xbc\xaf\x27\x1c" },
];

/// Name of the format of a file that begins so, if it is one of those that are compressed already.
pub fn packed(head: &[u8]) -> Option<&'static str> {
    let is = |sign: &&Sign| head.get(sign.at..).is_some_and(|rest| rest.starts_with(sign.bytes));
    SIGNS.iter().find(is).map(|sign| sign.name)
}
