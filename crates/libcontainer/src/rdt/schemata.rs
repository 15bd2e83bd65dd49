//! Lines of resctrl's `schemata`, compared by what they mean: the kernel pads names and numbers.

use std::collections::BTreeMap;

type Domains<'t> = BTreeMap<(&'t str, &'t str), String>;

/// The first share that was wanted and is not there, as `L3:0=f`.
pub(super) fn missing(wanted: &[String], present: &str) -> Option<String> {
    let present = domains(present);
    let wanted: Domains<'_> = wanted.iter().flat_map(|text| domains(text)).collect();
    let mut differing = wanted
        .into_iter()
        .filter(|(place, share)| present.get(place) != Some(share));
    let ((resource, domain), share) = differing.next()?;
    Some(format!("{resource}:{domain}={share}"))
}

/// Share by resource and domain; of two for the same, the later. A line of another form stands
/// for itself, so that it is never there.
fn domains(text: &str) -> Domains<'_> {
    let mut found = Domains::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (resource, rest) = line.split_once(':').unwrap_or((line, "?"));
        for domain in rest.split(';') {
            let (domain, share) = domain.split_once('=').unwrap_or((domain, "?"));
            found.insert((resource.trim(), domain.trim()), plain(share));
        }
    }
    found
}

/// A mask or a number without leading zeros.
fn plain(share: &str) -> String {
    let share = share.trim().to_lowercase();
    let digits = share.trim_start_matches('0');
    match digits.is_empty() {
        true => "0".to_owned(),
        false => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn shares_are_compared_and_not_their_spelling() {
        let present = "    L3:0=fffff;1=000f0\n    MB:0=  70;1= 100\nL3CODE:0=ff\n";
        for (wanted, expected) in [
            (&["L3:0=FFFFF;1=f0\nMB:0=70\n"][..], None),
            (&["L3:1=0f0"], None),
            (&[], None),
            (&["L3:0=1\n", "L3:0=fffff\n"], None),
            (&["L3:0=fffff\n", "L3:0=1\n"], Some("L3:0=1")),
            (&["MB:0=71"], Some("MB:0=71")),
            (&["L3:2=f"], Some("L3:2=f")),
            (&["L2:0=f"], Some("L2:0=f")),
            (&["nonsense"], Some("nonsense:?=?")),
        ] {
            let wanted: Vec<String> = wanted.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(missing(&wanted, present).as_deref(), expected, "{wanted:?}");
        }
    }
}
