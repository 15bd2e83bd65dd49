//! HOME from the container's own /etc/passwd, read as text: no library of the image is loaded.

use alloc::{format, string::String};
use hull_sys::path::{self, Open};

/// A passwd longer than this is not read further.
const LIMIT: usize = 1 << 20;

/// `HOME=...` of the user; `/` where the file does not name one.
pub(crate) fn of(uid: u32) -> Option<String> {
    let open = Open::READ.and(Open::NONBLOCK);
    let text = path::open(c"/etc/passwd", open).and_then(|file| path::read_all(&file, LIMIT));
    let home = text.ok().and_then(|text| find(&text, uid));
    Some(format!("HOME={}", home.as_deref().unwrap_or("/")))
}

fn find(passwd: &[u8], uid: u32) -> Option<String> {
    let text = core::str::from_utf8(passwd).ok()?;
    let line = text
        .lines()
        .find(|line| line.split(':').nth(2).and_then(|field| field.parse().ok()) == Some(uid))?;
    let home = line.split(':').nth(5)?;
    (home.starts_with('/') && !home.contains('\0')).then(|| home.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_that_of_the_number() {
        let passwd =
            b"root:x:0:0:root:/root:/bin/sh\n1:x:0:0::/evil:/bin/sh\nweb:x:33:33::/srv:/x\n";
        assert_eq!(find(passwd, 0).as_deref(), Some("/root"));
        assert_eq!(find(passwd, 33).as_deref(), Some("/srv"));
        assert_eq!(find(passwd, 1), None);
        assert_eq!(find(b"broken", 0), None);
    }
}
