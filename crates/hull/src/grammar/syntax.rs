//! What a command and a flag are, as data.
//!
//! Parsing, `--help` and later the man pages and completions all read the same values, so none of
//! them can know a flag that the others do not.

/// One verb of the command line.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// Follows the name in the second line of `--help`.
    pub(crate) about: &'static str,
    pub(crate) arguments: Arguments,
    pub(crate) order: Order,
    pub(crate) flags: &'static [&'static Flag],
    pub(crate) description: &'static str,
    pub(crate) examples: &'static [Example],
}

/// What may stand beside the flags.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) shown: &'static str,
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// Where flags may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The first positional argument ends the flags: what follows belongs to somebody else.
    FlagsFirst,
    AnyOrder,
}

/// A command line worth trying.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) line: &'static str,
    pub(crate) does: &'static str,
}

/// One option.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    /// Each character is a short name.
    pub(crate) shorts: &'static str,
    pub(crate) takes: Takes,
    pub(crate) about: &'static str,
}

/// What stands after a flag.
#[derive(Debug)]
pub(crate) enum Takes {
    /// Nothing, or `=true`, or `=false`.
    Nothing,
    /// Anything; the word is what help calls it.
    Text(&'static str),
    /// An integer from zero on.
    Number { shown: &'static str, most: u32 },
    /// One of these; `refusal` begins the error about any other.
    Word {
        words: &'static [&'static str],
        refusal: &'static str,
    },
}

impl Flag {
    pub(crate) const fn switch(long: &'static str, about: &'static str) -> Flag {
        Flag {
            long,
            shorts: "",
            takes: Takes::Nothing,
            about,
        }
    }

    pub(crate) const fn text(long: &'static str, shown: &'static str, about: &'static str) -> Flag {
        Flag {
            long,
            shorts: "",
            takes: Takes::Text(shown),
            about,
        }
    }

    pub(crate) const fn short(self, shorts: &'static str) -> Flag {
        Flag { shorts, ..self }
    }

    pub(crate) fn is_switch(&self) -> bool {
        matches!(self.takes, Takes::Nothing)
    }

    /// What help shows for its value.
    pub(crate) fn shown_value(&self) -> String {
        match self.takes {
            Takes::Nothing => String::new(),
            Takes::Text(shown) | Takes::Number { shown, .. } => shown.to_owned(),
            Takes::Word { words, .. } => words.join("|"),
        }
    }
}
