//! Builds the init image and gives its path to the crate as `HULL_INIT_IMAGE`.
//!
//! A nested cargo builds crates/init without std for a static target, into OUT_DIR. With
//! `HULL_INIT=path` in the environment that file is embedded instead (two-step builds).

#![allow(clippy::disallowed_methods, reason = "a build script runs cargo")]

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-env-changed=HULL_INIT");
    let image = match env::var_os("HULL_INIT") {
        Some(path) => given(PathBuf::from(path))?,
        None => built()?,
    };
    println!("cargo::rustc-env=HULL_INIT_IMAGE={}", image.display());
    Ok(())
}

fn given(path: PathBuf) -> Result<PathBuf> {
    let path = path.canonicalize()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(path)
}

fn built() -> Result<PathBuf> {
    let crates = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    for source in [
        "init",
        "spec/src/plan",
        "spec/src/protocol.rs",
        "spec/Cargo.toml",
        "sys",
        "../Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={}", crates.join(source).display());
    }
    let target = static_target()?;
    let directory = PathBuf::from(env::var("OUT_DIR")?).join("image");
    let status = cargo(&crates, &target, &directory)?.status()?;
    if !status.success() {
        return Err(format!("the init image did not build: {status}").into());
    }
    Ok(directory.join(&target).join("release/hull-init"))
}

/// musl where rustup has it; static glibc otherwise.
fn static_target() -> Result<String> {
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;
    let musl = format!("{arch}-unknown-linux-musl");
    let print = Command::new(env::var("RUSTC")?)
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = PathBuf::from(String::from_utf8(print.stdout)?.trim());
    if sysroot.join("lib/rustlib").join(&musl).join("lib").is_dir() {
        return Ok(musl);
    }
    println!("cargo::warning=no {musl} target: the init image is static glibc, and larger");
    Ok(format!("{arch}-unknown-linux-gnu"))
}

fn cargo(crates: &Path, target: &str, directory: &Path) -> Result<Command> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(crates.join("init"));
    cargo.args([
        "build",
        "--locked",
        "--release",
        "--features",
        "image",
        "--bin",
        "hull-init",
    ]);
    cargo
        .args(["--target", target, "--target-dir"])
        .arg(directory);
    for setting in [
        "profile.release.opt-level=\"z\"",
        "profile.release.overflow-checks=false",
        "profile.release.lto=\"fat\"",
        "profile.release.codegen-units=1",
        "profile.release.panic=\"abort\"",
        "profile.release.strip=true",
        "profile.release.debug=false",
    ] {
        cargo.args(["--config", setting]);
    }
    // Position-independent code would only cost start-up time: the image runs once per container.
    let mut flags = vec![
        "-Crelocation-model=static".to_owned(),
        "-Ctarget-feature=+crt-static".to_owned(),
    ];
    if target.ends_with("musl") {
        cargo.args(["--config", &format!("target.{target}.linker=\"rust-lld\"")]);
        flags.extend(without_unwinding(directory)?);
    }
    // The outer build's settings are for another program.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let foreign = text.starts_with("CARGO_")
            && !matches!(
                &*text,
                "CARGO_HOME" | "CARGO_NET_OFFLINE" | "CARGO_TERM_COLOR"
            );
        if foreign || text.starts_with("RUSTC_") || text == "RUSTFLAGS" {
            cargo.env_remove(&name);
        }
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    Ok(cargo)
}

/// The image aborts where it would panic, and each start copies it: the tables that libc and the
/// standard crates bring along for unwinding, a sixth of it, are left out.
fn without_unwinding(directory: &Path) -> Result<[String; 3]> {
    let script = directory.join("without-unwinding.ld");
    fs::create_dir_all(directory)?;
    fs::write(
        &script,
        "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.gcc_except_table*) } } INSERT AFTER .text;\n",
    )?;
    Ok([
        "-Cforce-unwind-tables=no".to_owned(),
        "-Clink-arg=--no-eh-frame-hdr".to_owned(),
        format!("-Clink-arg=-T{}", script.display()),
    ])
}
