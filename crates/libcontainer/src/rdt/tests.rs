//! The protocol of files, on directories that stand for resctrl: no machine of ours has the real
//! one. What the kernel would put into a new directory, a test puts there itself.

#![allow(
    clippy::disallowed_methods,
    reason = "a scratch directory that nobody else can reach"
)]

use super::*;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A resctrl with the default class; removed with the test.
struct Fake(PathBuf);

impl Fake {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("hull-rdt-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("info")).unwrap();
        fs::write(root.join("info/last_cmd_status"), "mask too wide\n").unwrap();
        let fake = Self(root);
        fake.fill("", "    L3:0=fffff\n    MB:0= 100\n");
        fake
    }

    /// The files that every class has.
    fn fill(&self, class: &str, schemata: &str) {
        let class = self.0.join(class);
        fs::create_dir_all(class.join("mon_groups")).unwrap();
        fs::write(class.join("schemata"), schemata).unwrap();
        fs::write(class.join("tasks"), "").unwrap();
    }

    fn find(&self, class: RdtClass, schemata: &[&str]) -> Result<Rdt, RdtError> {
        self.find_monitored(class, schemata, None)
    }

    fn find_monitored(
        &self,
        class: RdtClass,
        schemata: &[&str],
        monitoring: Option<&str>,
    ) -> Result<Rdt, RdtError> {
        let plan = RdtPlan {
            class,
            schemata: schemata.iter().map(|&text| text.to_owned()).collect(),
            monitoring: monitoring.map(str::to_owned),
        };
        let mount_point = self.0.to_string_lossy().into_owned();
        Class::find(&plan, mount_point).map(|class| Rdt::of(Some(class)))
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    fn has(&self, path: &str) -> bool {
        Path::new(&self.0).join(path).exists()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn named(name: &str) -> String {
    name.to_owned()
}

#[test]
fn resctrl_is_found_among_the_mounts() {
    let mounts = "23 28 0:21 / /proc rw - proc proc rw\n\
                  41 28 0:36 / /sys/fs/resctrl rw,nosuid shared:9 - resctrl resctrl rw\n";
    assert_eq!(mount_point(mounts).as_deref(), Some("/sys/fs/resctrl"));
    assert_eq!(
        mount_point("23 28 0:21 / /resctrl rw - proc proc rw\n"),
        None
    );
}

#[test]
fn the_class_of_a_container_is_made_and_goes() {
    let fake = Fake::new("own");
    let mut rdt = fake.find(RdtClass::OfContainer(named("web")), &[]).unwrap();
    rdt.make().unwrap();
    assert!(fake.has("web"));
    let ours = rdt.of_container();
    assert_eq!(ours, [fake.0.join("web").to_string_lossy()]);
    fs::write(fake.0.join("web/tasks"), "").unwrap();
    rdt.attach(77).unwrap();
    assert_eq!(fake.text("web/tasks"), "77");
    rdt.keep();
    let taken = fake.find(RdtClass::OfContainer(named("web")), &[]);
    assert!(matches!(taken, Err(RdtError::Taken { .. })));
    fs::remove_file(fake.0.join("web/tasks")).unwrap();
    remove(&ours).unwrap();
    assert!(!fake.has("web"));
    remove(&ours).unwrap();
}

#[test]
fn a_class_that_was_not_kept_goes_on_drop() {
    let fake = Fake::new("undo");
    let mut rdt = fake.find(RdtClass::Shared(named("gold")), &[]).unwrap();
    rdt.make().unwrap();
    assert_eq!(rdt.of_container(), [""; 0]);
    assert!(fake.has("gold"));
    drop(rdt);
    assert!(!fake.has("gold"));
}

#[test]
fn the_schemata_of_a_new_class_are_written_in_order() {
    let fake = Fake::new("write");
    fake.fill("gold", "");
    let rdt = fake.find(RdtClass::Existing(named("gold")), &[]).unwrap();
    let class = rdt.class.as_ref().unwrap();
    let directory = class.directory.as_ref().unwrap();
    class
        .write_schemata(directory, "L3:0=f\nMB:0=70\n")
        .unwrap();
    assert_eq!(fake.text("gold/schemata"), "L3:0=f\nMB:0=70\n");
    fs::remove_file(fake.0.join("gold/schemata")).unwrap();
    let refused = class.write_schemata(directory, "L3:0=f\n").unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("gold/schemata (mask too wide)")
    );
    rdt.keep();
}

#[test]
fn a_class_that_is_there_is_compared_and_left_as_it_is() {
    let fake = Fake::new("compare");
    fake.fill("gold", "    L3:0=000ff\n    MB:0=  70\n");
    let shared = || RdtClass::Shared(named("gold"));
    let mut rdt = fake.find(shared(), &["L3:0=ff\nMB:0=70\n"]).unwrap();
    rdt.make().unwrap();
    assert_eq!(
        fake.text("gold/schemata"),
        "    L3:0=000ff\n    MB:0=  70\n"
    );
    drop(rdt);
    assert!(fake.has("gold"));
    let different = fake.find(shared(), &["L3:0=1\n"]).unwrap_err();
    assert!(
        different
            .to_string()
            .ends_with("gold is there already and has no L3:0=1")
    );
    let root = fake.find(RdtClass::Default, &["L3:0=fffff\n"]).unwrap();
    root.attach(9).unwrap();
    assert_eq!(fake.text("tasks"), "9");
    assert!(fake.find(RdtClass::Default, &["MB:0=50\n"]).is_err());
}

#[test]
fn a_class_that_nobody_made_is_an_error_without_a_schema() {
    let fake = Fake::new("missing");
    let missing = fake
        .find(RdtClass::Existing(named("gold")), &[])
        .unwrap_err();
    let text = missing.to_string();
    assert!(text.starts_with("/linux/intelRdt/closID: open "), "{text}");
    assert!(text.ends_with("/gold"), "{text}");
}

#[test]
fn monitoring_is_a_group_in_the_class_that_goes_first() {
    let fake = Fake::new("monitor");
    fake.fill("gold", "");
    let class = RdtClass::Existing(named("gold"));
    let mut rdt = fake.find_monitored(class, &[], Some("web")).unwrap();
    rdt.make().unwrap();
    let ours = rdt.of_container();
    assert_eq!(ours, [fake.0.join("gold/mon_groups/web").to_string_lossy()]);
    fs::write(fake.0.join("gold/mon_groups/web/tasks"), "").unwrap();
    rdt.attach(5).unwrap();
    assert_eq!(fake.text("gold/tasks"), "5");
    assert_eq!(fake.text("gold/mon_groups/web/tasks"), "5");
    fs::remove_file(fake.0.join("gold/mon_groups/web/tasks")).unwrap();
    drop(rdt);
    assert!(!fake.has("gold/mon_groups/web") && fake.has("gold"));
    fs::remove_dir(fake.0.join("mon_groups")).unwrap();
    let mut without = fake
        .find_monitored(RdtClass::Default, &[], Some("web"))
        .unwrap();
    let refused = without.make().unwrap_err().to_string();
    assert!(
        refused.starts_with("/linux/intelRdt/enableMonitoring: open "),
        "{refused}"
    );
}
