//! The name of a container's owner, from /etc/passwd as text.

use std::fs;

/// The user's name, or the number where it has none.
pub(crate) fn name(uid: u32) -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    find(&passwd, uid).map_or_else(|| uid.to_string(), str::to_owned)
}

fn find(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_name_is_that_of_the_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\n0:x:7:7::/:/bin/sh\n";
        assert_eq!(find(passwd, 0), Some("root"));
        assert_eq!(find(passwd, 7), Some("0"));
        assert_eq!(find(passwd, 1), None);
    }
}
