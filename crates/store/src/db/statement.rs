//! Statements: one text for both engines, declared by [`statements!`](crate::statements), which also lists
//! them so that a test can prepare every one of them on both engines.

use std::sync::OnceLock;

/// A statement with its name, its canonical text (`$n`) and the text for SQLite (`?n`).
pub struct Sql {
    module: &'static str,
    name: &'static str,
    text: &'static str,
    numbered: &'static str,
    columns: OnceLock<Vec<String>>,
}

impl Sql {
    /// Used by the `statements!` macro only.
    #[doc(hidden)]
    pub const fn new(
        module: &'static str,
        name: &'static str,
        text: &'static str,
        numbered: &'static str,
    ) -> Self {
        Self { module, name, text, numbered, columns: OnceLock::new() }
    }

    /// Where the statement stands, such as `vestibule_store::users::FIND`.
    pub fn name(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }

    pub(super) const fn text(&self) -> &'static str {
        self.text
    }

    pub(super) const fn numbered(&self) -> &'static str {
        self.numbered
    }

    /// Remembers the names of the answer's columns for faults; the first answer tells them.
    pub(super) fn learn_columns(&self, names: impl FnOnce() -> Vec<String>) {
        self.columns.get_or_init(names);
    }

    pub(super) fn column(&self, index: usize) -> &str {
        self.columns.get().and_then(|names| names.get(index)).map_or("?", String::as_str)
    }
}

/// Turns `$1` into `?1`, byte by byte and at compile time; both forms are equally long.
#[doc(hidden)]
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a bad index is a build error")]
pub const fn numbered<const N: usize>(text: &str) -> [u8; N] {
    let text = text.as_bytes();
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        let parameter = text[i] == b'$' && i + 1 < N && text[i + 1].is_ascii_digit();
        out[i] = if parameter { b'?' } else { text[i] };
        i += 1;
    }
    out
}

/// Only the bytes of `text` itself reach this, so the fallback is never taken.
#[doc(hidden)]
pub const fn as_text(bytes: &'static [u8], text: &'static str) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(numbered) => numbered,
        Err(_) => text,
    }
}

/// Declares the statements of a module and their list, `STATEMENTS`.
#[macro_export]
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)+) => {
        $(
            $(#[$doc])*
            static $name: $crate::db::Sql = {
                const TEXT: &str = $text;
                static NUMBERED: [u8; TEXT.len()] = $crate::db::numbered::<{ TEXT.len() }>(TEXT);
                $crate::db::Sql::new(
                    module_path!(),
                    stringify!($name),
                    TEXT,
                    $crate::db::as_text(&NUMBERED, TEXT),
                )
            };
        )+
        /// Every statement of this module, for the test that prepares them all.
        pub(crate) static STATEMENTS: &[&$crate::db::Sql] = &[$(&$name),+];
    };
}

#[cfg(test)]
mod tests {
    use super::{as_text, numbered};

    #[test]
    fn parameters_are_numbered_and_everything_else_stays() {
        const TEXT: &str = "SELECT '$', a FROM t WHERE b = $1 AND c = $12";
        static OUT: [u8; TEXT.len()] = numbered::<{ TEXT.len() }>(TEXT);
        assert_eq!(as_text(&OUT, TEXT), "SELECT '$', a FROM t WHERE b = ?1 AND c = ?12");
    }
}
