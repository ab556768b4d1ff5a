//! Texts that fit an administrator's pattern. What a pattern says of its surroundings (`^`, `\b`) is not
//! looked at: the field itself judges what was invented.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// What is taken from a class of characters, the first of these that it has.
const POOLS: [&str; 3] = ["ABCDEFGHJKLM", "123456789", "abcdefghijklm"];
/// Longest text that is put together.
const LONGEST: usize = 400;
/// What `+` and `*` are repeated.
const OFTEN: u32 = 4;

/// Texts that probably fit the pattern: one of a length that people would write, and the shortest.
pub(super) fn texts(pattern: &str) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    let text = |often| {
        let mut work = Work { text: String::new(), often };
        work.add(&hir).then_some(work.text)
    };
    [text(OFTEN), text(0)].into_iter().flatten().collect()
}

struct Work {
    text: String,
    often: u32,
}

impl Work {
    /// Adds what the expression stands for; `false` when nothing does, or it becomes too long.
    fn add(&mut self, hir: &Hir) -> bool {
        if self.text.len() > LONGEST {
            return false;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0).is_ok_and(|text| {
                self.text.push_str(text);
                true
            }),
            HirKind::Class(class) => self.one_of(class),
            HirKind::Repetition(repeated) => {
                let times = repeated.min.max(self.often).min(repeated.max.unwrap_or(u32::MAX));
                (0..times).all(|_| self.add(&repeated.sub))
            }
            HirKind::Capture(group) => self.add(&group.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.add(part)),
            HirKind::Alternation(ways) => ways.first().is_some_and(|way| self.add(way)),
        }
    }

    fn one_of(&mut self, class: &Class) -> bool {
        let Class::Unicode(class) = class else { return false };
        let has = |c: &char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c));
        let pool = POOLS.iter().map(|pool| pool.chars().filter(has).collect::<Vec<_>>());
        let pool = pool.into_iter().find(|pool| !pool.is_empty());
        let at = self.text.chars().count();
        let chosen = match &pool {
            // The next one each time, so that it looks like something.
            Some(pool) => pool.get(at % pool.len()).copied(),
            None => class.ranges().first().map(ClassUnicodeRange::start),
        };
        self.text.extend(chosen);
        chosen.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn what_is_invented_fits() {
        let patterns = [
            "[A-Z]{2}[0-9]+",
            r"\d{5}(-\d{4})?",
            "(?i)de[0-9]{9}",
            r"[^@\s]+@[^@\s]+",
            "(red|blue) [a-f]*",
            r"\p{L}+",
            ".{3,8}",
            "",
        ];
        for pattern in patterns {
            let found = texts(pattern);
            assert_eq!(found.len(), 2, "{pattern}");
            // The same library takes what it was made for, whole.
            let whole = format!("^(?:{pattern})$");
            for text in found {
                assert!(super::tests::fits(&whole, &text), "{pattern}: {text}");
            }
        }
    }

    #[test]
    fn what_nobody_could_write_is_not_tried() {
        for pattern in ["(", "[a-z]{5000}", r"[\p{L}&&\d]", "((a{50}){50}){50}"] {
            assert!(texts(pattern).iter().all(|text| text.len() < 1000), "{pattern}");
        }
    }

    fn fits(pattern: &str, text: &str) -> bool {
        let mut schema = serde_json::json!({ "type": "string" });
        schema["pattern"] = pattern.into();
        jsonschema::is_valid(&schema, &text.into())
    }
}
