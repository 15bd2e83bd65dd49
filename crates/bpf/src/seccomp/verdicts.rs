//! Decides, for each architecture of a profile, which syscall numbers share an answer.
//!
//! Clauses about one syscall: one without conditions wins over all with, and the first such
//! over later ones, as in libseccomp. Of several with conditions that hold at once the
//! strictest wins; there libseccomp goes by the shape of its tree (docs/adr/0010). A number
//! past the newest call the profile names is answered `ENOSYS`, as runc does.

use super::multiplex::Routes;
use super::rules::{Answer, Clauses};
use crate::arch::{ARM_PRIVATE, Arch, Endian, Width, X32_BIT};
use crate::syscalls::Syscall;

/// All that one value of `seccomp_data.arch` can ask.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) audit: u32,
    pub(super) endian: Endian,
    /// From 0 to the highest number, without gaps; neighbours differ.
    pub(super) ranges: Vec<Range>,
    /// What `Verdict::Checks` points at.
    pub(super) checks: Vec<Check>,
}

/// Numbers from `first` to the next range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) first: u32,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    Always(Answer),
    /// The first check that holds answers; the default when none does.
    Checks {
        width: Width,
        first: usize,
        last: usize,
    },
}

/// One clause about one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Check {
    number: u32,
    /// Position in `Clauses`, which is the listed order.
    pub(super) clause: usize,
    /// What the first argument must be instead of any condition on it: see `multiplex`.
    pub(super) operation: Option<u8>,
}

impl Verdict {
    pub(super) fn always(self) -> Option<Answer> {
        match self {
            Self::Always(answer) => Some(answer),
            Self::Checks { .. } => None,
        }
    }
}

/// One section per audit value, in the order of `architectures`.
pub(super) fn sections(clauses: &Clauses<'_>, architectures: &[Arch]) -> Vec<Section> {
    let routes = Routes::all();
    let mut sections: Vec<Section> = Vec::with_capacity(architectures.len());
    for arch in architectures {
        let audit = arch.audit();
        if sections.iter().any(|section| section.audit == audit) {
            continue;
        }
        let (ranges, checks) = (Vec::with_capacity(128), Vec::with_capacity(512));
        let mut section = Section {
            audit,
            endian: arch.endian(),
            ranges,
            checks,
        };
        for band in bands(*arch, architectures) {
            section.fill(&band, clauses, &routes);
        }
        sections.push(section);
    }
    sections
}

/// A part of the number space with a meaning of its own.
#[derive(Debug)]
struct Band {
    first: u32,
    last: u32,
    holder: Holder,
}

#[derive(Clone, Copy, Debug)]
enum Holder {
    Arch(Arch),
    /// Calls of an architecture that the profile does not list.
    Unlisted,
    /// A tracer's way to say that no call shall be made (-1).
    Skipped,
}

fn bands(arch: Arch, architectures: &[Arch]) -> Vec<Band> {
    let band = |first, last, holder| Band {
        first,
        last,
        holder,
    };
    let holder = |arch| {
        if architectures.contains(&arch) {
            Holder::Arch(arch)
        } else {
            Holder::Unlisted
        }
    };
    match (arch, holder(Arch::X32)) {
        (Arch::X86_64 | Arch::X32, Holder::Arch(x32)) => vec![
            band(0, X32_BIT - 1, holder(Arch::X86_64)),
            band(X32_BIT, u32::MAX, Holder::Arch(x32)),
        ],
        (Arch::X86_64, _) => vec![
            band(0, X32_BIT - 1, Holder::Arch(Arch::X86_64)),
            band(X32_BIT, u32::MAX - 1, Holder::Unlisted),
            band(u32::MAX, u32::MAX, Holder::Skipped),
        ],
        // Otherwise one name of the private range would make every new call look known.
        (Arch::Arm, _) => vec![
            band(0, ARM_PRIVATE - 1, Holder::Arch(arch)),
            band(ARM_PRIVATE, u32::MAX, Holder::Arch(arch)),
        ],
        _ => vec![band(0, u32::MAX, Holder::Arch(arch))],
    }
}

impl Band {
    fn holds(&self, number: u32) -> bool {
        (self.first..=self.last).contains(&number)
    }

    /// The highest number the profile speaks about, in dropped rules too.
    fn newest(&self, arch: Arch, clauses: &Clauses<'_>, routes: &Routes) -> Option<u32> {
        let numbers = clauses
            .named
            .iter()
            .flat_map(|call| numbers(*call, arch, routes));
        numbers
            .map(|(number, _)| number)
            .filter(|number| self.holds(*number))
            .max()
    }
}

/// The numbers a call can be made by, each with the operation it then needs.
fn numbers(call: Syscall, arch: Arch, routes: &Routes) -> impl Iterator<Item = (u32, Option<u8>)> {
    let direct = call.number(arch).map(|number| (number, None));
    let route = if arch.multiplexes() {
        routes.of(call)
    } else {
        None
    };
    let routed = route.and_then(|route| Some((route.through.number(arch)?, Some(route.operation))));
    direct.into_iter().chain(routed)
}

impl Section {
    fn fill(&mut self, band: &Band, clauses: &Clauses<'_>, routes: &Routes) {
        let default = Verdict::Always(clauses.default);
        let arch = match band.holder {
            Holder::Unlisted => return self.from(band.first, Verdict::Always(Answer::KILL_THREAD)),
            Holder::Skipped => return self.from(band.first, default),
            Holder::Arch(arch) => arch,
        };
        let start = self.checks.len();
        self.collect(band, arch, clauses, routes);
        let newest = if clauses.newer_are_unknown {
            band.newest(arch, clauses, routes)
        } else {
            None
        };
        self.from(band.first, default);
        // s390 passes numbers above 255 through call 0 (setup, long gone), and leaves 0 in
        // place when the kernel does not know the number.
        if newest.is_some() && matches!(arch, Arch::S390 | Arch::S390X) {
            self.from(0, Verdict::Always(Answer::ENOSYS));
            self.from(1, default);
        }
        self.judge(start, arch.width(), clauses);
        if let Some(newest) = newest {
            self.from(newest + 1, Verdict::Always(Answer::ENOSYS));
        }
    }

    /// What the clauses say about numbers of the band, by number, else in listed order.
    fn collect(&mut self, band: &Band, arch: Arch, clauses: &Clauses<'_>, routes: &Routes) {
        let start = self.checks.len();
        for (call, clause) in clauses.each() {
            for (number, operation) in numbers(call, arch, routes) {
                if band.holds(number) {
                    self.checks.push(Check {
                        number,
                        clause,
                        operation,
                    });
                }
            }
        }
        self.checks[start..].sort_unstable();
    }

    /// Turns the checks from `start` on into ranges.
    fn judge(&mut self, start: usize, width: Width, clauses: &Clauses<'_>) {
        let mut first = start;
        while let Some(number) = self.checks.get(first).map(|check| check.number) {
            let same = self.checks[first..]
                .iter()
                .take_while(|check| check.number == number);
            let last = first + same.count();
            let same = &mut self.checks[first..last];
            let always = same.iter().find(|check| check.is_always(clauses));
            let verdict = match always {
                Some(check) => Verdict::Always(clauses.at(check.clause).answer),
                None => Verdict::Checks {
                    width,
                    first,
                    last: first + in_order(same, clauses),
                },
            };
            self.from(number, verdict);
            self.from(number + 1, Verdict::Always(clauses.default));
            first = last;
        }
    }

    /// From `first` on the verdict is this one, until told otherwise.
    fn from(&mut self, first: u32, verdict: Verdict) {
        if self.ranges.last().is_some_and(|last| last.first == first) {
            self.ranges.pop();
        }
        let before = self.ranges.last().and_then(|last| last.verdict.always());
        if before.is_none() || before != verdict.always() {
            self.ranges.push(Range { first, verdict });
        }
    }
}

/// Puts the checks of one number in the order they are made, and says how many are left.
fn in_order(same: &mut [Check], clauses: &Clauses<'_>) -> usize {
    // As for a number of its own, a clause without conditions wins over those with.
    let mut whole: Vec<Check> = Vec::new();
    let of = |whole: &[Check], check: &Check| {
        let about = |other: &&Check| other.operation == check.operation;
        whole.iter().find(about).copied()
    };
    for check in same.iter().filter(|check| check.is_whole(clauses)) {
        if of(&whole, check).is_none() {
            whole.push(*check);
        }
    }
    let stays = |check: &&Check| of(&whole, check).is_none_or(|winner| winner == **check);
    let mut left: Vec<Check> = same.iter().filter(stays).copied().collect();
    left.sort_by_key(|check| clauses.at(check.clause).answer.strictness());
    same[..left.len()].copy_from_slice(&left);
    left.len()
}

impl Check {
    /// About all calls with its operation?
    fn is_whole(&self, clauses: &Clauses<'_>) -> bool {
        self.operation.is_some() && clauses.at(self.clause).conditions.is_empty()
    }

    fn is_always(&self, clauses: &Clauses<'_>) -> bool {
        self.operation.is_none() && clauses.at(self.clause).conditions.is_empty()
    }
}
