//! A stream: its first page, and the way to the rest.

use super::{Screen, table};
use crate::error::Fault;
use crate::script::values::Stream;

pub(super) fn first_page(screen: &Screen, stream: &Stream, most: usize) -> Result<String, Fault> {
    let mut items = Vec::new();
    let mut reading = stream.read();
    let mut has_more = false;
    for item in &mut reading {
        let item = item.map_err(crate::script::Failure::fault)?;
        if items.len() == most {
            has_more = true;
            break;
        }
        items.push(item);
    }
    if items.is_empty() {
        return Ok(format!("(no {})", stream.what()));
    }
    let rest = has_more.then(|| {
        format!(
            "… the first {most} {}: `it.collect()` reads all of them, `for x in it {{ … }}` goes through them",
            stream.what()
        )
    });
    Ok(table::list(screen, &items, most, rest.as_deref()))
}
