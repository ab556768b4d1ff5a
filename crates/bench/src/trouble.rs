//! Why something did not work out.

use std::fmt;

/// Why something did not work out.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The connection ended before the answer was whole: nothing is known about what happened.
    Cut(String),
    /// The server answered, or did, something wrong.
    Wrong(String),
    /// The letter with the code did not come in time.
    NoLetter,
}

/// A result of the world outside.
pub type Tried<T> = Result<T, Trouble>;

impl Trouble {
    /// The connection ended early.
    pub fn cut(why: impl fmt::Display) -> Self {
        Self::Cut(why.to_string())
    }

    /// Something is not as it should be.
    pub fn wrong(why: impl fmt::Display) -> Self {
        Self::Wrong(why.to_string())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(why) => write!(f, "the connection was cut: {why}"),
            Self::Wrong(why) => f.write_str(why),
            Self::NoLetter => f.write_str("no letter with a code came"),
        }
    }
}

impl std::error::Error for Trouble {}
