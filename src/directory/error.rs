//! Why the directory had no answer.

use crate::graph::GraphError;

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error("no group is called `{name}`")]
    NoGroup { name: String, near: Vec<String> },
    #[error("{} groups are called `{name}`", ids.len())]
    SeveralGroups { name: String, ids: Vec<String> },
    #[error("there is no user `{name}`")]
    NoUser {
        name: String,
        /// Graph's own answer to the look-up.
        answer: Box<GraphError>,
    },
    #[error("there is no site `{name}`")]
    NoSite {
        name: String,
        /// Graph's own answer to the look-up.
        answer: Box<GraphError>,
    },
    #[error("{} users have the address `{name}`", ids.len())]
    SeveralUsers { name: String, ids: Vec<String> },
}

impl DirectoryError {
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Graph(error) => error.code(),
            Self::NoGroup { .. } => "GroupNotFound",
            Self::NoUser { answer, .. } | Self::NoSite { answer, .. } => answer.code(),
            Self::SeveralGroups { .. } | Self::SeveralUsers { .. } => "Ambiguous",
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoGroup { near, .. } if !near.is_empty() => {
                Some(format!("did you mean `{}`?", near.join("`, `")))
            }
            Self::NoGroup { .. } => {
                Some("give the display name as the directory has it, or the group's id".to_owned())
            }
            Self::SeveralGroups { ids, .. } | Self::SeveralUsers { ids, .. } => Some(format!(
                "give the id of the one you mean: {}",
                ids.join(", ")
            )),
            Self::NoSite { .. } => Some(
                "give its URL as the browser shows it, or its id `hostname,site collection,web`; `sites::search(\"…\")` finds sites"
                    .to_owned(),
            ),
            Self::Graph(_) | Self::NoUser { .. } => None,
        }
    }
}
