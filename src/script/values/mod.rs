//! What a script holds in its hands: Graph's objects, lists, streams, times.

pub(crate) mod list;
pub(crate) mod object;
pub(crate) mod published;
pub(crate) mod scan;
pub(crate) mod stream;
pub(crate) mod time;

pub(crate) use list::List;
pub(crate) use object::{Columns, Live, Object};
pub(crate) use published::{Form, Kind};
pub(crate) use stream::{Source, Stream};
pub(crate) use time::{Datetime, Duration};
