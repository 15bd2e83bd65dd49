//! The profiles of the engines: verdicts people rely on, and what a verdict costs.

use crate::interpreter::{Call, run};
use crate::naive;
use crate::profiles::{ENGINES, engine};
use hull_bpf::arch::Arch;
use hull_bpf::seccomp::{SockFilter, compile};
use hull_bpf::syscalls::Syscall;

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;

fn docker() -> Vec<SockFilter> {
    compile(&engine("docker"), Arch::X86_64).unwrap()
}

fn call(arch: Arch, name: &str, first: u64) -> Call {
    let number = Syscall::named(name).unwrap().number(arch).unwrap();
    Call {
        arch,
        number,
        args: [first, 0, 0, 0, 0, 0],
    }
}

#[test]
fn dockers_profile_answers_as_docker_promises() {
    let program = docker();
    let table = [
        (call(Arch::X86_64, "read", 0), ALLOW),
        (call(Arch::X86, "read", 0), ALLOW),
        (call(Arch::X32, "read", 0), ALLOW),
        (call(Arch::X86_64, "kexec_load", 0), EPERM),
        (call(Arch::X86_64, "clone", 0), ALLOW),
        (call(Arch::X86_64, "clone", 0x1000_0000), EPERM),
        (call(Arch::X86_64, "clone3", 0), naive::ENOSYS),
        (call(Arch::X86_64, "personality", 0xffff_ffff), ALLOW),
        (call(Arch::X86_64, "personality", 0x40_0000), EPERM),
        (call(Arch::Aarch64, "read", 0), 0),
        (
            Call {
                arch: Arch::X86_64,
                number: 5000,
                args: [0; 6],
            },
            naive::ENOSYS,
        ),
    ];
    for (call, answer) in table {
        assert_eq!(run(&program, &call).answer, answer, "{call:x?}");
    }
}

#[test]
fn every_engine_is_answered_as_its_profile_reads() {
    for (name, _) in ENGINES {
        let profile = engine(name);
        let program = compile(&profile, Arch::X86_64).unwrap();
        for arch in [Arch::X86_64, Arch::X86, Arch::X32] {
            let known = Syscall::all().filter_map(|call| call.number(arch));
            for number in known.chain([400, 1000, 0x4000_0400]) {
                for first in [2, 16, 0x7e02_0000] {
                    let call = Call {
                        arch,
                        number,
                        args: [first, 1, 9, 0, 0, 0],
                    };
                    let expected = naive::evaluate(&profile, Arch::X86_64, &call);
                    assert_eq!(run(&program, &call).answer, expected, "{name} {call:x?}");
                }
            }
        }
    }
}

/// Average and highest number of instructions over the syscalls of the native architecture.
fn steps(program: &[SockFilter]) -> (usize, usize) {
    let numbers = Syscall::all().filter_map(|call| call.number(Arch::X86_64));
    let steps: Vec<usize> = numbers
        .map(|number| {
            run(
                program,
                &Call {
                    arch: Arch::X86_64,
                    number,
                    args: [0; 6],
                },
            )
            .steps
        })
        .collect();
    (
        steps.iter().sum::<usize>() / steps.len(),
        *steps.iter().max().unwrap(),
    )
}

#[test]
fn a_syscall_costs_at_most_15_steps_on_average() {
    for (name, _) in ENGINES {
        let program = compile(&engine(name), Arch::X86_64).unwrap();
        let (average, highest) = steps(&program);
        println!(
            "{name}: {} instructions, {average} steps, {highest} at most",
            program.len()
        );
        assert!(average <= 15, "{name}: {average}");
    }
}

#[test]
fn the_same_profile_makes_the_same_program() {
    assert_eq!(docker(), docker());
}
