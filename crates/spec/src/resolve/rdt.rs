//! `linux.intelRdt`: the class, and what is written to its schemata.
//!
//! Order and precedence are those of config-linux.md#intelrdt: cache and bandwidth in one write,
//! `schemata` behind them. Whether resctrl is mounted, and what a class has already, is seen when
//! it is opened.

use crate::config::IntelRdt;
use crate::plan::{RdtClass, RdtPlan};

use super::error::{At, ResolveError, Warnings};

/// What stands in resctrl's root beside the classes.
const NO_CLASSES: [&str; 3] = ["info", "mon_data", "mon_groups"];
const LONGEST_NAME: usize = 255;
const BANDWIDTH: &str = "MB:";

/// The class of the host's plan.
pub(super) fn resolve(
    raw: Option<&IntelRdt>,
    id: &str,
    warnings: &mut Warnings,
) -> Result<Option<RdtPlan>, ResolveError> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    let at = At::new("/linux/intelRdt");
    let schemata = schemata(raw, &at, warnings)?;
    let class = class(raw, id, schemata.is_empty(), &at)?;
    let monitored = raw.enable_monitoring.unwrap_or(false);
    Ok(Some(RdtPlan {
        class,
        schemata,
        monitoring: monitored.then(|| id.to_owned()),
    }))
}

fn class(
    raw: &IntelRdt,
    id: &str,
    without_schema: bool,
    at: &At<'_>,
) -> Result<RdtClass, ResolveError> {
    let name = match raw.clos_id.as_deref() {
        None | Some("") => return Ok(RdtClass::OfContainer(id.to_owned())),
        Some("/") => return Ok(RdtClass::Default),
        Some(name) => name,
    };
    let at = at.member("/closID");
    if matches!(name, "." | "..") || name.contains('/') || name.contains(char::is_control) {
        return Err(at.wrong(name, "must be the name of a directory, or `/`"));
    }
    if name.len() > LONGEST_NAME || NO_CLASSES.contains(&name) {
        return Err(at.wrong(name, "cannot be the name of a class"));
    }
    Ok(match without_schema {
        true => RdtClass::Existing(name.to_owned()),
        false => RdtClass::Shared(name.to_owned()),
    })
}

/// At most two writes: both caches and bandwidth, then the lines of `schemata`.
fn schemata(
    raw: &IntelRdt,
    at: &At<'_>,
    warnings: &mut Warnings,
) -> Result<Vec<String>, ResolveError> {
    let mut first = cache(raw, &at.member("/l3CacheSchema"), warnings);
    first.extend(bandwidth(raw, &at.member("/memBwSchema"))?);
    let lines = raw.schemata.as_deref().unwrap_or_default();
    let all = at.member("/schemata");
    for (index, line) in lines.iter().enumerate() {
        one_line(line, &all.index(index))?;
    }
    let second = lines.iter().map(String::as_str).collect();
    let texts = [first, second]
        .into_iter()
        .filter(|lines| !lines.is_empty());
    Ok(texts.map(|lines| lines.join("\n") + "\n").collect())
}

/// Lines of bandwidth give way to the property of their own.
fn cache<'r>(raw: &'r IntelRdt, at: &At<'_>, warnings: &mut Warnings) -> Vec<&'r str> {
    let text = raw.l3_cache_schema.as_deref().unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (bandwidth, cache): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with(BANDWIDTH));
    for line in bandwidth {
        warnings.add(at, format_args!("ignored: {line:?} belongs to memBwSchema"));
    }
    cache
}

fn bandwidth<'r>(raw: &'r IntelRdt, at: &At<'_>) -> Result<Option<&'r str>, ResolveError> {
    let Some(line) = raw.mem_bw_schema.as_deref().filter(|line| !line.is_empty()) else {
        return Ok(None);
    };
    if !line.starts_with(BANDWIDTH) {
        return Err(at.wrong(line, "must start with `MB:`"));
    }
    one_line(line, at)?;
    Ok(Some(line))
}

fn one_line(line: &str, at: &At<'_>) -> Result<(), ResolveError> {
    match line.contains('\n') {
        true => Err(at.wrong(line, "must be a single line")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn rdt(members: &str) -> String {
        format!(r#""linux": {{"intelRdt": {{{members}}}}}"#)
    }

    #[test]
    fn a_class_is_named_and_made_as_its_schemas_say() {
        let own = RdtClass::OfContainer("web".to_owned());
        for (members, class, schemata) in [
            ("", own.clone(), &[][..]),
            (r#""closID": """#, own.clone(), &[]),
            (
                r#""closID": "gold""#,
                RdtClass::Existing("gold".to_owned()),
                &[],
            ),
            (r#""closID": "/""#, RdtClass::Default, &[]),
            (
                r#""closID": "gold", "schemata": ["L2:0=f", "MB:0=70"]"#,
                RdtClass::Shared("gold".to_owned()),
                &["L2:0=f\nMB:0=70\n"],
            ),
            (
                r#""memBwSchema": "MB:0=20;1=70", "l3CacheSchema": "L3:0=ff\nL3CODE:1=f0\n",
                    "schemata": ["MB:0=30"]"#,
                own.clone(),
                &["L3:0=ff\nL3CODE:1=f0\nMB:0=20;1=70\n", "MB:0=30\n"],
            ),
            (r#""memBwSchema": "", "schemata": []"#, own.clone(), &[]),
        ] {
            let plan = Scene::v2().plan(&rdt(members)).host.rdt.unwrap();
            assert_eq!(plan.class, class, "{members}");
            assert_eq!(plan.schemata, schemata, "{members}");
            assert_eq!(plan.monitoring, None);
        }
        assert_eq!(Scene::v2().plan("").host.rdt, None);
        let monitored = Scene::v2().plan(&rdt(r#""enableMonitoring": true"#));
        let monitoring = monitored.host.rdt.unwrap().monitoring;
        assert_eq!(monitoring.as_deref(), Some("web"));
    }

    #[test]
    fn bandwidth_among_the_caches_is_dropped_with_a_warning() {
        let plan = Scene::v2().plan(&rdt(r#""l3CacheSchema": "MB:0=50\nL3:0=f""#));
        assert_eq!(plan.host.rdt.unwrap().schemata, ["L3:0=f\n"]);
        let warning = "config.json /linux/intelRdt/l3CacheSchema: ignored: \"MB:0=50\" belongs to memBwSchema";
        assert_eq!(plan.warnings, [warning]);
    }

    #[test]
    fn what_cannot_be_a_class_or_a_schema_is_refused() {
        let long = "x".repeat(256);
        for (members, expected) in [
            (r#""closID": "..""#, "closID: \"..\" must be the name"),
            (r#""closID": "a/b""#, "closID: \"a/b\" must be the name"),
            (r#""closID": "a\nb""#, "closID: \"a\\nb\" must be the name"),
            (r#""closID": "info""#, "closID: \"info\" cannot be"),
            (&format!(r#""closID": "{long}""#), "closID: \"xxx"),
            (
                r#""memBwSchema": "L3:0=f""#,
                "memBwSchema: \"L3:0=f\" must start with `MB:`",
            ),
            (
                r#""memBwSchema": "MB:0=1\nL3:0=f""#,
                "memBwSchema: \"MB:0=1\\nL3:0=f\" must be a single line",
            ),
            (
                r#""schemata": ["L3:0=f", "a\nb"]"#,
                "schemata/1: \"a\\nb\" must be a single line",
            ),
        ] {
            let refusal = Scene::v2().refusal(&rdt(members));
            let expected = format!("/linux/intelRdt/{expected}");
            assert!(refusal.starts_with(&expected), "{refusal:?} for {members}");
        }
    }
}
