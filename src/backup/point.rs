//! The restore points of one unit, by listing.
//!
//! One list gives at most five points, the newest before an instant. Further ones come by `@odata.nextLink` where the
//! service sends it, else by asking again before the oldest point seen.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::Service;
use super::workload::ROOT;
use crate::graph::{Call, GraphError, Json, Pages, Version};
use crate::instant;

/// Which points of a unit are wanted. `after` is inclusive, `before` is not.
#[derive(Clone, Debug, Default)]
pub(crate) struct PointFilter {
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
    pub(crate) tags: Option<String>,
    pub(crate) version: Option<Version>,
}

/// When a point was taken; `None` where the service sent no readable instant.
pub(crate) fn taken_at(point: &Json) -> Option<Timestamp> {
    instant::parse(&point.string("protectionDateTime")?)
}

/// The id of the unit that a point belongs to, where the service expanded it.
pub(crate) fn unit_of(point: &Json) -> Option<String> {
    point.property("protectionUnit")?.string("id")
}

pub(crate) fn has_tag(point: &Json, tag: &str) -> bool {
    let tags = point.string("tags").unwrap_or_default();
    tags.split(',')
        .any(|found| found.trim().eq_ignore_ascii_case(tag))
}

/// The points of one unit, newest first, as far as somebody reads.
pub(crate) struct Points {
    service: Arc<Service>,
    unit: String,
    filter: PointFilter,
    /// The window that is being read ends here.
    end: Timestamp,
    pages: Pages,
    ready: VecDeque<Json>,
    seen: HashSet<String>,
    /// Whether this window has given anything new.
    progress: bool,
    ended: bool,
}

impl Service {
    pub(crate) fn points(self: &Arc<Self>, unit: &str, filter: PointFilter) -> Points {
        // A day ahead: a point that the service takes while we ask is not cut off by a clock of ours that lags.
        let end = filter
            .before
            .unwrap_or_else(|| self.client.service_now() + jiff::SignedDuration::from_hours(24));
        Points {
            pages: self.point_pages(unit, end, filter.version),
            service: self.clone(),
            unit: unit.to_owned(),
            filter,
            end,
            ready: VecDeque::new(),
            seen: HashSet::new(),
            progress: false,
            ended: false,
        }
    }

    fn point_pages(&self, unit: &str, end: Timestamp, version: Option<Version>) -> Pages {
        let expand = super::encoded(&format!("protectionUnit($filter=id eq '{unit}')"));
        let filter = super::encoded(&format!(
            "protectionDateTime lt {}",
            instant::for_request(end)
        ));
        let path = format!("{ROOT}/restorePoints?$expand={expand}&$filter={filter}");
        self.client
            .pages(Call::get("list restore points", path).version(version))
    }
}

impl Points {
    /// A point that is there already.
    pub(crate) fn ready(&mut self) -> Option<Json> {
        self.ready.pop_front()
    }

    /// The next point; `None` after the oldest.
    pub(crate) async fn next(&mut self) -> Option<Result<Json, GraphError>> {
        loop {
            if let Some(point) = self.ready.pop_front() {
                return Some(Ok(point));
            }
            if self.ended {
                return None;
            }
            match self.pages.next().await {
                Some(Ok(page)) => self.take(page),
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                None if self.progress => {
                    self.progress = false;
                    let version = self.filter.version;
                    self.pages = self.service.point_pages(&self.unit, self.end, version);
                }
                None => self.ended = true,
            }
        }
    }

    fn take(&mut self, page: Vec<Json>) {
        let mut dated: Vec<(Option<Timestamp>, Json)> = page
            .into_iter()
            .filter(|point| unit_of(point).is_none_or(|unit| unit == self.unit))
            .map(|point| (taken_at(&point), point))
            .collect();
        dated.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (taken, point) in dated {
            if !self.seen.insert(point.string("id").unwrap_or_default()) {
                continue;
            }
            if let Some(taken) = taken {
                self.progress |= taken < self.end;
                self.end = self.end.min(taken);
                if self.filter.after.is_some_and(|after| taken < after) {
                    self.ended = true;
                    continue;
                }
                if self.filter.before.is_some_and(|before| taken >= before) {
                    continue;
                }
            }
            if self
                .filter
                .tags
                .as_deref()
                .is_none_or(|tag| has_tag(&point, tag))
            {
                self.ready.push_back(point);
            }
        }
    }
}
