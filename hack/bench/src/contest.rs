//! One workload, all contestants by turns.

use crate::bed::Bed;
use crate::contestant::Contestant;
use crate::options::Options;
use crate::sample::{Figures, Sample};
use crate::script::Script;
use crate::workload::Workload;

const WARM_UP: usize = 3;

#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) workload: String,
    pub(crate) says: &'static str,
    pub(crate) runs: usize,
    /// Figures by name, or the reason why there are none.
    pub(crate) outcomes: Vec<(String, Result<Figures, String>)>,
}

impl Contest {
    pub(crate) fn figures(&self, contestant: &str) -> Option<&Figures> {
        let (_, figures) = self.outcomes.iter().find(|(name, _)| name == contestant)?;
        figures.as_ref().ok()
    }
}

pub(crate) fn hold(
    bed: &Bed,
    workload: &Workload,
    contestants: &[Contestant],
    options: &Options,
) -> Contest {
    let seat = |one| Turn {
        script: Script::prepare(bed, workload, one, contestants),
        samples: vec![],
    };
    let mut turns: Vec<Turn> = contestants.iter().map(seat).collect();
    for round in 0..WARM_UP + options.runs {
        // Each round begins with another, so that nobody always comes after the heaviest.
        let first = round % turns.len();
        turns.rotate_left(first);
        turns
            .iter_mut()
            .for_each(|turn| turn.play(round >= WARM_UP));
        turns.rotate_right(first);
    }
    let names = contestants.iter().map(|contestant| contestant.name.clone());
    let outcomes = names.zip(turns.into_iter().map(Turn::outcome)).collect();
    Contest {
        workload: workload.name(),
        says: workload.says(),
        runs: options.runs,
        outcomes,
    }
}

/// One contestant at the table; who fails once is out.
struct Turn<'a> {
    script: Result<Script<'a>, String>,
    samples: Vec<Sample>,
}

impl Turn<'_> {
    fn play(&mut self, counts: bool) {
        let Ok(script) = &self.script else { return };
        match script.once() {
            Ok(sample) if counts => self.samples.push(sample),
            Ok(_) => {}
            Err(why) => self.script = Err(why),
        }
    }

    fn outcome(self) -> Result<Figures, String> {
        let script = self.script?;
        Figures::of(&self.samples, script.syscalls()).ok_or_else(|| "no samples".to_owned())
    }
}
