//! How a sandbox is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::faults::Faults;

/// What [`super::start`] needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// A loopback address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// People in the directory.
    pub users: u32,
    /// Equal seed and users give equal people, units, restore points and ids.
    pub seed: u64,
    /// How many times faster than wall time the service's own time runs.
    pub speed: f64,
    /// Wall time added to each answer.
    pub latency: Duration,
    pub faults: Faults,
    pub search_cap: SearchCap,
    /// Where the state is kept, to go on with it after an end of any kind.
    pub state: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            users: 100,
            seed: 1,
            speed: 600.0,
            latency: Duration::ZERO,
            faults: Faults::default(),
            search_cap: SearchCap::Five,
            state: None,
        }
    }
}

/// How many restore points one search answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchCap {
    /// At most five in all, as the service documents it.
    #[default]
    Five,
    /// One for each unit.
    PerUnit,
}

/// A search cap that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("search cap `{0}` is neither `5` nor `per-unit`")]
pub struct SearchCapError(String);

impl FromStr for SearchCap {
    type Err = SearchCapError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "5" => Ok(Self::Five),
            "per-unit" => Ok(Self::PerUnit),
            other => Err(SearchCapError(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_cap_reads() {
        assert_eq!("5".parse(), Ok(SearchCap::Five));
        assert_eq!("per-unit".parse(), Ok(SearchCap::PerUnit));
        let error = "7"
            .parse::<SearchCap>()
            .expect_err("seven is none")
            .to_string();
        assert_eq!(error, "search cap `7` is neither `5` nor `per-unit`");
    }
}
