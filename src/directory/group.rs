//! Groups and their members.

use super::{Directory, DirectoryError, TOP, is_guid, quoted, segment, with_query};
use crate::graph::{Call, Json, Pages};

/// The options of `groups::members`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemberOptions {
    /// Members of nested groups too.
    pub(crate) transitive: bool,
}

impl Directory {
    /// All groups, or those that `filter` leaves.
    pub(crate) fn groups(&self, filter: Option<&str>, select: Option<&str>) -> Pages {
        let mut query = vec![("$top", TOP)];
        query.extend(filter.map(|filter| ("$filter", filter)));
        query.extend(select.map(|select| ("$select", select)));
        self.client
            .pages(Call::get("list groups", with_query("/groups", &query)))
    }

    /// A group by id, else by its exact display name.
    ///
    /// # Errors
    /// [`DirectoryError::NoGroup`] with near names, [`DirectoryError::SeveralGroups`] with all ids.
    pub(crate) async fn group(&self, name: &str) -> Result<Json, DirectoryError> {
        if is_guid(name) {
            let call = Call::get("get group", format!("/groups/{}", segment(name)));
            return match self.client.read(call).await {
                Ok(answer) => Ok(answer.json()),
                Err(error) if error.is_not_found() => Err(DirectoryError::NoGroup {
                    name: name.to_owned(),
                    near: Vec::new(),
                }),
                Err(error) => Err(error.into()),
            };
        }
        let filter = format!("displayName eq {}", quoted(name));
        let path = with_query("/groups", &[("$filter", &filter)]);
        let mut found = self
            .client
            .pages(Call::get("find group", path))
            .collect()
            .await?;
        match found.len() {
            1 => Ok(found.swap_remove(0)),
            0 => Err(DirectoryError::NoGroup {
                near: self.near(name).await,
                name: name.to_owned(),
            }),
            _ => Err(DirectoryError::SeveralGroups {
                name: name.to_owned(),
                ids: found
                    .iter()
                    .filter_map(|group| group.string("id"))
                    .collect(),
            }),
        }
    }

    /// Names that start alike and look alike: for the hint only, so its own failure is nobody's concern.
    async fn near(&self, name: &str) -> Vec<String> {
        let start: String = name.chars().take(3).collect();
        let filter = format!("startswith(displayName,{})", quoted(&start));
        let mut pages = self.groups(Some(&filter), Some("id,displayName"));
        let Some(Ok(page)) = pages.next().await else {
            return Vec::new();
        };
        let mut names: Vec<(f64, String)> = page
            .iter()
            .filter_map(|group| group.string("displayName"))
            .map(|found| {
                (
                    strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase()),
                    found,
                )
            })
            .filter(|(likeness, _)| *likeness > 0.8)
            .collect();
        names.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        names.into_iter().take(3).map(|(_, name)| name).collect()
    }

    /// The members of a group by its id. They are of mixed kinds: see [`is_user`].
    pub(crate) fn members(&self, group_id: &str, options: MemberOptions) -> Pages {
        let list = if options.transitive {
            "transitiveMembers"
        } else {
            "members"
        };
        let path = format!("/groups/{}/{list}", segment(group_id));
        self.client.pages(Call::get(
            "list group members",
            with_query(&path, &[("$top", TOP)]),
        ))
    }
}

/// Whether a directory object is a user; where the service did not say, it is.
pub(crate) fn is_user(object: &Json) -> bool {
    object
        .string("@odata.type")
        .is_none_or(|kind| kind.eq_ignore_ascii_case("#microsoft.graph.user"))
}
