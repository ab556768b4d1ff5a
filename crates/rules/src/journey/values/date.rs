//! Dates of the calendar. A page asks for day, month and year; what was typed is kept as one text with the
//! year first, also while parts of it are missing: `1990--7`.

use serde_json::Value;
use time::{Date, Month};

use crate::directory::flow::Bound;
use crate::journey::flow::Field;
use crate::journey::question::RawFields;
use crate::text::Message;
use crate::time::Timestamp;

/// Longest part that is kept: it still reads as too long.
const PART_MAX: usize = 12;

/// Puts the posted parts together. `None` when the date was posted whole.
pub(super) fn posted(id: &str, fields: &RawFields) -> Option<Vec<String>> {
    let part = |name: &str| fields.get(&format!("{id}.{name}")).map(|v| v.first().map_or("", String::as_str));
    let (year, month, day) = (part("year"), part("month"), part("day"));
    if year.is_none() && month.is_none() && day.is_none() {
        return None;
    }
    let parts = [year, month, day].map(|p| plain(p.unwrap_or_default()));
    Some(if parts.iter().all(String::is_empty) { Vec::new() } else { vec![parts.join("-")] })
}

/// A part without what would be taken for the end of it.
fn plain(part: &str) -> String {
    part.trim().replace('-', "\u{2010}").chars().take(PART_MAX).collect()
}

/// Checks a date and the range it must be in.
pub(super) fn check(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    let Some(text) = raw.first() else {
        return if field.input.required { Err(Message::new("field-date")) } else { Ok(None) };
    };
    let date = read(text)?;
    let bound = |bound: &Option<Bound>| bound.as_ref().and_then(|b| parse(&b.to_string()));
    if let Some(first) = bound(&field.input.minimum).filter(|first| date < *first) {
        return Err(naming("field-date-early", first));
    }
    if let Some(last) = bound(&field.input.maximum).filter(|last| date > *last) {
        return Err(naming("field-date-late", last));
    }
    Ok(Some(Value::String(written(date))))
}

/// A date as a file writes it: `YYYY-MM-DD`.
pub(crate) fn parse(text: &str) -> Option<Date> {
    read(text).ok().filter(|date| written(*date) == text)
}

/// The whole years since a date of birth, by the calendar of UTC. Whoever was born on 29 February has their
/// birthday on 1 March in other years.
pub(crate) fn years(born: &str, now: Timestamp) -> Option<i32> {
    let (born, today) = (parse(born)?, now.date());
    let had_it = (today.month(), today.day()) >= (born.month(), born.day());
    Some(today.year() - born.year() - i32::from(!had_it))
}

fn written(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

fn read(text: &str) -> Result<Date, Message> {
    let mut parts = text.splitn(3, '-').map(str::trim);
    let mut part = || parts.next().unwrap_or_default();
    let (year, month, day) = (part(), part(), part());
    let missing: Vec<&str> =
        [(day, "field-date-day"), (month, "field-date-month"), (year, "field-date-year")]
            .into_iter()
            .filter_map(|(text, id)| text.is_empty().then_some(id))
            .collect();
    match missing.as_slice() {
        [] => {}
        [one] => return Err(Message::new(one)),
        _ => return Err(Message::new("field-date")),
    }
    let number = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits).ok_or_else(|| Message::new("field-date-number"))
    };
    let (day, month) = (number(day)?, number(month)?);
    let year = number(year).ok().filter(|y| (1000..=9999).contains(y));
    let year = year.ok_or_else(|| Message::new("field-date-four"))?;
    let named = u8::try_from(month).ok().and_then(|m| Month::try_from(m).ok());
    let named = named.ok_or_else(|| Message::new("field-date-number"))?;
    let date = u8::try_from(day).ok().and_then(|d| Date::from_calendar_date(year.into(), named, d).ok());
    date.ok_or_else(|| with_date(Message::new("field-date-none"), i32::from(year), named, day))
}

fn naming(id: &str, date: Date) -> Message {
    with_date(Message::new(id), date.year(), date.month(), date.day().into())
}

/// The month goes by a key: its name is a word of the catalogue.
fn with_date(message: Message, year: i32, month: Month, day: u16) -> Message {
    message.with("day", day).with("month", format!("m{}", u8::from(month))).with("year", year)
}
