//! Decides, for each architecture of a profile, which syscall numbers share an answer.
//!
//! Clauses about one syscall: one without conditions wins over all with, and the first such
//! over later ones, as in libseccomp. Of several with conditions that hold at once the
//! strictest wins; there libseccomp goes by the shape of its tree (docs/adr/0010). A number
//! past the newest call the profile names is answered `ENOSYS`, as runc does.

use super::multiplex::Routes;
use super::profile::Arg;
use super::rules::{Answer, Clause, Clauses};
use crate::arch::{ARM_PRIVATE, Arch, Endian, Width, X32_BIT};

/// All that one value of `seccomp_data.arch` can ask.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) audit: u32,
    pub(super) endian: Endian,
    /// From 0 to the highest number, without gaps; neighbours differ.
    pub(super) ranges: Vec<Range<'a>>,
}

/// Numbers from `first` to the next range.
#[derive(Debug)]
pub(super) struct Range<'a> {
    pub(super) first: u32,
    pub(super) verdict: Verdict<'a>,
}

#[derive(Debug)]
pub(super) enum Verdict<'a> {
    Always(Answer),
    /// The first check that holds answers; the default when none does.
    Checks(Width, Vec<Check<'a>>),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Check<'a> {
    pub(super) answer: Answer,
    pub(super) conditions: &'a [Arg],
    /// What the first argument must be instead of any condition on it: see `multiplex`.
    pub(super) operation: Option<u32>,
}

impl Verdict<'_> {
    pub(super) fn always(&self) -> Option<Answer> {
        match self {
            Self::Always(answer) => Some(*answer),
            Self::Checks(..) => None,
        }
    }
}

/// One section per audit value, in the order of `architectures`.
pub(super) fn sections<'a>(clauses: &Clauses<'a>, architectures: &[Arch]) -> Vec<Section<'a>> {
    let routes = Routes::all();
    let mut sections: Vec<Section<'a>> = Vec::with_capacity(architectures.len());
    for arch in architectures {
        let audit = arch.audit();
        if sections.iter().any(|section| section.audit == audit) {
            continue;
        }
        let mut ranges = Vec::with_capacity(512);
        for band in bands(*arch, architectures) {
            band.fill(clauses, &routes, &mut ranges);
        }
        ranges.dedup_by(|next, kept| {
            next.verdict
                .always()
                .is_some_and(|answer| kept.verdict.always() == Some(answer))
        });
        sections.push(Section {
            audit,
            endian: arch.endian(),
            ranges,
        });
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

#[derive(Debug)]
struct Entry<'a> {
    number: u32,
    check: Check<'a>,
}

impl Band {
    fn fill<'a>(&self, clauses: &Clauses<'a>, routes: &Routes, ranges: &mut Vec<Range<'a>>) {
        let mut from = |first, verdict| {
            if ranges
                .last()
                .is_some_and(|last: &Range<'_>| last.first == first)
            {
                ranges.pop();
            }
            ranges.push(Range { first, verdict });
        };
        let default = || Verdict::Always(clauses.default);
        let arch = match self.holder {
            Holder::Unlisted => return from(self.first, Verdict::Always(Answer::KILL_THREAD)),
            Holder::Skipped => return from(self.first, default()),
            Holder::Arch(arch) => arch,
        };
        let entries = self.entries(arch, clauses, routes);
        let newest = self
            .newest(arch, clauses, &entries)
            .filter(|_| clauses.newer_are_unknown);
        from(self.first, default());
        // s390 passes numbers above 255 through call 0 (setup, long gone), and leaves 0 in
        // place when the kernel does not know the number.
        if newest.is_some() && matches!(arch, Arch::S390 | Arch::S390X) {
            from(0, Verdict::Always(Answer::ENOSYS));
            from(1, default());
        }
        for same in entries.chunk_by(|a, b| a.number == b.number) {
            from(same[0].number, verdict(arch.width(), same));
            from(same[0].number + 1, default());
        }
        if let Some(newest) = newest {
            from(newest + 1, Verdict::Always(Answer::ENOSYS));
        }
    }

    /// What the clauses say about numbers of this band, by number, else in listed order.
    fn entries<'a>(&self, arch: Arch, clauses: &Clauses<'a>, routes: &Routes) -> Vec<Entry<'a>> {
        let mut entries = Vec::with_capacity(clauses.named.len() + 32);
        for (
            call,
            &Clause {
                answer, conditions, ..
            },
        ) in clauses.each()
        {
            let mut add = |number: Option<u32>, operation| {
                if let Some(number) = number.filter(|n| (self.first..=self.last).contains(n)) {
                    let check = Check {
                        answer,
                        conditions,
                        operation,
                    };
                    entries.push(Entry { number, check });
                }
            };
            add(call.number(arch), None);
            if arch.multiplexes()
                && let Some(route) = routes.of(call)
            {
                add(route.through.number(arch), Some(route.operation));
            }
        }
        entries.sort_by_key(|entry| entry.number);
        entries
    }

    fn newest(&self, arch: Arch, clauses: &Clauses<'_>, entries: &[Entry<'_>]) -> Option<u32> {
        let named = clauses.named.iter().filter_map(|call| call.number(arch));
        named
            .filter(|number| (self.first..=self.last).contains(number))
            .chain(entries.last().map(|entry| entry.number))
            .max()
    }
}

fn verdict<'a>(width: Width, same: &[Entry<'a>]) -> Verdict<'a> {
    let always = |check: &Check<'_>| check.conditions.is_empty() && check.operation.is_none();
    if let Some(entry) = same.iter().find(|entry| always(&entry.check)) {
        return Verdict::Always(entry.check.answer);
    }
    let mut checks: Vec<_> = same.iter().map(|entry| entry.check).collect();
    checks.sort_by_key(|check| check.answer.strictness());
    Verdict::Checks(width, checks)
}
